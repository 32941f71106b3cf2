"""What works but should be mended, said once at start."""

import logging
from ipaddress import ip_address

from cpanel_mail_exporter.config.settings import Settings
from cpanel_mail_exporter.exposition.log_privacy import SAYS_WHO

logger = logging.getLogger(__name__)


def warn(settings: Settings) -> None:
    """Say what is unsafe about how servers are asked."""
    for warning in settings.warnings:
        logger.warning("%s", warning)
    if settings.token_on_command_line:
        logger.warning(
            "the token was given on the command line, where process lists show it; "
            "use --apikey-file or CPANEL_MAIL_APIKEY"
        )
    for server in settings.servers:
        if server.tls.insecure_skip_verify:
            logger.warning(
                "%s: its certificate is not checked, so the token can be stolen on the way; "
                "use a ca_file instead",
                server.name,
            )
        if server.endpoint.scheme == "http":
            logger.warning("%s: asked without TLS, the token can be read on the way", server.name)


def warn_of_open_port(settings: Settings) -> None:
    """Say that anyone can read customers' addresses, if that is so."""
    is_open = not _is_loopback(settings.web.host) and not settings.web.basic_auth_users
    logs = settings.email_logs
    shows_people = logs.privacy == "full" and not SAYS_WHO.isdisjoint(logs.labels)
    if is_open and logs.window is not None and shows_people:
        logger.warning(
            "listening on %s without basic auth: customers' addresses in email_logs can be read "
            "by anyone who reaches the port; use --web.config.file, or listen on 127.0.0.1",
            settings.web.host or "all addresses",
        )


def warn_of_memory(why: str) -> None:
    """Say what it means that nothing is kept on disk.

    Args:
        why: why it isn't, a sentence that ends without a full stop.
    """
    logger.warning(
        "%s; until then what is counted is kept in memory alone: after each start counters begin "
        "at 0, and what happens while the exporter is down is never counted",
        why,
    )


def warn_of_passing_key(why: str) -> None:
    """Say what it means that the key of hashes isn't kept.

    Args:
        why: why it isn't, a sentence that ends without a full stop.
    """
    logger.warning(
        "%s; until then each start makes a new key, and hashes in email_logs become other ones; "
        "give the exporter's user a storage.path it may write to",
        why,
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
