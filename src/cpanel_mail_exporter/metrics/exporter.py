"""The exporter about itself, without a `server` label."""

import platform
from collections.abc import Mapping

from cpanel_mail_exporter.metrics.catalogue import BUILD_INFO, EXPOSITION_SIZE
from cpanel_mail_exporter.model.family import FamilySamples


def build_info(version: str) -> FamilySamples:
    """cpanel_mail_build_info."""
    return FamilySamples(BUILD_INFO, [((version, platform.python_version()), 1)])


def exposition_sizes(sizes_bytes: Mapping[tuple[str, str], int]) -> FamilySamples:
    """cpanel_mail_exposition_size_bytes.

    Args:
        sizes_bytes: of a whole answer, by format and encoding.
    """
    return FamilySamples(EXPOSITION_SIZE, list(sizes_bytes.items()))
