"""One target under atheris: `python -m tests.fuzz.one TARGET [options, folders]`."""

import sys

import atheris

with atheris.instrument_imports(include=["cpanel_mail_exporter"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Never returns: libFuzzer ends the process."""
    target = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
