"""A real Prometheus scrapes the real exporter, over TLS and with a password, by /sd.

The exporter polls three simulated WHM servers over real HTTPS. The queries are those of the
dashboard made for the original exporter (Grafana 22796), `instance` and `job` included.
"""

import json
import urllib.request
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import trustme

from tests.e2e.programs import (
    Prometheus,
    config_file,
    exporter,
    prometheus,
    scrape,
    simulated_servers,
    wait_for,
)

pytestmark = pytest.mark.e2e
PASSWORD = "scraper:correct horse"
NAMES = ["web1", "web2", "web3"]


def web_config(folder: Path) -> tuple[Path, Path]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "exporter-ca.pem")
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(folder / "exporter.key")
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(folder / "exporter.pem", append=True)
    (folder / "exporter.key").chmod(0o600)
    user, _, password = PASSWORD.partition(":")
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
    path = folder / "web.yml"
    path.write_text(
        json.dumps(
            {
                "tls_server_config": {"cert_file": "exporter.pem", "key_file": "exporter.key"},
                "basic_auth_users": {user: hashed},
            }
        )
    )
    return path, folder / "exporter-ca.pem"


def prometheus_config(address: str, ca_file: Path) -> str:
    user, _, password = PASSWORD.partition(":")
    access = {
        "basic_auth": {"username": user, "password": password},
        "tls_config": {"ca_file": str(ca_file)},
    }
    return json.dumps(
        {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [
                {
                    "job_name": "cpanel_mail_exporter",
                    "scheme": "https",
                    "honor_labels": True,
                    "http_sd_configs": [{"url": f"https://{address}/sd", **access}],
                    **access,
                }
            ],
        }
    )


def truth(control: str, server: str, until: int, by: str) -> list[dict[str, Any]]:
    url = f"{control}/truth/totals?server={server}&until={until}&by={by}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return list(json.load(answer)["totals"])


def by_instance(found: list[dict[str, Any]]) -> dict[str, float]:
    return {row["metric"]["instance"]: float(row["value"][1]) for row in found}


def all_up(server: Prometheus) -> bool:
    return by_instance(server.query('up{job="cpanel_mail_exporter"}')) == dict.fromkeys(NAMES, 1.0)


@pytest.mark.timeout(300)
def test_the_original_dashboards_queries_give_right_answers_for_many_servers(
    tmp_path: Path,
) -> None:
    web, ca_file = web_config(tmp_path)
    with simulated_servers(tmp_path, 3, "--rate", "5", "--history", "30h") as simulator:
        config = config_file(
            tmp_path,
            simulator["servers"],
            poll_interval="2s",
            user_stats={"window": "24h"},
            email_logs={"window": "24h"},
        )
        with (
            exporter(tmp_path, "--config.file", config, "--web.config.file", web) as address,
            prometheus(tmp_path, prometheus_config(address, ca_file)) as server,
        ):
            wait_for(lambda: all_up(server), "three targets that are up")
            wait_for(
                lambda: len(server.query("count by (server) (email_logs)")) == 3,
                "email_logs of three servers",
            )
            assert server.label_values("instance", 'up{job="cpanel_mail_exporter"}') == NAMES
            for name in NAMES:
                senders = 'sender=~".*@.*"'
                chosen = f'instance="{name}"'
                for expression in (
                    f'topk(10,sum(email_logs{{{senders},type="success",{chosen}}}) by (domain))',
                    f'topk(10,sum(email_logs{{{senders},type="success",{chosen}}}) by (sender))',
                    f'topk(10,sum(email_logs{{type="failure",domain!="",{chosen}}}) by (domain))',
                    f'topk(10,sum(email_logs{{type="failure",domain!="",{chosen}}}) by (sender))',
                    f"email_user_stats{{{chosen}}}",
                ):
                    assert server.query(expression), expression

            # The same page, taken once from the exporter, is what Prometheus must hold.
            page = scrape(
                f"https://{address}/probe?target=web1", ca_file=ca_file, password=PASSWORD
            )
            lines = [line for line in page.splitlines() if line.startswith("email_logs{")]
            assert all(line.startswith('email_logs{server="web1",region="') for line in lines)
            held = float(server.query('count(email_logs{instance="web1"})')[0]["value"][1])
            # Mail goes on between the two looks; the bulk of a day can't come from that.
            assert held == pytest.approx(len(lines), rel=0.05)

            health = server.query("cpanel_mail_up")
            assert by_instance(health) == dict.fromkeys(NAMES, 1.0)
            assert {row["metric"]["region"] for row in health} == {
                f"region of {name}" for name in NAMES
            }
            targets = server.targets()
            assert {target["health"] for target in targets} == {"up"}
            assert [target["lastError"] for target in targets] == ["", "", ""]


@pytest.mark.timeout(300)
def test_a_server_that_hangs_or_fails_leaves_the_others_alone(tmp_path: Path) -> None:
    with simulated_servers(tmp_path, 3, "--rate", "2", "--history", "26h") as simulator:
        for fault in (
            {"server": "web2", "fault": "hang"},
            {"server": "web3", "fault": "403"},
        ):
            request = urllib.request.Request(
                f"{simulator['control']}/faults", json.dumps(fault).encode(), method="POST"
            )
            urllib.request.urlopen(request, timeout=10).close()
        config = config_file(
            tmp_path, simulator["servers"], poll_interval="1s", request_timeout="2s"
        )
        with exporter(tmp_path, "--config.file", config) as address:

            def settled() -> dict[str, str] | None:
                page = scrape(f"http://{address}/metrics")
                up = {
                    line.partition('server="')[2].partition('"')[0]: line.rpartition(" ")[2]
                    for line in page.splitlines()
                    if line.startswith("cpanel_mail_up{")
                }
                return up if len(up) == 3 else None

            assert wait_for(settled, "all polled") == {"web1": "1", "web2": "0", "web3": "0"}
            page = scrape(f"http://{address}/metrics")
            assert 'collector="user_stats",kind="denied"} 1\n' in page
            assert "cpanel_mail_login_retry_timestamp_seconds{" in page
            log = (tmp_path / "exporter.log").read_text()
            assert (
                log.count("web3: emailtrack_user_stats, emailtrack_stats: access denied (HTTP 403)")
                == 1
            )
            (slow,) = [line for line in log.splitlines() if "no whole answer" in line]
            assert "web2: emailtrack_user_stats, emailtrack_search" in slow
            for server in simulator["servers"]:
                assert server["token"] not in log + page


@pytest.mark.timeout(300)
def test_windows_come_back_after_a_restart(tmp_path: Path) -> None:
    with simulated_servers(tmp_path, 1, "--rate", "2", "--history", "26h") as simulator:
        config = config_file(tmp_path, simulator["servers"], email_logs={"window": "1h"})

        def first_page() -> set[str]:
            with exporter(tmp_path, "--config.file", config) as address:

                def ready() -> bool:
                    try:
                        return scrape(f"http://{address}/-/ready") != ""
                    except OSError:
                        return False

                wait_for(ready, "the first poll")
                page = wait_for(
                    lambda: (
                        page
                        if "email_logs{" in (page := scrape(f"http://{address}/metrics"))
                        else None
                    ),
                    "email_logs",
                )
                return {line for line in page.splitlines() if line.startswith("email_logs{")}

        before, after = first_page(), first_page()
        assert before
        # What left the window or was delivered meanwhile is little beside what is the same.
        assert len(before & after) > 0.8 * len(before)
