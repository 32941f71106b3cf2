"""The plain program to compare with: json and prometheus_client, the obvious way.

One answer for the whole window, `json.loads`, one gauge for each delivery record, rendered at each
scrape. It polls once at start, and again for each line on standard input; it prints `ready` then.
"""

import argparse
import json
import sys
import time
import urllib.request

from prometheus_client import CollectorRegistry, Gauge, start_http_server

LABELS = {
    "actionunixtime": "actionunixtime",
    "delivered_to": "deliveredto",
    "delivery_domain": "deliverydomain",
    "delivery_user": "deliveryuser",
    "domain": "domain",
    "host": "host",
    "ip": "ip",
    "message": "message",
    "msg_id": "msgid",
    "recipient": "recipient",
    "router": "router",
    "sender": "sender",
    "sender_auth": "senderauth",
    "sender_host": "senderhost",
    "sender_ip": "senderip",
    "sendunixtime": "sendunixtime",
    "size": "size",
    "time": "actiontime",
    "transport": "transport",
    "transport_is_remote": "transport_is_remote",
    "type": "type",
    "user": "user",
}
STATS = {
    "send_count": "SENDCOUNT",
    "success_count": "SUCCESSCOUNT",
    "fail_count": "FAILCOUNT",
    "defer_count": "DEFERCOUNT",
    "defer_fail_count": "DEFERFAILCOUNT",
    "total_size": "TOTALSIZE",
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    registry = CollectorRegistry()
    logs = Gauge("email_logs", "Delivery records.", list(LABELS), registry=registry)
    stats = Gauge("email_user_stats", "Sums.", ["domain", "user", "stat_type"], registry=registry)

    def ask(function: str, query: str) -> list[dict[str, object]]:
        request = urllib.request.Request(
            f"{options.endpoint}/json-api/{function}?{query}",
            headers={"Authorization": "whm root:TOKEN"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())["data"]["records"]

    def poll() -> None:
        now = int(time.time())
        window = f"api.version=1&starttime={now - 86400}&endtime={now}"
        stats.clear()
        for record in ask("emailtrack_user_stats", window):
            for label, key in STATS.items():
                stats.labels(record["DOMAIN"], record["USER"], label).set(record[key])
        query = (
            "api.version=1&api.filter.enable=1"
            f"&api.filter.a.field=sendunixtime&api.filter.a.arg0={now - 86400}"
            f"&api.filter.a.type=gt&api.filter.b.field=sendunixtime&api.filter.b.arg0={now + 1}"
            "&api.filter.b.type=lt&success=1&failure=1&defer=1&max_results_by_type=0"
        )
        records = ask("emailtrack_search", query)
        logs.clear()
        for record in records:
            values = (record.get(field) for field in LABELS.values())
            logs.labels(*("" if value is None else str(value) for value in values)).set(1)

    start_http_server(options.port, addr="127.0.0.1", registry=registry)
    poll()
    print("ready", flush=True)
    for _ in sys.stdin:
        poll()
        print("ready", flush=True)


if __name__ == "__main__":
    main()
