"""How each server is doing, as the web side shows it to people and to service discovery."""

from cpanel_mail_exporter.config.settings import ServerSettings
from cpanel_mail_exporter.model.outcome import DELIVERY_EVENTS
from cpanel_mail_exporter.publishing.server_board import ServerBoard
from cpanel_mail_exporter.publishing.words import collector_state, server_state
from cpanel_mail_exporter.web.ports import Health, ServerView


def view(
    server: ServerSettings, board: ServerBoard, next_poll_unix: float | None, now_unix: float
) -> ServerView:
    """One server's state at *now_unix*."""
    history = board.history
    pasts = history.collectors
    successes = [p.last_success.ended_unix for p in pasts.values() if p.last_success is not None]
    return ServerView(
        name=server.name,
        endpoint_authority=server.endpoint.authority,
        labels=server.labels,
        was_polled=history.last_poll_unix is not None,
        state=server_state(history, now_unix),
        last_success_unix=max(successes, default=None),
        next_poll_unix=next_poll_unix,
        collectors=tuple(
            (
                name,
                collector_state(
                    past, now_unix, board.deliveries if name == DELIVERY_EVENTS else None
                ),
            )
            for name, past in pasts.items()
        ),
        health=_health(board),
    )


def _health(board: ServerBoard) -> Health:
    history = board.history
    if history.is_up is None:
        return Health.WAITING
    if not history.is_up:
        return Health.FAILING
    pasts = history.collectors.values()
    is_whole = not history.errors and all(
        past.last is not None and not past.last.slices_incomplete for past in pasts
    )
    return Health.GOOD if is_whole else Health.INCOMPLETE
