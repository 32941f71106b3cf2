"""Every example in a docstring gives what it says."""

import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest

import cpanel_mail_exporter
import whm_simulator


def modules() -> list[str]:
    return [
        found.name
        for package in (cpanel_mail_exporter, whm_simulator)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not found.name.endswith("__main__")
    ]


@pytest.mark.parametrize("name", modules())
def test_examples_are_true(name: str) -> None:
    module: ModuleType = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0
