"""Prometheus finds every server by /sd, at an address no client can forge."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.web.discovery import own_address, target_groups
from cpanel_mail_exporter.web.ports import Health, ServerView


@pytest.mark.parametrize(
    "host",
    [
        "exporter.example.com",
        "exporter.example.com:9197",
        "exporter-1_a:1",
        "192.0.2.7:65535",
        "[2001:db8::1]:9197",
        "[::ffff:192.0.2.1]",
    ],
)
def test_a_host_header_is_repeated(host: str) -> None:
    assert own_address([host], "fallback:1") == host


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        ["a.example.com", "b.example.com"],
        [""],
        ["a b"],
        ["a.example.com/path"],
        ["user@a.example.com"],
        ["a.example.com:"],
        ["a.example.com:0"],
        ["a.example.com:65536"],
        ["a.example.com:\u0661"],
        ["a.example.com\n"],
        ["[2001:db8::1"],
        ["2001:db8::1"],
        ["-a.example.com"],
        ["\u00e4.example.com"],
        ["a" * 254],
        ["a.example.com,b.example.com"],
        ['"><script>'],
    ],
)
def test_anything_but_one_host_and_port_is_not_repeated(hosts: list[str]) -> None:
    assert own_address(hosts, "fallback:1") == "fallback:1"


@given(st.text())
def test_what_is_repeated_has_no_character_that_could_do_harm(host: str) -> None:
    assert not set(own_address([host], "f:1")) - set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:[]"
    )


def test_each_server_is_one_group_with_its_labels_plain_and_for_relabelling() -> None:
    views = [
        ServerView(
            name="web1",
            endpoint_authority="web1.example.com:2087",
            labels=(("region", "eu"), ("tier", 'go"ld')),
            was_polled=True,
            state="good",
            last_success_unix=None,
            next_poll_unix=None,
            collectors=(),
            health=Health.GOOD,
        ),
        ServerView(
            name="web 2/\u00fc",
            endpoint_authority="[2001:db8::1]:2087",
            labels=(),
            was_polled=False,
            state="waiting",
            last_success_unix=None,
            next_poll_unix=None,
            collectors=(),
            health=Health.WAITING,
        ),
    ]
    assert json.loads(target_groups(views, "exporter.example.com:9197", "https")) == [
        {
            "targets": ["exporter.example.com:9197"],
            "labels": {
                "region": "eu",
                "tier": 'go"ld',
                "__meta_cpanel_mail_label_region": "eu",
                "__meta_cpanel_mail_label_tier": 'go"ld',
                "__metrics_path__": "/probe",
                "__param_target": "web1",
                "__scheme__": "https",
                "instance": "web1",
                "__meta_cpanel_mail_server": "web1",
                "__meta_cpanel_mail_endpoint": "web1.example.com:2087",
            },
        },
        {
            "targets": ["exporter.example.com:9197"],
            "labels": {
                "__metrics_path__": "/probe",
                "__param_target": "web 2/\u00fc",
                "__scheme__": "https",
                "instance": "web 2/\u00fc",
                "__meta_cpanel_mail_server": "web 2/\u00fc",
                "__meta_cpanel_mail_endpoint": "[2001:db8::1]:2087",
            },
        },
    ]


def test_without_servers_the_list_is_empty() -> None:
    assert target_groups([], "a:1", "http") == b"[]"
