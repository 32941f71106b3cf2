"""Classifications a second over a realistic mix, in ratio to plain loops over the same rules.

The mix: texts that receivers publish and those of the simulator's world, a few of them common and
most of them rare, each with an address, a queue id, a host and an address of its own, as Exim wraps
them; two of five are attempts again with the very same text, as deferrals are. Hostile texts are
all different, as long as is looked at, and made to please the patterns.
"""

import csv
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
_SAMPLE = 400
_REPEATED = 0.4
_ROUNDS = 5
_HOSTILE_WORDS = (
    "user", "mailbox", "address", "account", "is", "not", "has", "been", "the", "message", "too",
    "many", "from", "client", "host", "rejected", "550", "5.7.1", "a@b.example", "(", "spam", "smtp",
    "error", "remote", "server", "after", "rcpt", "to:", "<", "size", "exceeds", "limit", "connect",
)  # fmt: skip


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
    texts = []
    for _ in range(count):
        words: list[str] = []
        while sum(map(len, words)) + len(words) < LONGEST_READ:
            words.append(
                chance.choice(_HOSTILE_WORDS)
                + chance.choice(("", "", chr(97 + chance.randrange(26))))
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
    address = f"{chance.choice(('ann', 'bob', 'info', 'office'))}{chance.randrange(10**6)}@c{chance.randrange(10**5)}.example"
    bits = f"{chance.getrandbits(56):014x}"
    text = re.sub(
        r"\{(\w+)\}",
        lambda m: (
            address
            if "address" in m[1]
            else bits
            if m[1] == "code"
            else "192.0.2.10"
            if m[1] == "own_ip"
            else "25"
        ),
        template,
    )
    text = re.sub(r"<[\w.-]+@[\w.-]+>|\bbob@example\.com\b", f"<{address}>", text)
    text = text.replace(
        "k12si3456", f"{bits[:6]}si{chance.randrange(10**7)}pgb.{chance.randrange(400)}"
    )
    if not re.match(r"[45]\d\d", text):
        return text
    stage = chance.choice(
        (
            f"RCPT TO:<{address}>",
            "end of data",
            f"pipelined MAIL FROM:<news@shop{chance.randrange(300)}.example>",
        )
    )
    host = f"mx{chance.randrange(4)}.c{chance.randrange(5_000)}.example"
    ip = f"198.51.{chance.randrange(256)}.{chance.randrange(256)}"
    return f"SMTP error from remote mail server after {stage}: host {host} [{ip}]: {text}"


def per_second(work: Callable[[], Any], texts: Sequence[str]) -> float:
    """Best of several rounds, in texts a second of processor time."""
    best = 0.0
    for _ in range(_ROUNDS):
        started = time.process_time()
        work()
        best = max(best, len(texts) / (time.process_time() - started))
    return best


def plain_loop() -> Callable[[str], Any]:
    """Every rule's pattern in Python's `re`, one after the other, until one matches."""
    patterns = [
        re.compile(r.text, re.ASCII)
        for r in package_rules()
        if r.text is not None and r.router is None
    ]
    skeletons = Skeletons()

    def first(text: str) -> re.Pattern[str] | None:
        reply = read_reply(skeletons.of(text)).text
        return next((pattern for pattern in patterns if pattern.search(reply)), None)

    return first


def measure(count: int) -> dict[str, Any]:
    """All figures."""
    chance = random.Random(SEED)
    rounds = [mix(count, chance) for _ in range(_ROUNDS)]
    classifier = Classifier(package_rules())
    speeds, cold = [], 0.0
    for texts in rounds:
        # Each round's texts are new, so that only their kinds are known from those before.
        started = time.process_time()
        for text in texts:
            classifier.classify(text)
        speeds.append(len(texts) / (time.process_time() - started))
    cold = speeds[0]
    looked_at = classifier.looked_at
    sample = rounds[0][:_SAMPLE]
    first = plain_loop()
    loop = per_second(lambda: [first(text) for text in sample], sample)
    uncached = Classifier(package_rules())
    unknown = hostile(_SAMPLE * 10, chance)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    for text in unknown:
        uncached.classify(text)
    hostile_seconds = (time.process_time() - started) / len(unknown)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    started = time.process_time()
    for text in unknown[: _SAMPLE // 10]:
        first(text)
    loop_hostile = (time.process_time() - started) / (_SAMPLE // 10)
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "texts": count,
        "per_second": speeds,
        "cold_per_second": cold,
        "looked_at_by_rules": looked_at,
        "plain_loop_per_second": loop,
        "hostile_microseconds": hostile_seconds * 1e6,
        "hostile_plain_loop_microseconds": loop_hostile * 1e6,
        "hostile_memory_kib": grown,
    }
