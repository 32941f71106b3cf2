"""Who takes the mail is known by the exchanger's name and then by the recipient's domain."""

import tomllib
from importlib.resources import files
from threading import Thread

import pytest

from cpanel_mail_exporter.bounces.providers import (
    LOCAL,
    MOST_PROVIDERS,
    OTHER,
    PACKAGE_FILE,
    ProviderMistakes,
    Providers,
    ProviderTable,
    providers_from_toml,
)
from whm_simulator.world.places import PLACES

PACKAGE_TEXT = (files("cpanel_mail_exporter.bounces") / PACKAGE_FILE).read_text("utf-8")
PACKAGE = providers_from_toml(PACKAGE_TEXT, "providers.toml")

KNOWN_BEFORE = {
    "google": (
        (
            "aspmx.l.google.com alt1.aspmx.l.google.com aspmx2.googlemail.com smtp.google.com "
            "x.smtp.google.com"
        ),
        "gmail.com googlemail.com",
    ),
    "microsoft": (
        "x.mail.protection.outlook.com x.y-v1.mx.microsoft mx1.hotmail.com",
        (
            "outlook.com hotmail.com live.com msn.com passport.com outlook.de outlook.fr "
            "outlook.es outlook.it outlook.jp outlook.com.br hotmail.co.uk hotmail.de hotmail.es "
            "hotmail.fr hotmail.it live.co.uk live.de live.fr live.it live.nl live.com.au"
        ),
    ),
    "yahoo": (
        "mta5.am0.yahoodns.net",
        (
            "yahoo.com ymail.com rocketmail.com myyahoo.com aol.com yahoo.co.uk yahoo.de yahoo.fr "
            "yahoo.es yahoo.it yahoo.ca yahoo.co.in yahoo.in yahoo.com.au yahoo.com.br yahoo.com.mx"
        ),
    ),
    "apple": ("mx01.mail.icloud.com", "icloud.com me.com mac.com"),
}
"""Exchangers and domains that had a provider when there was but a small table."""

EXCHANGERS = {
    "mxs.mail.ru": "mail_ru",
    "mx.yandex.net": "yandex",
    "mx00.emig.gmx.net": "gmx_webde",
    "mx-ha.web.de": "gmx_webde",
    "mx00.mail.com": "gmx_webde",
    "mx3.qq.com": "qq",
    "163mx01.mxmail.netease.com": "netease",
    "mx1.mail.yahoo.co.jp": "yahoo_japan",
    "eu-smtp-inbound-1.mimecast.com": "mimecast",
    "mx0a-00112233.pphosted.com": "proofpoint",
    "mx1-us1.ppe-hosted.com": "proofpoint",
    "d1.a.ess.barracudanetworks.com": "barracuda",
    "in1-smtp.messagingengine.com": "fastmail",
    "mail.protonmail.ch": "proton",
    "mx2.zoho.eu": "zoho",
    "mx00.ionos.de": "ionos",
    "mx01.kundenserver.de": "ionos",
    "mx1.mail.ovh.net": "ovh",
    "smtp.secureserver.net": "godaddy",
    "mx1.emailsrvr.com": "rackspace",
    "inbound-smtp.eu-west-1.amazonaws.com": "amazon",
    "ec2-192-0-2-1.compute-1.amazonaws.com": OTHER,
    "route1.mx.cloudflare.net": "cloudflare",
    "mx00.t-online.de": "t_online",
    "mfsmax.docomo.ne.jp": "docomo",
    "mx1.hanmail.net": "daum",
    "smtpz4.laposte.net": "laposte",
    "mx.wp.pl": "wp_pl",
    "mx1.example.net": OTHER,
    "evil-google.com": OTHER,
    "google.com.example.net": OTHER,
    "com": OTHER,
    "192.0.2.25": OTHER,
    "": OTHER,
}

SIMULATED = {
    "google": "google",
    "microsoft": "microsoft",
    "yahoo": "yahoo",
    "apple": "apple",
    "gmx": "gmx_webde",
    "mailru": "mail_ru",
    "qq": "qq",
    "mimecast": "mimecast",
    "proofpoint": "proofpoint",
}
"""Provider of each kind of place that the simulated WHM sends to; the others have none."""


@pytest.fixture(scope="module")
def package() -> Providers:
    return Providers([PACKAGE])


@pytest.mark.parametrize("provider", KNOWN_BEFORE)
def test_all_that_the_first_table_knew_is_known_under_the_new_words(
    package: Providers, provider: str
) -> None:
    hosts, domains = (names.split() for names in KNOWN_BEFORE[provider])
    assert [package.of(host, "example.com") for host in hosts] == [provider] * len(hosts)
    assert [package.of("", domain) for domain in domains] == [provider] * len(domains)


@pytest.mark.parametrize(("host", "provider"), EXCHANGERS.items())
def test_an_exchanger_is_known_by_the_end_of_its_name(
    package: Providers, host: str, provider: str
) -> None:
    assert package.of(host, "example.com") == provider


def test_each_place_of_the_simulated_whm_is_named_by_its_exchanger(package: Providers) -> None:
    found = {
        place.kind: {package.of(each.host, place.domains[0]) for each in place.exchangers}
        for place in PLACES
    }
    assert found == {place.kind: {SIMULATED.get(place.kind, OTHER)} for place in PLACES}


def test_the_exchanger_goes_before_the_domain(package: Providers) -> None:
    assert package.of("mx.yandex.ru", "gmail.com") == "yandex"
    assert package.of("relay.example.net", "gmail.com") == "google"


@pytest.mark.parametrize("name", ["GMAIL.COM", "gmail.com.", " gmail.com ", "eu.GMail.com"])
def test_case_a_last_dot_and_lower_levels_make_no_difference(package: Providers, name: str) -> None:
    assert package.of("", name) == "google"


def test_a_name_is_the_same_in_any_script() -> None:
    table = providers_from_toml('[post]\nmx = ["почта.example"]\ndomains = ["例え.example"]', "x")
    providers = Providers([table])
    hosts = ["mx.почта.example", "MX.ПОЧТА.EXAMPLE", "mx.xn--80a1acny.example."]
    domains = ["例え.example", "xn--r8jz45g.example", "例え。example"]
    assert [providers.of(host, "") for host in hosts] == ["post"] * 3
    assert [providers.of("", domain) for domain in domains] == ["post"] * 3


@pytest.mark.parametrize(
    "name", ["\ud800.example", "é" * 80 + ".example", "..", "é..example", "x" * 1_000_000, "\0"]
)
def test_what_can_be_no_name_is_other(package: Providers, name: str) -> None:
    assert package.of(name, name) == OTHER


def test_a_name_that_is_too_long_does_not_hide_the_other(package: Providers) -> None:
    assert package.of("x" * 1_000_000, "gmail.com") == "google"
    assert package.of("smtp.google.com", "x" * 1_000_000) == "google"


def test_of_several_ends_the_longest_counts() -> None:
    table = ProviderTable(mx={"example.com": "wide", "eu.example.com": "narrow"})
    providers = Providers([table])
    assert providers.of("mx.eu.example.com", "") == "narrow"
    assert providers.of("mx.us.example.com", "") == "wide"


def test_the_first_table_that_knows_a_place_is_believed() -> None:
    mine = ProviderTable(mx={"google.com": "mine"}, domains={"partner.example": "partner"})
    providers = Providers([mine, PACKAGE])
    assert providers.of("aspmx.l.google.com", "") == "mine"
    assert providers.of("smtp.office365.example", "partner.example") == "partner"
    assert providers.of("x.mail.protection.outlook.com", "partner.example") == "partner"
    assert providers.of("mta5.am0.yahoodns.net", "example.com") == "yahoo"
    assert set(providers.names) == {*Providers([PACKAGE]).names, "mine", "partner"}


def test_many_threads_get_the_same_answers(package: Providers) -> None:
    got: list[str] = []

    def ask() -> None:
        got.extend(package.of(f"mx{number}.google.com", "") for number in range(5_000))

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["google"] * 20_000


def test_the_package_names_no_more_providers_than_a_file_may_and_each_name_is_plain() -> None:
    content = tomllib.loads(PACKAGE_TEXT)
    assert len(content) <= MOST_PROVIDERS
    assert Providers([PACKAGE]).names == tuple(sorted({*content, LOCAL, OTHER}))
    written = [name for entry in content.values() for names in entry.values() for name in names]
    assert [name for name in written if name != name.lower().strip(".")] == []
    assert [name for name in written if "example" in name] == []


def test_the_package_says_nothing_twice() -> None:
    """A name below another of the same provider would change nothing."""
    needless = [
        (kind, name, provider)
        for kind, names in (("mx", PACKAGE.mx), ("domains", PACKAGE.domains))
        for name, provider in names.items()
        if Providers([ProviderTable(**{kind: {k: v for k, v in names.items() if k != name}})]).of(
            name, name
        )
        == provider
    ]
    assert needless == []


def test_a_file_may_leave_out_either_kind_of_names() -> None:
    text = '[a]\nmx = ["mx.example.com"]\n[b]\ndomains = ["example.org", "Example.Net."]'
    assert providers_from_toml(text, "x") == ProviderTable(
        {"mx.example.com": "a"}, {"example.org": "b", "example.net": "b"}
    )
    assert providers_from_toml("", "x") == ProviderTable()


MISTAKES = {
    "no TOML": (
        "[a\n",
        [
            (
                "p.toml: this isn't TOML: Expected ']' at the end of a table declaration "
                "(at line 1, column 3); correct that place"
            )
        ],
    ),
    "too deep": (
        "a = " + "[" * 100_000,
        ["p.toml: this isn't TOML: it is nested too deeply; correct that place"],
    ),
    "not a label": (
        '["Mein Anbieter"]\nmx = ["example.com"]',
        ["p.toml: 'Mein Anbieter': can't be a label; use up to 40 of a-z, 0-9 and _, a-z first"],
    ),
    "reserved": (
        '[local]\nmx = ["example.com"]\n[other]\nmx = ["example.org"]',
        [
            "p.toml: local: this word has a meaning of its own; choose another",
            "p.toml: other: this word has a meaning of its own; choose another",
        ],
    ),
    "no table": (
        'google = "google.com"',
        ["p.toml: google: must be a table; write [google] and below it mx = [...]"],
    ),
    "unknown keys": (
        '[a]\ndomain = ["example.com"]\nweight = 1\nmx = ["example.com"]',
        [
            "p.toml: a: 'domain': there is no such key; did you mean 'domains'?",
            "p.toml: a: 'weight': there is no such key; known are 'mx' and 'domains'",
        ],
    ),
    "no list": (
        '[a]\nmx = "example.com"',
        ['p.toml: a.mx: must be a list; write ["example.com"]'],
    ),
    "no names": (
        "[a]\nmx = []\n[b]",
        [
            "p.toml: a: has no names; give it mx = [...] or domains = [...], or take it out",
            "p.toml: b: has no names; give it mx = [...] or domains = [...], or take it out",
        ],
    ),
    "odd names": (
        '[a]\nmx = [7, "com", "*.example.com", ".example.com", "a@example.com", "a b.example"]',
        ['p.toml: a.mx[0]: must be a text; write "example.com"']
        + [
            f"p.toml: a.mx[{number}]: {name!r} isn't the end of a name of two parts or more; write "
            '"example.com", which stands for all names below it as well'
            for number, name in enumerate(
                ["com", "*.example.com", ".example.com", "a@example.com", "a b.example"], 1
            )
        ],
    ),
    "claimed twice": (
        '[a]\nmx = ["example.com", "EXAMPLE.com"]\n[b]\nmx = ["example.com."]',
        ["p.toml: b.mx[0]: 'example.com.' belongs to a already; take it out of one"],
    ),
    "too many": (
        "\n".join(f'[p{n}]\nmx = ["p{n}.example"]' for n in range(MOST_PROVIDERS + 1)),
        ["p.toml: 61 providers, each of them a label value; keep 60 at most"],
    ),
    "several": (
        '[A]\n[b]\nmx = ["x"]\n[local]',
        [
            "p.toml: 'A': can't be a label; use up to 40 of a-z, 0-9 and _, a-z first",
            (
                "p.toml: b.mx[0]: 'x' isn't the end of a name of two parts or more; write "
                '"example.com", which stands for all names below it as well'
            ),
            "p.toml: local: this word has a meaning of its own; choose another",
        ],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_all_mistakes_of_a_file_are_told_at_once(mistake: str) -> None:
    text, sentences = MISTAKES[mistake]
    with pytest.raises(ProviderMistakes) as caught:
        providers_from_toml(text, "p.toml")
    assert list(caught.value.mistakes) == sentences
    assert str(caught.value) == "\n".join(sentences)


def test_a_mistake_is_shown_short_and_on_one_line() -> None:
    with pytest.raises(ProviderMistakes) as caught:
        providers_from_toml('[a]\nmx = ["' + "\\n" + "x" * 5_000 + '"]', "p.toml")
    assert [len(line) < 250 for line in str(caught.value).splitlines()] == [True]
