"""The reference page says what the program does."""

from pathlib import Path

from cpanel_mail_exporter.config.options import OPTIONS
from cpanel_mail_exporter.config.reference import render_reference

PAGE = Path(__file__).parents[3] / "docs/reference/configuration.md"


def test_the_page_is_what_the_options_give() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_reference()


def test_every_flag_variable_and_key_stands_on_the_page() -> None:
    page = render_reference()
    for option in OPTIONS:
        names = [f"`--{flag}" for flag in option.flags]
        names += [f"`{name}`" for name in (*option.variables, option.key, option.web_key) if name]
        assert [name for name in names if name not in page] == []


def test_every_sentence_is_one_sentence() -> None:
    assert [o.sentence for o in OPTIONS if not o.sentence.endswith(".") or ". " in o.sentence] == []
