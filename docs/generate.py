"""Writes the reference pages that come from code."""

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

from cpanel_mail_exporter.bounces.classes import CLASSES
from cpanel_mail_exporter.bounces.patterns import LONGEST_PATTERN
from cpanel_mail_exporter.bounces.providers import Providers
from cpanel_mail_exporter.bounces.reply import STAGES
from cpanel_mail_exporter.bounces.rules import MOST_RULES
from cpanel_mail_exporter.bounces.skeleton import LONGEST_READ
from cpanel_mail_exporter.config.bounce_files import package_providers, package_rules
from cpanel_mail_exporter.config.options import OPTIONS
from cpanel_mail_exporter.config.reference import render_reference
from cpanel_mail_exporter.metrics.bounds import SERIES_BYTES, Budgets, bounds, cost
from cpanel_mail_exporter.metrics.catalogue import FAMILIES
from whm_simulator.api.documented import DOCUMENTED, EVERY_FUNCTION
from whm_simulator.api.quirk_table import QUIRK_ROWS

DOCS = Path(__file__).parent

FAMILIES_HEAD = """\
# Families

Written by `make docs` from `metrics/catalogue.py`; don't edit.

Series about a server begin with `server` (its configured name) and the labels that the
configuration gives it; with one server by flags there are none. `email_*` families describe a
window and vanish `stale_after` after their collector's last success, and so do the gauges of the
collector `delivery_events` (messages in progress, deferred recipients, the last day, spam runs)
and those of the queue. Accounts, unique recipients, services and the server's name and version are
asked less often, and vanish `stale_after` after they should have been asked again. The other
`cpanel_mail_*` families stay: counters keep their values whatever fails, and are absent until what
is stored of a server has been read.
The exporter's own process shows as `process_*`, as in every Prometheus client library; these
figures are as old as the last poll.

| family | kind | labels | what it says |
|---|---|---|---|
"""


def families_page() -> str:
    """The reference of all families as Markdown."""
    rows = [
        f"| `{family.name}` | {family.kind} | {', '.join(f'`{label}`' for label in family.labels)} "
        f"| {family.help} |\n"
        for family in FAMILIES
    ]
    return FAMILIES_HEAD + "".join(rows)


SIMULATED_HEAD = """\
# Simulated WHM

Written by `make docs` from `documented.tsv` and `quirk_table.py` in `whm_simulator/api`; do not
edit.

What cPanel documents of the functions that tell of mail, and how `whm-simulator` plays it.
Members are paths into the JSON answer; `[]` is each element of a list.
"""
QUIRKS_HEAD = """
## Quirks

Where nobody has published what WHM does, `whm-simulator --quirk` chooses.
A server's name and a colon before a quirk keep it to that server, as in `--quirk web2:cap=250`.
The first word of several is what happens without the quirk.

| quirk | what the server does | why it is open |
|---|---|---|
"""


def simulated_whm_page() -> str:
    """The reference of what the simulator answers as Markdown."""
    parts = [SIMULATED_HEAD]
    for function, entries in groupby(DOCUMENTED, lambda entry: entry.function):
        whole, *rest = entries
        title = "Every function" if function == EVERY_FUNCTION else f"`{function}`"
        parts.append(f"\n## {title}\n\n{whole.how[0].upper()}{whole.how[1:]}.\n")
        if rest:
            parts.append("\n| | name | how it is simulated |\n|---|---|---|\n")
        parts += [f"| {entry.what.value} | `{entry.name}` | {entry.how} |\n" for entry in rest]
    parts.append(QUIRKS_HEAD)
    for row in QUIRK_ROWS:
        usage = row.usage.replace("|", "\\|")
        parts.append(f"| `{usage}` | {row.does} | {row.is_open} |\n")
    return "".join(parts)


REASONS_HEAD = """\
# Reasons and providers

Written by `make docs` from `bounces/classes.py` and the rules in `bounces/data`; don't edit.

Values of the label `reason` of `cpanel_mail_delivery_failures_total` and
`cpanel_mail_delivery_deferrals_total`, each with its `severity`: **hard** (trying again won't
help), **soft** (it may), **block** (the sender, or what it sent, was refused).
How one is chosen: [why mail fails](../explanation/why-mail-fails.md). What isn't known yet:
[teach it a reply](../how-to/teach-it-a-reply.md).

| reason | severity | meaning | rules | for example |
|---|---|---|---|---|
"""
RULE_KEYS = """
## What a rule holds

A file of rules is TOML, each rule a table `[[rule]]`. All of its conditions must hold; the first
rule that fits decides, those of a file of your own before the package's. Patterns are regular
expressions of RE2, without lookaround and backreferences.

| key | what it is |
|---|---|
"""
RULE_ROWS = {
    "name": "unique in its file: a-z, 0-9, and dashes between them",
    "reason": "one of the classes above, but `other`",
    "text": (
        "pattern, or a list of them of which one must be found in the reply. The reply is in lower "
        "case, one line, without codes and without what Exim wrote around it; addresses read "
        "`<addr>`, network addresses `0.0.0.0` or `0::0`, long numbers `000000`, ids `id`"
    ),
    "code": "pattern for the whole reply code; it is empty where the text holds none",
    "enhanced": "pattern for the whole enhanced status code, likewise",
    "stage": (
        f"pattern for what the reply answers: {', '.join(f'`{stage}`' for stage in STAGES)}, or "
        "empty where the text doesn't say"
    ),
    "router": "pattern for the whole name of Exim's router",
    "type": "pattern for WHM's word, `failure` or `defer`",
    "example": "a text that this rule decides; checked when the file is read, if there is one",
}
RULE_BOUNDS = f"""
A file holds {MOST_RULES:,} rules at most, a pattern {LONGEST_PATTERN:,} characters. Of a text the
first {LONGEST_READ:,} characters are looked at.
"""
PROVIDERS_HEAD = """
## Providers

Values of the label `provider`, found by the name of the mail exchanger and then by the recipient's
domain; `local` is for mail that stays on the server, `other` for all that isn't known. A file of
your own (`bounces.providers_file`) has the same form as the package's: a table for each provider
with lists `mx` and `domains`, where a name stands for all names below it as well.

| provider | mail exchangers | domains |
|---|---|---|
"""
_SHOWN_NAMES = 6


def reasons_page() -> str:
    """The reference of reasons, rules and providers as Markdown."""
    rules = package_rules()
    parts = [REASONS_HEAD]
    for one in CLASSES:
        own = [rule for rule in rules if rule.reason == one.name]
        example = own[0].example.replace("|", "\\|").replace("\n", " ") if own else ""
        parts.append(
            f"| `{one.name}` | {one.severity} | {one.meaning} | {len(own)} "
            f"| {f'`{example}`' if example else ''} |\n"
        )
    parts.append(RULE_KEYS)
    parts += [f"| `{key}` | {meaning} |\n" for key, meaning in RULE_ROWS.items()]
    parts += [RULE_BOUNDS, PROVIDERS_HEAD]
    table = package_providers()
    for name in sorted({*table.mx.values(), *table.domains.values()}):
        exchangers, domains = _named(table.mx, name), _named(table.domains, name)
        parts.append(f"| `{name}` | {exchangers} | {domains} |\n")
    return "".join(parts)


def _named(names: Mapping[str, str], provider: str) -> str:
    """The first names of a provider, and how many more there are."""
    own = [name for name, owner in names.items() if owner == provider]
    more = f" and {len(own) - _SHOWN_NAMES} more" if len(own) > _SHOWN_NAMES else ""
    return ", ".join(f"`{name}`" for name in own[:_SHOWN_NAMES]) + more


SERIES_HEAD = """\
# Series and budgets

Written by `make docs` from `metrics/catalogue.py` and `metrics/bounds.py`; don't edit.

The most series that each family can have for one server, with every setting as it is by default,
and where the number comes from. A histogram has a series for each bucket, and sum and count. What
is there now stands on `/debug/cardinality`, and what to expect in one line of the log, at start,
after the first polls, and on SIGHUP.

{cost}

The setting in the last column makes a family smaller (0 means no bound) or switches its collector
off; `families.deny` hides any of them: [keep Prometheus small](../how-to/keep-prometheus-small.md).
Where series were cut, `cpanel_mail_series_wanted` is above `cpanel_mail_series_limit`; what
counters by user and by reply code leave out is in their series `_other`, so sums stay right.

| family | labels | most series | comes from | setting |
|---|---|---|---|---|
"""
SERIES_COST = (
    "A live series took Prometheus 2.42 about {low} to {high} kB of memory, measured with "
    "`email_logs`: 10,000 series 149 MB, 100,000 1.2 to 1.5 GB, 300,000 4.4 GB; a scrape of "
    "100,000 lasts a second, of 300,000 longer than three. Series that ended stay in memory for "
    "up to three hours."
)
SERIES_TAIL = """
## Why the budgets are what they are

| setting | default | why |
|---|---|---|
"""
WHY_BUDGETS = {
    "user_stats.user_series": (
        "no server of a usual size comes near it, so nothing is cut by surprise: {each} series a "
        "pair, 100 pairs {usual}; a full budget {full}"
    ),
    "email_logs.max_series": "a scrape of half a second, and {full}; over all servers together",
    "delivery_events.user_series": "4 series a pair; a full budget {full}",
    "delivery_events.reply_series": "receivers make codes up; the rare ones share `_other`",
    "mail_queue.user_series": "a queue that matters is made by a handful of users; {full}",
    "accounts.max_series": "a usual server whole, of larger ones who is near a limit; {full}",
    "spam_runs.max_accounts": "who has a high score is looked at one by one; {full}",
}


def series_page() -> str:
    """The reference of how many series families can have as Markdown."""
    budgets = Budgets(providers=len(Providers([package_providers()]).names))
    found = bounds(budgets)
    low, high = (size // 1_000 for size in SERIES_BYTES)
    parts = [SERIES_HEAD.format(cost=SERIES_COST.format(low=low, high=high))]
    for bound in found:
        labels = ", ".join(f"`{label}`" for label in bound.family.labels)
        origin = " * ".join(f"{one.number:,} {one.what}" for one in bound.factors)
        key = f"`{bound.key}`" if bound.key else ""
        parts.append(f"| `{bound.family.name}` | {labels} | {bound.most:,} | {origin} | {key} |\n")
    total = sum(bound.most or 0 for bound in found)
    parts.append(
        f"\nOne server with every budget full: {total:,} series, {cost(total)}. Of many servers "
        "each has these but for `email_logs`, which has 50,000 over all of them "
        "(`email_logs.max_series_total`).\n"
    )
    parts.append(SERIES_TAIL)
    defaults = {option.key: option.default for option in OPTIONS if option.key}
    for key, why in WHY_BUDGETS.items():
        full = sum(bound.most or 0 for bound in found if bound.key == key)
        number = int(defaults[key])
        words = why.format(full=cost(full), each=full // number, usual=cost(100 * full // number))
        parts.append(f"| `{key}` | {number:,} | {words} |\n")
    return "".join(parts)


PAGES = {
    DOCS / "reference" / "families.md": families_page,
    DOCS / "reference" / "configuration.md": render_reference,
    DOCS / "reference" / "reasons.md": reasons_page,
    DOCS / "reference" / "series.md": series_page,
    DOCS / "reference" / "simulated-whm.md": simulated_whm_page,
}


def main() -> None:
    """Write every page."""
    for path, render in PAGES.items():
        path.write_text(render())


if __name__ == "__main__":
    main()
