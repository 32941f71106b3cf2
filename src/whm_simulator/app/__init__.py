"""The wiring: worlds, servers and the control endpoint, started and stopped together."""

from whm_simulator.app.settings import ANY_LOOPBACK_PORT, Server, ServerLogin, Settings
from whm_simulator.app.simulator import Simulator
from whm_simulator.web.listener import Address
from whm_simulator.web.login import Login, token_of

__all__ = [
    "ANY_LOOPBACK_PORT",
    "Address",
    "Login",
    "Server",
    "ServerLogin",
    "Settings",
    "Simulator",
    "token_of",
]
