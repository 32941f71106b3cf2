"""The errors that the command shows to its user."""


class SimulatorError(Exception):
    """The simulator can't start; the text says why and what to do, in one sentence."""


class BadSettings(SimulatorError):
    """What it was told contradicts itself, or names what isn't there."""
