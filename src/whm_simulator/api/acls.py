"""Which privilege each function needs.

Only the names of the privileges are documented; which function needs which is the working guess of
most clients: delivery reports need ``track-email``, the account list ``list-accts``, and what tells
of the whole server needs ``all``, which is root.
"""

from whm_simulator.api.visit import Caller

NONE, TRACK_EMAIL, LIST_ACCTS, ALL = "", "track-email", "list-accts", "all"

NEEDED: dict[str, str] = {
    "applist": NONE,
    "emailtrack_search": TRACK_EMAIL,
    "emailtrack_stats": TRACK_EMAIL,
    "emailtrack_user_stats": TRACK_EMAIL,
    "fetch_mail_queue": ALL,
    "get_unique_recipient_count_per_sender_for_user": ALL,
    "get_unique_sender_recipient_count_per_user": ALL,
    "gethostname": NONE,
    "listaccts": LIST_ACCTS,
    "servicestatus": ALL,
    "version": NONE,
}
"""The privilege by function; the empty one is everybody's."""


def may_call(caller: Caller, function: str) -> bool:
    """Whether *caller* has the privilege that *function* needs."""
    needed = NEEDED[function]
    return needed == NONE or needed in caller.acls or ALL in caller.acls
