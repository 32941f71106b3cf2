"""The exporter about itself, without a `server` label."""

import platform

from cpanel_mail_exporter.metrics.catalogue import BUILD_INFO
from cpanel_mail_exporter.model.family import FamilySamples


def build_info(version: str) -> FamilySamples:
    """cpanel_mail_build_info."""
    return FamilySamples(BUILD_INFO, [((version, platform.python_version()), 1)])
