"""Durations and windows, as Prometheus and the configuration write them."""

from typing import Any

import pytest

from cpanel_mail_exporter.config.durations import format_duration, parse_duration, parse_window
from cpanel_mail_exporter.model.window import Rolling, Today


@pytest.mark.parametrize(
    ("text", "seconds", "shortest"),
    [
        ("0", 0, "0s"),
        ("0s", 0, "0s"),
        ("500ms", 0.5, "500ms"),
        ("1500ms", 1.5, "1s500ms"),
        ("90s", 90, "1m30s"),
        ("1h30m", 5400, "1h30m"),
        ("05m", 300, "5m"),
        ("1d", 86400, "1d"),
        ("8d", 8 * 86400, "8d"),
        ("1w", 7 * 86400, "1w"),
        ("1y", 365 * 86400, "1y"),
        ("1y2w3d4h5m6s7ms", 365 * 86400 + 17 * 86400 + 4 * 3600 + 306.007, "382d4h5m6s7ms"),
        ("292y", 292 * 365 * 86400, "292y"),
    ],
)
def test_durations_are_read_and_written_as_prometheus_does(
    text: str, seconds: float, shortest: str
) -> None:
    assert parse_duration(text) == seconds
    assert format_duration(seconds) == shortest


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1",
        "00",
        "s",
        "1x",
        "-1s",
        "+1s",
        "1.5h",
        "30m1h",
        "1s1s",
        "1m 30s",
        "1S",
        "1s\n",
        "٣s",
    ],
)
def test_what_prometheus_refuses_is_no_duration(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"isn't a duration; write one such as 90s, 1h30m or 500ms$"
    ):
        parse_duration(text)


@pytest.mark.parametrize("text", ["293y", "999999999999999999y"])
def test_a_duration_longer_than_292_years_is_too_long(text: str) -> None:
    with pytest.raises(ValueError, match=f"^'{text}' is too long; the longest duration is 292y$"):
        parse_duration(text)


def test_a_long_wrong_text_is_not_repeated_whole() -> None:
    with pytest.raises(ValueError, match=r"isn't a duration") as caught:
        parse_duration("9" * 100_000 + "s")
    assert len(str(caught.value)) < 200


def test_a_negative_duration_is_not_written() -> None:
    with pytest.raises(ValueError, match=r"^a duration can't be negative$"):
        format_duration(-1)


@pytest.mark.parametrize(
    ("text", "window"),
    [("today", Today()), ("off", None), ("1s", Rolling(1)), ("1d", Rolling(86400))],
)
def test_a_window_is_today_a_duration_or_off(text: str, window: Any) -> None:
    assert parse_window(text) == window


@pytest.mark.parametrize("text", ["", "yesterday", "0", "0s", "999ms", "1500ms", "24"])
def test_a_window_has_whole_seconds_from_one_up(text: str) -> None:
    with pytest.raises(ValueError, match=f"^'{text}' (isn't a|is no) window; "):
        parse_window(text)
