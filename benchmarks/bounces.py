"""Classifications a second over a realistic mix, in ratio to plain loops over the same rules.

The mix: texts that receivers publish and those of the simulator's world, a few of them common and
most of them rare, each with an address, a queue id, a host and an address of its own, as Exim wraps
them; two of five are attempts again with the very same text, as deferrals are. Hostile texts are
all different, as long as is looked at, and made to please the patterns.
"""

import argparse
import csv
import json
import platform
import random
import re
import resource
import time
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from cpanel_mail_exporter.bounces.classifier import Classifier
from cpanel_mail_exporter.bounces.reply import read_reply
from cpanel_mail_exporter.bounces.skeleton import LONGEST_READ, Skeletons
from cpanel_mail_exporter.config.bounce_files import package_rules

RESULTS = Path(__file__).parent / "results"
PUBLISHED = Path(__file__).parents[1] / "tests" / "bounces" / "published.tsv"
GOAL_PER_SECOND = 200_000
SEED = 5
ROUNDS = 5
SAMPLE, HOSTILE, HOSTILE_SAMPLE = 2_000, 4_000, 100
_REPEATED = 0.4
_HOSTILE_WORDS = (
    "user mailbox address account is not has been the message too many from client host rejected",
    "550 5.7.1 a@b.example ( spam smtp error remote server after rcpt to: < size exceeds limit",
)


def mix(count: int, chance: random.Random) -> list[str]:
    """*count* texts as a busy server's log has them."""
    templates = _templates()
    chance.shuffle(templates)
    weights = [1 / (rank + 3) for rank in range(len(templates))]
    texts: list[str] = []
    for template in chance.choices(templates, weights, k=count):
        if texts and chance.random() < _REPEATED:
            texts.append(texts[-chance.randrange(1, min(len(texts), 2_000) + 1)])
        else:
            texts.append(_filled(template, chance))
    return texts


def hostile(count: int, chance: random.Random) -> list[str]:
    """*count* texts, no two alike, of words that many patterns begin with."""
    known, texts = " ".join(_HOSTILE_WORDS).split(), []
    for _ in range(count):
        words: list[str] = []
        while sum(map(len, words)) + len(words) < LONGEST_READ:
            words.append(
                chance.choice(known) + chance.choice(("", "", chr(97 + chance.randrange(26))))
            )
        texts.append(" ".join(words)[:LONGEST_READ])
    return texts


def _templates() -> list[str]:
    with PUBLISHED.open(encoding="utf-8", newline="") as lines:
        published = [
            row["text"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        ]
    table = files("whm_simulator.world").joinpath("replies.tsv").read_text("utf-8")
    simulated = [
        row["text"]
        for row in csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    ]
    return published + simulated


def _filled(template: str, chance: random.Random) -> str:
    """*template* for a recipient of its own, wrapped as Exim does."""
    name, domain = chance.choice(("ann", "bob", "info", "office")), chance.randrange(10**5)
    address = f"{name}{chance.randrange(10**6)}@c{domain}.example"
    bits = f"{chance.getrandbits(56):014x}"
    values = {"address": address, "code": bits, "own_ip": "192.0.2.10", "sender": "n@shop.example"}
    text = re.sub(r"\{(\w+)\}", lambda m: values.get(m[1], "25"), template)
    text = re.sub(r"<[\w.-]+@[\w.-]+>|\bbob@example\.com\b", f"<{address}>", text)
    queue_id = f"{bits[:6]}si{chance.randrange(10**7)}pgb.{chance.randrange(400)}"
    text = text.replace("k12si3456", queue_id)
    if not re.match(r"[45]\d\d", text):
        return text
    sender = f"pipelined MAIL FROM:<news@shop{chance.randrange(300)}.example>"
    stage = chance.choice((f"RCPT TO:<{address}>", "end of data", sender))
    host = f"mx{chance.randrange(4)}.c{chance.randrange(5_000)}.example"
    ip = f"198.51.{chance.randrange(256)}.{chance.randrange(256)}"
    spoken_to = chance.choice(("", f"host {host} [{ip}]: "))
    return f"SMTP error from remote mail server after {stage}: {spoken_to}{text}"


def plain_loop() -> Callable[[str], Any]:
    """Every rule's pattern in Python's `re`, one after the other, until one matches."""
    patterns = [
        re.compile(rule.text, re.ASCII)
        for rule in package_rules()
        if rule.text is not None and rule.router is None
    ]
    skeletons = Skeletons()

    def first(text: str) -> re.Pattern[str] | None:
        reply = read_reply(skeletons.of(text)).text
        return next((pattern for pattern in patterns if pattern.search(reply)), None)

    return first


def seconds_each(work: Callable[[str], Any], texts: Sequence[str]) -> float:
    """Processor time for one text."""
    started = time.process_time()
    for text in texts:
        work(text)
    return (time.process_time() - started) / len(texts)


def measure(count: int) -> dict[str, Any]:
    """All figures; seconds for one text."""
    chance = random.Random(SEED)
    # Each round's texts are new, so that only their kinds are known from those before.
    rounds = [mix(count, chance) for _ in range(ROUNDS)]
    unlike = hostile(HOSTILE, chance)
    started = time.process_time()
    classifier = Classifier(package_rules())
    build_seconds = time.process_time() - started
    known = [seconds_each(classifier.classify, texts) for texts in rounds]
    looked_at = classifier.looked_at
    first = plain_loop()
    loop = seconds_each(first, rounds[0][:SAMPLE])
    own, before = Classifier(package_rules()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    hostile_seconds = seconds_each(own.classify, unlike)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "rules": len(package_rules()),
        "texts_a_round": count,
        "build_seconds": build_seconds,
        "first_round_seconds": known[0],
        "later_round_seconds": sorted(known[1:])[len(known[1:]) // 2],
        "all_rounds_seconds": sum(known) / len(known),
        "looked_at_by_rules": looked_at,
        "texts": count * ROUNDS,
        "plain_loop_seconds": loop,
        "hostile_seconds": hostile_seconds,
        "hostile_plain_loop_seconds": seconds_each(first, unlike[:HOSTILE_SAMPLE]),
        "hostile_texts": len(unlike),
        "hostile_grown_bytes": grown * 1024,
    }


def report(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    loop = found["plain_loop_seconds"]
    slow = found["hostile_plain_loop_seconds"]
    rows = (
        (
            f"first {found['texts_a_round']:,} texts, every kind new once",
            found["first_round_seconds"],
            loop,
        ),
        (
            f"the next {found['texts_a_round']:,}, with other addresses, ids and hosts",
            found["later_round_seconds"],
            loop,
        ),
        (f"all {found['texts']:,} together", found["all_rounds_seconds"], loop),
        ("plain loop over the same patterns with `re`", loop, loop),
        ("hostile texts", found["hostile_seconds"], slow),
        ("hostile texts, plain loop", slow, slow),
    )
    lines = [
        "# Classifying replies",
        "",
        "Written by `make bench`.",
        (
            f"Python {found['python']}, {found['machine']}, one core, processor time; "
            f"{found['rules']} rules, read and compiled in {found['build_seconds'] * 1000:.0f} ms."
        ),
        "",
        "| | texts/s | for one | times the loop |",
        "|---|---|---|---|",
        *(
            f"| {title} | {1 / each:,.0f} | {each * 1e6:,.1f} us | {base / each:.1f} |"
            for title, each, base in rows
        ),
        "",
        (
            f"The goal is {GOAL_PER_SECOND:,} texts/s over the mix: {found['texts']:,} texts, of "
            f"which rules had to look at {found['looked_at_by_rules']:,}."
        ),
        "",
        (
            f"Hostile texts have {LONGEST_READ:,} characters, no two alike, of words that many "
            f"patterns begin with; {found['hostile_texts']:,} of them made the process grow by "
            f"{found['hostile_grown_bytes'] / 1e6:.0f} MB."
        ),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=int, default=100_000)
    options = parser.parse_args()
    found = measure(options.texts)
    text = report(found)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "bounces.md").write_text(text)
    (RESULTS / "bounces.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
