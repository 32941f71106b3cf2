from importlib.resources import files
from cpanel_mail_exporter.bounces import rules as R
def package_rules():
    d=files("cpanel_mail_exporter.bounces")
    rs=[]
    for f in R.PACKAGE_FILES: rs+=R.rules_from_toml((d/f).read_text(encoding='utf-8'),f)
    return rs
