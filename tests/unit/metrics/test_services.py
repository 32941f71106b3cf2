"""Services that matter to mail are 1, 0 or absent; a server's name and version are one sample."""

import pytest

from cpanel_mail_exporter.metrics.services import server_info, services
from cpanel_mail_exporter.model.family import Sample
from cpanel_mail_exporter.model.services import ServerInfo, Service


def running(*found: Service) -> tuple[str, list[Sample]]:
    (part,) = services(found)
    return part.family.name, list(part.samples)


def test_what_runs_is_1_what_doesn_t_is_0_and_what_isn_t_known_is_absent() -> None:
    name = "cpanel_mail_service_running"
    exim, tailwatchd = Service("exim", is_running=True), Service("tailwatchd", is_running=False)
    assert running(tailwatchd, exim) == (name, [(("exim",), 1), (("tailwatchd",), 0)])
    assert running(exim, Service("tailwatchd", is_running=None)) == (name, [(("exim",), 1)])
    assert running() == (name, [])


def test_other_services_are_passed_over() -> None:
    others = (Service("imap", is_running=True), Service("exim-altport", is_running=False))
    assert running(*others)[1] == []


@pytest.mark.parametrize(
    ("told", "value"),
    [((True, False), 0), ((False, True), 0), ((True, None), 1), ((None, False), 0)],
)
def test_a_service_told_twice_runs_only_if_nothing_says_otherwise(
    told: tuple[bool | None, bool | None], value: int
) -> None:
    assert running(*(Service("exim", is_running) for is_running in told))[1] == [(("exim",), value)]


@pytest.mark.parametrize(
    ("info", "samples"),
    [
        (ServerInfo("host1.example.com", "11.138.0.6"), [(("host1.example.com", "11.138.0.6"), 1)]),
        (ServerInfo(version="11.138.0.6"), [(("", "11.138.0.6"), 1)]),
        (ServerInfo("host1.example.com"), [(("host1.example.com", ""), 1)]),
        (ServerInfo(), []),
    ],
)
def test_a_server_is_told_with_what_is_known_of_it(info: ServerInfo, samples: list[Sample]) -> None:
    (part,) = server_info(info)
    assert part.family.labels == ("hostname", "version")
    assert (part.family.name, part.samples) == ("cpanel_mail_server_info", samples)
