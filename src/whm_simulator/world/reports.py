"""Reports of failure to senders on this server, with an empty sender of their own."""

from collections.abc import Sequence

from whm_simulator.mail.rows import Row
from whm_simulator.world.desk import Cause
from whm_simulator.world.ids import exim_id
from whm_simulator.world.page import Letter, Page
from whm_simulator.world.site import Site
from whm_simulator.world.story import reported_size

MINUTES_BACK = 2
"""A report follows its cause so soon that the cause was sent at most so many minutes before."""


def reports_in(site: Site, minute: int, causes: Sequence[Sequence[Cause]]) -> list[Row]:
    """The reports sent in *minute*; all of them reach the mailbox they are meant for.

    Args:
        site: the server.
        minute: of unix time.
        causes: those of *minute*, of the minute before, and so on for ``MINUTES_BACK``.
    """
    page = Page(site.settings.zone)
    for age, found in enumerate(causes):
        for cause in found:
            if cause.report_unix // 60 != minute:
                continue
            # A failed message has one report, so its number is the report's in another stream.
            stream = cause.stream + 1 + age
            msgid = exim_id(
                cause.report_unix, cause.ordinal, cause.begin, stream, site.has_old_exim
            )
            size = reported_size(cause.size)
            letter = Letter(msgid, cause.report_unix, size, 0, site.daemon)
            page.put_boxed(letter, cause.box, cause.report_unix + 1)
    return page.rows
