"""The servers of a simulation without their ports, and the checks of what is said of them."""

import threading
from collections.abc import Mapping
from concurrent.futures import Executor

from whm_simulator.api.quirks import Quirks, parse_quirks
from whm_simulator.api.visit import ALL_ACLS
from whm_simulator.app.mails import mails_of, world_of
from whm_simulator.app.settings import Server, ServerLogin, Settings
from whm_simulator.errors import BadSettings
from whm_simulator.web.clock import SimulatedClock
from whm_simulator.web.faults import Fault
from whm_simulator.web.login import Login, Logins, token_of
from whm_simulator.web.orders import FaultMistake, faults_of
from whm_simulator.web.site import Site
from whm_simulator.web.switch import FaultSwitch


def build_sites(
    settings: Settings,
    quirks: Mapping[str, Quirks],
    clock: SimulatedClock,
    first_start_unix: float,
    executor: Executor,
    stopping: threading.Event,
) -> dict[str, Site]:
    """All servers by name.

    Args:
        settings: of the simulation.
        quirks: by server.
        clock: the time that they share.
        first_start_unix: simulated time from which relative times of incidents count.
        executor: where answers are built.
        stopping: set when answers being built are not wanted any more.

    Raises:
        SimulatorError: a file can't be read.
    """
    world = world_of(settings, first_start_unix)
    mail_of = mails_of(settings, world, first_start_unix, stopping)
    return {
        name: Site(
            name=name,
            mail=mail_of(name, number),
            logins=Logins([_main_login(settings, name), *_more_logins(settings, name)]),
            clock=clock,
            executor=executor,
            switch=FaultSwitch(name),
            quirks=quirks[name],
            history_seconds=None if settings.mainlog else world.history_seconds,
        )
        for number, name in enumerate(settings.names, 1)
    }


def as_server(settings: Settings, site: Site, endpoint: str, ca_file: str | None) -> Server:
    """What a client needs to know of *site*, which is reached at *endpoint*."""
    login = _main_login(settings, site.name)
    more = _more_logins(settings, site.name)
    return Server(
        name=site.name,
        endpoint=endpoint,
        user=login.user,
        token=login.token,
        ca_file=ca_file,
        server_name=site.mail.hostname if settings.is_by_name else None,
        logins=tuple(ServerLogin(login.user, login.token, login.acls) for login in more),
    )


def ordered_faults(settings: Settings) -> list[Fault]:
    """The faults that *settings* order.

    Raises:
        BadSettings: an order can't be followed.
    """
    try:
        return [
            fault
            for order in settings.faults
            for fault in faults_of(order, settings.names, has_tls=settings.has_tls)
        ]
    except FaultMistake as mistake:
        raise BadSettings(str(mistake)) from None


def chosen_quirks(settings: Settings) -> dict[str, Quirks]:
    """The quirks of each server.

    Raises:
        BadSettings: a text can't be read.
    """
    try:
        return parse_quirks(settings.quirks, settings.names)
    except ValueError as error:
        raise BadSettings(str(error)) from None


def check_logins(settings: Settings) -> None:
    """Make sure that nobody has two tokens.

    Raises:
        BadSettings: a user stands there twice.
    """
    users = [settings.user, *(login.user for login in settings.logins)]
    for user in users:
        if users.count(user) > 1:
            raise BadSettings(f'The user "{user}" is given two logins; give it one.')


def _main_login(settings: Settings, server: str) -> Login:
    token = settings.token or token_of(settings.world.seed, server)
    return Login(settings.user, tuple(ALL_ACLS), token)


def _more_logins(settings: Settings, server: str) -> list[Login]:
    seed = settings.world.seed
    return [
        login._replace(token=login.token or token_of(seed, server, login.user))
        for login in settings.logins
    ]
