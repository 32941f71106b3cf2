"""Every function the simulator has, and the one way to call them."""

from collections.abc import Callable

from whm_simulator.api.answer import Answer, refused, unknown_function
from whm_simulator.api.errors import FunctionError
from whm_simulator.api.output import Output
from whm_simulator.api.params import Params
from whm_simulator.api.search import emailtrack_search
from whm_simulator.api.totals import emailtrack_stats, emailtrack_user_stats
from whm_simulator.api.visit import Visit

WHM_VERSION = "11.138.0.6"


def applist(_visit: Visit, params: Params) -> Answer:
    """Names of all functions; filters and pages take the name as their field ``app``."""
    metadata: dict[str, object] = {}
    names = Output.of(params).apply([{"app": name} for name in sorted(FUNCTIONS)], metadata)
    apps = [record["app"] for record in names if "app" in record]
    return Answer("applist", apps, key="app", metadata=metadata)


def gethostname(visit: Visit, _params: Params) -> Answer:
    """The server's own name."""
    return Answer("gethostname", values={"hostname": visit.mail.hostname})


def version(_visit: Visit, _params: Params) -> Answer:
    """The version of cPanel & WHM."""
    return Answer("version", values={"version": WHM_VERSION})


FUNCTIONS: dict[str, Callable[[Visit, Params], Answer]] = {
    function.__name__: function
    for function in (
        applist,
        emailtrack_search,
        emailtrack_stats,
        emailtrack_user_stats,
        gethostname,
        version,
    )
}


def call(visit: Visit, name: str, params: Params) -> Answer:
    """Call function *name*; a refusal is an answer as well.

    Raises:
        Interrupted: the simulator is being stopped.
    """
    api_version = params.get("api.version", "0")
    function = FUNCTIONS.get(name)
    if function is None or api_version != "1":
        return unknown_function(name, api_version)
    try:
        return function(visit, params)
    except FunctionError as error:
        return refused(name, error.reason)
