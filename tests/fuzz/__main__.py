"""The long run: `python -m tests.fuzz`, or `make fuzz`. Needs atheris; the corpora need nothing."""

import argparse
import subprocess
import sys
from pathlib import Path

from tests.fuzz.targets import TARGETS

HERE = Path(__file__).parent
FOUND = HERE / "found"
GROWN = HERE / "grown"
"""Inputs that reached more of the code, kept for the next run; not part of the project."""


def main() -> int:
    """Fuzz each target for a while; 1 if one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", allow_abbrev=False)
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}")
    flags = parser.parse_args()
    if unknown := set(flags.targets) - TARGETS.keys():
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    failed = [name for name in flags.targets or TARGETS if not _fuzz(name, flags.seconds)]
    for name in failed:
        sys.stdout.write(
            f"{name} FAILED: see {FOUND}; move the input to corpus/{name} with a fix\n"
        )
    return 1 if failed else 0


def _fuzz(name: str, seconds: int) -> bool:
    """Whether *seconds* of fuzzing found nothing."""
    grown = GROWN / name
    for folder in (FOUND, grown):
        folder.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"{name}: {TARGETS[name].__doc__}\n")
    sys.stdout.flush()
    command = (
        *(sys.executable, "-m", "tests.fuzz.one", name),
        *(f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=2048", "-max_len=4096"),
        *("-print_final_stats=1", "-verbosity=0"),
        *(f"-artifact_prefix={FOUND}/{name}-", f"-dict={HERE / 'words.dict'}"),
        *(grown, HERE / "corpus" / name),
    )
    return subprocess.run(command, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
