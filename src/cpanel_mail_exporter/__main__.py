"""Makes `python -m cpanel_mail_exporter` the same as the command."""

import sys

from cpanel_mail_exporter.entry import main

if __name__ == "__main__":
    sys.exit(main())
