"""The ledger's unexplained texts -> what of them `/debug/bounces` may show."""

from collections.abc import Sequence

from cpanel_mail_exporter.ledger.unclassified import Unclassified
from cpanel_mail_exporter.web.ports import UnexplainedText

HIDDEN = "hidden, since email_logs.privacy isn't full"


def shown_texts(found: Sequence[Unclassified], *, hides_people: bool) -> list[UnexplainedText]:
    """The newest first, as they came.

    Args:
        found: addresses are masked; somebody's name may still stand in a text.
        hides_people: the texts themselves stay unseen; those of one code and provider become one.
    """
    texts = [UnexplainedText(*one) for one in found]
    if not hides_people:
        return texts
    kinds: dict[tuple[str, str], UnexplainedText] = {}
    for one in texts:
        kind = one.code, one.provider
        newer = kinds.get(kind)
        kinds[kind] = UnexplainedText(
            HIDDEN,
            *kind,
            one.events + (newer.events if newer else 0),
            max(one.last_unix, newer.last_unix if newer else 0),
        )
    return list(kinds.values())
