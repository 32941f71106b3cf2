"""What is worked out once of an event that is new, and then counted in several ways."""

from cpanel_mail_exporter.model.reason import Reason
from cpanel_mail_exporter.model.records import DeliveryRecord

NewEvent = tuple[DeliveryRecord, int, int, int, int, str, Reason | None]
"""In this order, without names since there are so many:

1. its row;
2. the send second it is kept under;
3. the identity of its recipient in that second;
4. its action time, or else that second;
5. its kind, as in `Event`;
6. its direction, one of DIRECTIONS;
7. why it is a failure or a deferral; None for other kinds, and for deferrals that aren't counted.
"""
