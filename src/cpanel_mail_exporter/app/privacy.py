"""Settings -> how labels of `email_logs` are masked, with the key that is kept for it."""

from cpanel_mail_exporter.app.start_warnings import warn_of_passing_key
from cpanel_mail_exporter.config.problems import ConfigError, Place, Problem
from cpanel_mail_exporter.config.settings import Settings
from cpanel_mail_exporter.exposition.log_privacy import LabelMask, domains_only, hashed
from cpanel_mail_exporter.storage.key_file import KeyNotKept, KeyRefused, kept_key, random_key


def open_mask(settings: Settings) -> LabelMask | None:
    """The mask, None where nothing is masked. All servers share it, and so their hashes.

    Raises:
        ConfigError: the key that is kept can't be used, or none can be kept where that was asked
            for.
    """
    logs, storage = settings.email_logs, settings.storage
    if logs.window is None or logs.privacy == "full":
        return None
    if logs.privacy == "domain":
        return domains_only()
    place = Place(storage.given_at or "storage")
    try:
        return hashed(kept_key(storage.path))
    except KeyRefused as error:
        raise ConfigError([Problem(place, str(error))]) from error
    except KeyNotKept as error:
        if storage.given_at is not None:
            sentence = f"{error}; give the exporter's user a folder it may write to"
            raise ConfigError([Problem(place, sentence)]) from error
        warn_of_passing_key(str(error))
        return hashed(random_key())
