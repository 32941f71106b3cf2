"""Golden files: whole outputs, compared byte for byte, written anew only on purpose."""

from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path

import pytest

HERE = Path(__file__).parent
Compare = Callable[[str, bytes], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--renew-golden",
        action="store_true",
        help="write the golden files anew; read the difference before committing it",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Compare:
    """Compares bytes with the golden file of a name."""
    is_renewing = request.config.getoption("--renew-golden", default=False)

    def compare(name: str, found: bytes) -> None:
        file = HERE / name
        if is_renewing:
            file.write_bytes(found)
        known = file.read_bytes() if file.exists() else b""
        if found != known:
            difference = unified_diff(
                known.decode().split("\n"), found.decode().split("\n"), name, "now", n=1
            )
            pytest.fail(
                "\n".join(
                    [
                        f"{name} is out of date; if that is meant, run: make golden",
                        *(line.rstrip("\n") for line in difference),
                    ]
                ),
                pytrace=False,
            )

    return compare
