"""What the demo writes, what it shows for given metrics, and how it draws that."""

import io
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.config.flags import parse
from cpanel_mail_exporter.config.load import load
from cpanel_mail_exporter.demo.figures import (
    Figures,
    Scrape,
    ServerFigures,
    read_figures,
    without_family,
)
from cpanel_mail_exporter.demo.folder import Folder, SimulatedServer
from cpanel_mail_exporter.demo.styled import Line, Piece, Style, clipped, coloured, plain, rows
from cpanel_mail_exporter.demo.summary import Moment, Places, screen, sentence
from cpanel_mail_exporter.demo.terminal import Terminal, is_terminal
from cpanel_mail_exporter.metrics.catalogue import reserved_labels

NOW = 1_795_252_447.0
EXPOSITION = """\
# HELP email_user_stats Sums by sending user.
# TYPE email_user_stats gauge
email_user_stats{server="web2",region="us",domain="a.example",user="a",stat_type="success_count"} 7
email_user_stats{server="web2",region="us",domain="a.example",user="a",stat_type="fail_count"} 1
email_user_stats{server="web2",region="us",domain="a.example",user="a",stat_type="defer_count"} 2
email_user_stats{server="web2",region="us",domain="a.example",user="a",stat_type="total_size"} 9000
email_user_stats{server="web2",region="us",domain="b.example",user="b",stat_type="success_count"} 3
email_user_stats{server="web2",region="us",domain="b.example",user="b",stat_type="fail_count"} 0
email_user_stats{server="web2",region="us",domain="b.example",user="b",stat_type="defer_count"} 0
email_user_stats{server="web2",region="us",domain="b.example",user="b",stat_type="total_size"} 345
# HELP email_logs Always 1.
# TYPE email_logs gauge
email_logs{server="web2",region="us",message="\\n# HELP email_logs {not parsed"} 1
email_logs{server="web2",region="us",message="# HELP"} 1
# HELP cpanel_mail_up Poll.
# TYPE cpanel_mail_up gauge
cpanel_mail_up{server="web2",region="us"} 1
cpanel_mail_up{server="web3",region="ap"} 1
cpanel_mail_up{server="web4",region="eu"} 0
# HELP cpanel_mail_collector_success Poll.
# TYPE cpanel_mail_collector_success gauge
cpanel_mail_collector_success{server="web2",region="us",collector="user_stats"} 1
cpanel_mail_collector_success{server="web2",region="us",collector="email_logs"} 1
cpanel_mail_collector_success{server="web3",region="ap",collector="user_stats"} 1
cpanel_mail_collector_success{server="web3",region="ap",collector="email_logs"} 0
cpanel_mail_collector_success{server="web4",region="eu",collector="user_stats"} 0
cpanel_mail_collector_success{server="web4",region="eu",collector="email_logs"} 0
# HELP cpanel_mail_last_poll_duration_seconds Poll.
# TYPE cpanel_mail_last_poll_duration_seconds gauge
cpanel_mail_last_poll_duration_seconds{server="web2",region="us",collector="user_stats"} 0.25
cpanel_mail_last_poll_duration_seconds{server="web2",region="us",collector="email_logs"} 0.5
# HELP cpanel_mail_last_success_timestamp_seconds Poll.
# TYPE cpanel_mail_last_success_timestamp_seconds gauge
cpanel_mail_last_success_timestamp_seconds{server="web2",region="us",collector="user_stats"} 1.5
cpanel_mail_last_success_timestamp_seconds{server="web2",region="us",collector="email_logs"} 2.5
# HELP cpanel_mail_poll_interval_seconds Poll.
# TYPE cpanel_mail_poll_interval_seconds gauge
cpanel_mail_poll_interval_seconds{server="web1",region="eu"} 5
cpanel_mail_poll_interval_seconds{server="web2",region="us"} 5
cpanel_mail_poll_interval_seconds{server="web3",region="ap"} 5
cpanel_mail_poll_interval_seconds{server="web4"} 5
# HELP cpanel_mail_series Series.
# TYPE cpanel_mail_series gauge
cpanel_mail_series{server="web2",region="us",family="email_user_stats"} 8
cpanel_mail_series{server="web2",region="us",family="email_logs"} 2
cpanel_mail_series{server="web3",region="ap",family="email_user_stats"} 0
# HELP cpanel_mail_series_wanted Series.
# TYPE cpanel_mail_series_wanted gauge
cpanel_mail_series_wanted{server="web2",region="us",family="email_logs"} 12
# HELP process_open_fds Files.
# TYPE process_open_fds gauge
process_open_fds 12
"""

SCRAPE = Scrape(series=13_569, body_bytes=8_300_000, sent_bytes=897_200, seconds=0.0081)
WEB1 = ServerFigures(
    name="web1",
    region="eu",
    is_up=True,
    success=3987,
    failure=154,
    deferral=271,
    volume_bytes=4_200_000_000,
    log_series=4407,
    log_series_wanted=4407,
    poll_seconds=0.258,
    last_success_unix=NOW - 4,
)
DOWN = ServerFigures(
    "web2", "us", is_up=False, poll_seconds=30.0, last_success_unix=NOW - 754, failing_collectors=2
)
WAITING = ServerFigures("web3", "ap")
PLACES = Places(
    (
        ("Status", "http://127.0.0.1:9197/"),
        ("Metrics", "curl -s http://127.0.0.1:9197/metrics | grep ^email_user_stats"),
        ("Graph", "http://127.0.0.1:38369/graph?g0.expr=sum(email_logs)by(type)&g0.tab=0"),
    )
)


def moment(*servers: ServerFigures, trouble: str = "") -> Moment:
    return Moment(NOW, 75.0, Figures(servers, SCRAPE), trouble)


def text(lines: Iterable[Line]) -> str:
    return "\n".join(plain(line).rstrip() for line in lines)


def test_figures_tell_unknown_from_zero_and_count_every_user() -> None:
    body = EXPOSITION.encode()
    assert read_figures(body, sent_bytes=99, seconds=0.5) == Figures(
        (
            ServerFigures("web1", "eu"),
            ServerFigures(
                "web2",
                "us",
                is_up=True,
                success=10,
                failure=1,
                deferral=2,
                volume_bytes=9345,
                log_series=2,
                log_series_wanted=12,
                poll_seconds=0.75,
                last_success_unix=2.5,
            ),
            ServerFigures(
                "web3",
                "ap",
                is_up=True,
                failing_collectors=1,
                success=0,
                failure=0,
                deferral=0,
                volume_bytes=0,
            ),
            ServerFigures("web4", "", is_up=False, failing_collectors=2),
        ),
        Scrape(series=32, body_bytes=len(body), sent_bytes=99, seconds=0.5),
    )


@pytest.mark.parametrize(
    ("body", "rest"),
    [
        (
            b"# HELP a x\na 1\n# HELP b y\nb 1\n# HELP c z\nc 1\n",
            b"# HELP a x\na 1\n# HELP c z\nc 1\n",
        ),
        (b"# HELP a x\na 1\n# HELP b y\nb 1\n", b"# HELP a x\na 1\n"),
        (b"# HELP b y\nb 1\n", b""),
        (b"# HELP bb y\nbb 1\n", b"# HELP bb y\nbb 1\n"),
        (b"", b""),
    ],
)
def test_one_family_is_cut_out_and_nothing_else(body: bytes, rest: bytes) -> None:
    assert without_family(body, "b") == rest


def test_what_is_no_exposition_is_refused() -> None:
    with pytest.raises(ValueError, match="html"):
        read_figures(b"<html>\n", sent_bytes=0, seconds=0)


def test_the_screen_of_an_ordinary_terminal() -> None:
    partly = replace(WEB1, name="web4", failing_collectors=1, log_series_wanted=9000)
    lines = screen(PLACES, moment(WEB1, DOWN, WAITING, partly), 80, 24)
    assert (
        text(lines)
        == """\
 cpanel-mail-exporter demo                                           1 min 15 s

 Status   http://127.0.0.1:9197/
 Metrics  curl -s http://127.0.0.1:9197/metrics | grep ^email_user_stats
 Graph    http://127.0.0.1:38369/graph?g0.expr=sum(email_logs)by(type)&g0.tab=0

 Server   State      Success   Failure  Deferral      email_logs  Last success
 web1     up           3,987       154       271           4,407       4 s ago
 web2     down             -         -         -               -    12 min ago
 web3     waiting          -         -         -               -             -
 web4     partly       3,987       154       271  4,407 of 9,000       4 s ago
 Total    2 of 4     >=7,974     >=308     >=542         >=8,814

 /metrics: 13,569 series, 8.3 MB, 897.2 kB as gzip in 8 ms
 Ctrl-C ends it all. Messages are of today. Fault none mends what 500 broke."""
    )


def test_a_wide_screen_shows_every_column_and_what_a_bound_cut() -> None:
    cut = replace(WEB1, name="web2", log_series_wanted=9000)
    lines = screen(PLACES, moment(WEB1, cut), 125, 40)
    assert text(lines[6:10]) == (
        " Server    Region   State       Success    Failure   Deferral      Volume"
        "       email_logs      Poll   Last success\n"
        " web1      eu       up            3,987        154        271      4.2 GB"
        "            4,407    0.26 s        4 s ago\n"
        " web2      eu       up            3,987        154        271      4.2 GB"
        "   4,407 of 9,000    0.26 s        4 s ago\n"
        " Total              2 of 2        7,974        308        542            "
        "            8,814"
    )


def test_trouble_stands_beside_the_older_figures() -> None:
    lines = screen(PLACES, moment(WEB1, trouble="The exporter is silent"), 80, 24)
    assert lines[-2] == (Piece(" The exporter is silent.", Style.BAD),)
    assert "3,987" in text(lines)


def test_before_the_first_answer_there_is_no_table() -> None:
    lines = screen(PLACES, Moment(NOW, 0.0, None), 80, 24)
    assert (
        text(lines[-3:])
        == """\

 Waiting for the exporter's first answer.
 Ctrl-C ends it all. Messages are of today. Fault none mends what 500 broke."""
    )
    assert len(lines) == 9


def test_of_many_servers_those_that_are_not_well_are_shown_first() -> None:
    well = [replace(WEB1, name=f"web{number}") for number in range(10, 40)]
    lines = screen(PLACES, moment(*well[:15], DOWN, *well[15:], WAITING), 80, 18)
    assert (
        text(lines[6:-3])
        == """\
 Server   State       Success   Failure  Deferral  email_logs  Last success
 web2     down              -         -         -           -    12 min ago
 web3     waiting           -         -         -           -             -
 web10    up            3,987       154       271       4,407       4 s ago
 web11    up            3,987       154       271       4,407       4 s ago
 web12    up            3,987       154       271       4,407       4 s ago
 web13    up            3,987       154       271       4,407       4 s ago
 and 26 more, all up
 Total    30 of 32  >=119,610   >=4,620   >=8,130   >=132,210"""
    )


def test_servers_left_out_that_are_not_well_are_not_called_up() -> None:
    lines = screen(PLACES, moment(*[replace(DOWN, name=f"web{n}") for n in range(30)]), 80, 24)
    assert " and 18 more" in text(lines).splitlines()


def test_on_a_low_screen_blank_lines_go_before_links_and_links_before_servers() -> None:
    three = moment(WEB1, replace(WEB1, name="web2"), replace(WEB1, name="web3"))
    assert [len(screen(PLACES, three, 80, height)) for height in (14, 13, 11, 10, 9, 8, 5)] == [
        14, 11, 11, 10, 8, 8, 5
    ]  # fmt: skip


SERVERS = st.lists(st.sampled_from([WEB1, DOWN, WAITING]), max_size=60)


@given(SERVERS, st.integers(20, 200), st.integers(1, 70))
def test_whatever_the_size_the_screen_fits_and_only_links_are_longer_than_a_row(
    servers: list[ServerFigures], columns: int, height: int
) -> None:
    lines = screen(PLACES, moment(*servers), columns, height)
    assert rows(lines, columns) <= height
    links = PLACES.lines()
    assert [line for line in lines if line not in links and len(plain(line)) > columns] == []


def test_the_sentence_for_pipes_says_the_same() -> None:
    servers = (WEB1, DOWN, WAITING, replace(WEB1, name="web4", failing_collectors=1))
    assert sentence(Figures(servers, SCRAPE), NOW) == (
        "2 of 4 servers up (web2 down, web3 waiting, web4 partly); "
        "messages today: >=7,974 success, >=308 failure, >=542 deferral; "
        "email_logs: >=8,814 series; last success 4 s ago; "
        "/metrics: 13,569 series, 8.3 MB, 897.2 kB as gzip in 8 ms"
    )


def test_the_sentence_names_few_and_knows_when_nothing_succeeded() -> None:
    servers = tuple(replace(WAITING, name=f"web{number}") for number in range(1, 9))
    assert sentence(Figures(servers, SCRAPE), NOW) == (
        "0 of 8 servers up (web1 waiting, web2 waiting, web3 waiting, web4 waiting, web5 waiting, "
        "3 more); messages today: - success, - failure, - deferral; email_logs: - series; "
        "no success yet; /metrics: 13,569 series, 8.3 MB, 897.2 kB as gzip in 8 ms"
    )


def test_states_have_colours_and_plain_text_has_no_codes() -> None:
    line = (Piece("a", Style.HEAD), Piece(" b "), Piece("up", Style.GOOD), Piece("x", Style.BAD))
    assert coloured(line) == "\033[1ma\033[0m b \033[32mup\033[0m\033[1;31mx\033[0m"
    assert clipped(line, 5) == (*line[:2], Piece("u", Style.GOOD))


class Window(io.StringIO):
    """A terminal of 80x24, as one without a size counts."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("no_color", "drawn"), [("", "\033[32mup\033[0m"), ("1", "up")])
def test_a_screen_is_drawn_row_by_row_and_given_back(
    monkeypatch: pytest.MonkeyPatch, no_color: str, drawn: str
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    window = Window()
    with Terminal(window) as terminal:
        terminal.draw([(Piece("up", Style.GOOD),), (Piece("x" * 100),), ()])
    assert window.getvalue() == (
        "\033[?1049h\033[?25l"
        f"\033[1;1H\033[2K\033[1;1H{drawn}"
        f"\033[2;1H\033[2K\033[3;1H\033[2K\033[2;1H{'x' * 100}"
        "\033[4;1H\033[2K\033[4;1H"
        "\033[5;1H\033[J"
        "\033[?25h\033[?1049l"
    )


@pytest.mark.parametrize(("term", "is_one"), [("xterm", True), ("dumb", False), ("", False)])
def test_escape_codes_are_for_terminals_that_know_them(
    monkeypatch: pytest.MonkeyPatch, term: str, is_one: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    assert is_terminal(Window()) is is_one
    assert not is_terminal(io.StringIO())


def simulated(folder: Path, name: str) -> SimulatedServer:
    ca_file = folder / "ca.pem"
    return SimulatedServer(name, "https://127.0.0.1:20871", "root", f"TOKEN{name}", str(ca_file))


def test_the_exporter_config_is_whole_and_tokens_are_their_owners_alone(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write_exporter_config([simulated(tmp_path, "web1"), simulated(tmp_path, "web2")])
    assert (
        folder.exporter_config.read_text()
        == f"""\
# Written by `cpanel-mail-exporter demo`; it is removed when the demo ends.
servers:
- name: web1
  endpoint: https://127.0.0.1:20871
  user: root
  token_file: {tmp_path}/web1.token
  tls_config:
    ca_file: {tmp_path}/ca.pem
  labels:
    region: eu
- name: web2
  endpoint: https://127.0.0.1:20871
  user: root
  token_file: {tmp_path}/web2.token
  tls_config:
    ca_file: {tmp_path}/ca.pem
  labels:
    region: us
poll_interval: 5s
email_logs:
  max_series_total: 40000
storage:
  path: {tmp_path}/ledgers
"""
    )
    assert {
        path.name: (path.read_text(), oct(path.stat().st_mode & 0o777))
        for path in tmp_path.glob("*.token")
    } == {"web1.token": ("TOKENweb1\n", "0o600"), "web2.token": ("TOKENweb2\n", "0o600")}


def test_the_exporter_takes_the_config_wherever_the_folder_lies(tmp_path: Path) -> None:
    odd = tmp_path / 'a: "b" # ü'
    odd.mkdir()
    folder = Folder(odd)
    server = replace(simulated(odd, "web1"), ca_file="")
    folder.write_exporter_config([server])
    config = folder.exporter_config
    config.write_text(config.read_text().replace("  tls_config:\n    ca_file: ''\n", ""))
    settings = load(
        parse(["--config.file", str(config)], {}), {}, reserved_labels=reserved_labels()
    )
    assert [s.token.value.reveal() for s in settings.servers] == ["TOKENweb1"]
    assert settings.poll_interval_seconds == 5
    assert settings.warnings == ()


def test_the_ready_file_is_read_and_its_tokens_are_not_left_lying(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    server = simulated(tmp_path, "web1")
    fields = {name: getattr(server, name) for name in server.__slots__}
    control = "http://127.0.0.1:20000"
    folder.ready_file.write_text(json.dumps({"servers": [fields], "control": control}))
    simulation = folder.read_ready_file()
    assert (simulation.servers, simulation.control) == ([server], control)
    assert "TOKEN" not in repr(simulation)
    assert list(tmp_path.iterdir()) == []


def test_prometheus_scrapes_every_server_by_discovery_and_itself(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write_prometheus_config("http://127.0.0.1:9197", "127.0.0.1:9090")
    assert (
        folder.prometheus_config.read_text()
        == """\
# Written by `cpanel-mail-exporter demo`; it is removed when the demo ends.
global:
  scrape_interval: 5s
  scrape_timeout: 5s
scrape_configs:
- job_name: cpanel_mail_exporter
  honor_labels: true
  http_sd_configs:
  - url: http://127.0.0.1:9197/sd
    refresh_interval: 10s
- job_name: prometheus
  static_configs:
  - targets:
    - 127.0.0.1:9090
"""
    )
