"""An account's last ten minutes, and what is usual for it -> a score from 0 to 1, with its parts.

A run of spam shows in two ways at once: much more mail than usual for this time, and something that
own mail doesn't have: recipients that don't exist, or hands in many networks. A mailing has the
first alone and a bad address list the second alone; so the score is the root of the product of
both, and nothing where it all goes to the same few recipients.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from cpanel_mail_exporter.spam_runs.activity import Window
from cpanel_mail_exporter.spam_runs.baseline import Baseline
from cpanel_mail_exporter.spam_runs.sketch import FEW_BITS, MANY_BITS, distinct

WINDOW_SECONDS = 600
LEAST_RECIPIENTS = 20
"""An account that tried fewer in the window isn't looked at."""
LEAST_FINAL = 20
"""Below so many final outcomes in the window there is no share of unknown recipients."""
ALARMING_SCORE = 0.6
"""From here on somebody should look."""

_LEAST_USUAL_RECIPIENTS = 30.0
_SURE = 2.0
_USUAL_UNKNOWN, _USUAL_UNKNOWN_WEIGHT = 0.03, 100
_TRUSTED_FINAL, _DISTRUST = 200, 0.08
_USUAL_NETWORKS, _NETWORKS_OF_A_STRANGER = 2.0, 10.0
_USUAL_ADDRESSES, _ADDRESSES_OF_A_STRANGER = 5.0, 20.0
_WEIGHT_OF_ADDRESSES = 0.3


class Parts(NamedTuple):
    """What the score is made of, each from 0 (nothing) to 1 (as much as it takes).

    Attributes:
        rate: more recipients than usual for this time.
        unknown_recipients: more of them don't exist than usual.
        networks: mail was handed in from more networks than usual.
        sending_addresses: it has more senders than usual.
        unique_recipients: it goes to different recipients.
    """

    rate: float
    unknown_recipients: float
    networks: float
    sending_addresses: float
    unique_recipients: float

    @property
    def score(self) -> float:
        """Mail that is too much and foreign.

        Sending addresses alone can't make it alarming: some newsletters have one for each
        recipient.
        """
        own = (1 - self.unknown_recipients) * (1 - self.networks)
        foreign = 1 - own * (1 - _WEIGHT_OF_ADDRESSES * self.sending_addresses)
        return self.unique_recipients * math.sqrt(self.rate * foreign)


@dataclass(frozen=True, slots=True)
class Signals:
    """What one account did in the last ten minutes, and what that looks like.

    Attributes:
        user: the account.
        recipients: tried for the first time.
        usual_recipients: a high but not unusual number of these for this time.
        unknown_recipient_ratio: those that don't exist out of all final outcomes, None below
            LEAST_FINAL of these.
        unique_recipients: different addresses among all recipients, about.
        networks: different networks (/24, /48) that mail was handed in from.
        sending_addresses: different senders.
        parts: of the score.
        score: from 0 to 1.
    """

    user: str
    recipients: int
    usual_recipients: float
    unknown_recipient_ratio: float | None
    unique_recipients: int
    networks: int
    sending_addresses: int
    parts: Parts
    score: float


def signals(user: str, lately: Window, usual: Baseline) -> Signals | None:
    """What the account looks like; None if it sent less than LEAST_RECIPIENTS."""
    if lately.tried < LEAST_RECIPIENTS:
        return None
    recipients = distinct(lately.recipients, MANY_BITS)
    networks = distinct(lately.networks, FEW_BITS)
    addresses = distinct(lately.addresses, FEW_BITS)
    expected = max(usual.recipients, _LEAST_USUAL_RECIPIENTS)
    parts = Parts(
        rate=_rate(lately.tried, expected),
        unknown_recipients=_unknown(lately, usual),
        networks=_more(networks, usual.networks, _USUAL_NETWORKS, _NETWORKS_OF_A_STRANGER, usual),
        sending_addresses=_more(
            addresses, usual.addresses, _USUAL_ADDRESSES, _ADDRESSES_OF_A_STRANGER, usual
        ),
        unique_recipients=_ramp(recipients, 10, 20),
    )
    return Signals(
        user=user,
        recipients=round(lately.tried),
        usual_recipients=expected,
        unknown_recipient_ratio=(
            lately.unknown / lately.final if lately.final >= LEAST_FINAL else None
        ),
        unique_recipients=recipients,
        networks=networks,
        sending_addresses=addresses,
        parts=parts,
        score=parts.score,
    )


def _rate(tried: float, expected: float) -> float:
    """From 1.2 times what is expected to 3 times, and by more than chance makes it.

    Roots of Poisson counts have the same spread whatever their mean (F. J. Anscombe, 1948): twice
    their difference is a number of standard deviations.
    """
    times = _ramp(math.log(tried / expected), math.log(1.2), math.log(3))
    deviations = 2 * (math.sqrt(tried) - math.sqrt(expected))
    return min(times, _ramp(deviations, 2, 5))


def _unknown(lately: Window, usual: Baseline) -> float:
    """The share that is sure, from 2 to 10 percentage points above the account's own.

    Large receivers and sending services act at 5 to 10 %. An account with few outcomes in its past
    has to be 8 points further away, the fewer the more.
    """
    if lately.final < LEAST_FINAL:
        return 0.0
    own = (usual.unknown + _USUAL_UNKNOWN * _USUAL_UNKNOWN_WEIGHT) / (
        usual.final + _USUAL_UNKNOWN_WEIGHT
    )
    distrust = _DISTRUST * (1 - min(1.0, usual.final / _TRUSTED_FINAL))
    return _ramp(_at_least(lately.unknown, lately.final) - own - distrust, 0.02, 0.1)


def _at_least(found: float, count: float) -> float:
    """Lower end of the interval of a share (E. B. Wilson, 1927), at two standard deviations.

    >>> round(_at_least(18, 100), 3)
    0.116
    """
    share, square = found / count, _SURE * _SURE
    middle = share + square / (2 * count)
    half = _SURE * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    return (middle - half) / (1 + square / count)


def _more(found: int, own: float, least: float, of_a_stranger: float, usual: Baseline) -> float:
    """From one and a half times as many as usual, and 2, to three times as many, and 4."""
    stranger = least + (of_a_stranger - least) * (1 - usual.experience)
    expected = max(own, stranger)
    return _ramp(found, 1.5 * expected + 2, 3 * expected + 4)


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))
