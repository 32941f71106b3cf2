"""Every function the simulator has, and the one way to call them."""

from collections.abc import Callable
from dataclasses import replace

from whm_simulator.api.accounts import listaccts
from whm_simulator.api.acls import may_call
from whm_simulator.api.answer import Answer, refused, unknown_function
from whm_simulator.api.dressing import Dress
from whm_simulator.api.errors import FunctionError
from whm_simulator.api.mail_queue import fetch_mail_queue
from whm_simulator.api.output import Output
from whm_simulator.api.params import Params
from whm_simulator.api.quirks import Quirks
from whm_simulator.api.quirky_mail import with_row_quirks
from whm_simulator.api.scope import OwnedMail
from whm_simulator.api.search import emailtrack_search
from whm_simulator.api.services import servicestatus
from whm_simulator.api.totals import emailtrack_stats, emailtrack_user_stats
from whm_simulator.api.unique import (
    get_unique_recipient_count_per_sender_for_user,
    get_unique_sender_recipient_count_per_user,
)
from whm_simulator.api.visit import ROOT, Visit

WHM_VERSION = "11.138.0.6"


def applist(visit: Visit, params: Params) -> Answer:
    """Names of all functions; filters and pages take the name as their field ``app``."""
    metadata: dict[str, object] = {}
    records = [{"app": name} for name in sorted(FUNCTIONS)]
    shown = Output.of(params, visit.quirks).apply(records, metadata)
    apps = [record["app"] for record in shown if "app" in record]
    return Answer("applist", apps, key="app", metadata=metadata)


def gethostname(visit: Visit, _params: Params) -> Answer:
    """The server's own name."""
    return Answer("gethostname", values={"hostname": visit.mail.hostname})


def version(visit: Visit, _params: Params) -> Answer:
    """The version of cPanel & WHM."""
    is_legacy = visit.quirks.version_shape == "legacy"
    return Answer("version", values={"version": WHM_VERSION}, is_legacy=is_legacy)


FUNCTIONS: dict[str, Callable[[Visit, Params], Answer]] = {
    function.__name__: function
    for function in (
        applist,
        emailtrack_search,
        emailtrack_stats,
        emailtrack_user_stats,
        fetch_mail_queue,
        get_unique_recipient_count_per_sender_for_user,
        get_unique_sender_recipient_count_per_user,
        gethostname,
        listaccts,
        servicestatus,
        version,
    )
}


def call(visit: Visit, name: str, params: Params) -> Answer:
    """Call function *name*; a refusal is an answer as well.

    *visit* holds the server's mail as it is; its quirks and what the caller may see of it come on
    top here.

    Raises:
        Interrupted: the simulator is being stopped.
    """
    return _dressed(_answer(visit, name, params), visit.quirks)


def _answer(visit: Visit, name: str, params: Params) -> Answer:
    api_version = params.get("api.version", "0")
    function = FUNCTIONS.get(name)
    if function is None or api_version != "1":
        return unknown_function(name, api_version)
    if not may_call(visit.caller, name):
        is_denied = visit.quirks.lacking_acl == "403"
        return replace(refused(name, "Permission denied"), is_denied=is_denied)
    mail = with_row_quirks(visit.mail, visit.quirks)
    if visit.caller.user != ROOT:
        mail = OwnedMail(mail, visit.caller.user)
    try:
        return function(visit._replace(mail=mail), params)
    except FunctionError as error:
        return refused(name, error.reason)


def _dressed(answer: Answer, quirks: Quirks) -> Answer:
    metadata = answer.metadata
    if not quirks.tells_overflow:
        metadata = {name: value for name, value in metadata.items() if name != "overflowed"}
    return replace(answer, metadata=metadata, dress=Dress(quirks.numbers, quirks.empty))
