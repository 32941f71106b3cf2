"""Lets ``python -m whm_simulator`` start the command."""

import sys

from whm_simulator.cli import main

if __name__ == "__main__":
    sys.exit(main())
