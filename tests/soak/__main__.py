"""The long run: `python -m tests.soak`, or `make soak`."""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.soak.report import page_of, text_of
from tests.soak.round import Result, Round, Terms

RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Run rounds until there were enough kills; 1 if any number differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", allow_abbrev=False)
    parser.add_argument("--seed", default="1", help="what all is drawn from (1)")
    parser.add_argument("--kills", type=int, default=1000, help="of the exporter (1000)")
    parser.add_argument("--round", type=int, default=100, help="kills of one round (100)")
    parser.add_argument("--only", help="one round again, by its name")
    parser.add_argument("--keep", type=Path, help="keep the files of rounds that differ in here")
    flags = parser.parse_args()
    # Otherwise the processes of a round would outlive it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    results: list[Result] = []
    for number, start in enumerate(range(0, flags.kills, flags.round)):
        terms = Terms(
            seed=f"{flags.seed}-{number}",
            kills=min(flags.round, flags.kills - start),
            speed=30.0,
            is_together=number % 4 != 0,
        )
        if flags.only in (None, terms.seed):
            results.append(_round(terms, flags.keep))
    sys.stdout.write(text_of(results))
    if flags.only is None:
        page = page_of(results, flags.seed)
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "long_run.md").write_text(page)
    return 0 if all(result.is_good for result in results) else 1


def _round(terms: Terms, keep: Path | None) -> Result:
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    try:
        result = Round(terms, folder).run()
        if not result.is_good and keep is not None:
            shutil.copytree(folder, keep / terms.seed, dirs_exist_ok=True)
    finally:
        shutil.rmtree(folder)
    sys.stdout.write(f"round {terms.seed}\n{text_of([result])}\n")
    sys.stdout.flush()
    return result


if __name__ == "__main__":
    sys.exit(main())
