"""A WHM that answers from N rows made beforehand, so that answering costs as little as may be.

Understands what both programs ask: the range of send time, pages, and neither. Rows are about 730
bytes of JSON, sent at random within the last 12 hours, every third with quotes.
"""

import argparse
import bisect
import json
import re
import time
from collections.abc import Iterator
from random import Random

from aiohttp import web

QUOTED = (
    "SMTP error from remote mail server after RCPT TO:<{to}>: host mx1.example.net [192.0.2.25]: "
    '550-5.1.1 The email account "{to}" that you tried to reach does not exist'
)


def row(number: int, sent: int) -> bytes:
    to = f"reader{number}@example.net"
    fails = number % 3 == 0
    return json.dumps(
        {
            "actiontime": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(sent + 7)),
            "actionunixtime": sent + 7,
            "deliveredto": None if fails else to,
            "deliverydomain": None,
            "deliveryuser": "-remote-",
            "domain": f"shop{number % 97}.example.com",
            "email": f"shop@shop{number % 97}.example.com",
            "host": "mx1.example.net",
            "ip": "192.0.2.25",
            "message": QUOTED.format(to=to) if fails else "Accepted",
            "msgid": f"1wtYVW-{number:011d}-3Ryp",
            "recipient": to,
            "router": "dkim_lookuphost",
            "sender": f"shop@shop{number % 97}.example.com",
            "senderauth": "dovecot_login",
            "senderhost": "(client.example.org)",
            "senderip": "198.51.100.7",
            "sendunixtime": sent,
            "size": 27356 + number % 1000,
            "spamscore": 0,
            "transport": "dkim_remote_smtp",
            "transport_is_remote": 1,
            "type": "failure" if fails else "success",
            "user": f"account{number % 97}",
        }
    ).encode()


class Rows:
    def __init__(self, count: int, first: int, last: int) -> None:
        # At random, as mail comes. Sent evenly, every slice would hold equally many, and the same
        # number met again and again looks like a silent cap, which the exporter looks into.
        moments = Random(count)
        self.sent = sorted(moments.randrange(first, last) for _ in range(count))
        self.rows = [row(number, sent) for number, sent in enumerate(self.sent)]

    def answer(self, query: dict[str, str]) -> Iterator[bytes]:
        low, high = 0, len(self.rows)
        for name in "ab":
            if query.get(f"api.filter.{name}.field") != "sendunixtime":
                continue
            bound = int(query[f"api.filter.{name}.arg0"])
            match query[f"api.filter.{name}.type"]:
                case "gt":
                    low = max(low, bisect.bisect_right(self.sent, bound))
                case "lt":
                    high = min(high, bisect.bisect_left(self.sent, bound))
                case other:
                    raise ValueError(other)
        if query.get("api.chunk.enable") == "1":
            low = low + int(query["api.chunk.start"]) - 1
            high = min(high, low + int(query["api.chunk.size"]))
        yield b'{"data": {"records": ['
        for start in range(low, high, 1000):
            comma = b"," if start > low else b""
            yield comma + b",".join(self.rows[start : min(start + 1000, high)])
        yield b']}, "metadata": {"command": "emailtrack_search", "reason": "OK", "result": 1}}'

    def totals(self, query: dict[str, str]) -> dict[str, object]:
        """Rows sent in a range, both ends included."""
        start, end = int(query["starttime"]), int(query["endtime"])
        low, high = bisect.bisect_left(self.sent, start), bisect.bisect_right(self.sent, end)
        failures = (high + 2) // 3 - (low + 2) // 3
        count = high - low
        record = {
            "SENDCOUNT": count,
            "SUCCESSCOUNT": count - failures,
            "FAILCOUNT": failures,
            "DEFERCOUNT": 0,
            "DEFERFAILCOUNT": failures,
            "INPROGRESSCOUNT": 0,
            "TOTALSIZE": 27356 * count,
        }
        return {"data": {"records": [record]}, "metadata": {"reason": "OK", "result": 1}}


STATS = re.sub(
    rb"\s+",
    b" ",
    b"""{"data": {"records": [{"DEFERCOUNT": 0, "DEFERFAILCOUNT": 0, "DOMAIN": "example.com",
    "FAILCOUNT": 0, "OWNER": "root", "PRIMARY_DOMAIN": "example.com", "REACHED_MAXDEFERFAIL": 0,
    "REACHED_MAXEMAILS": 0, "SENDCOUNT": 31, "SUCCESSCOUNT": 34, "TOTALSIZE": 85689191,
    "USER": "user1"}]}, "metadata": {"reason": "OK", "result": 1, "version": 1}}""",
)


def application(rows: Rows) -> web.Application:
    begun: list[float] = []

    async def first_request(_: web.Request) -> web.Response:
        """When the first request since the last such question came, on the monotonic clock."""
        answer = web.json_response(begun[0] if begun else None)
        begun.clear()
        return answer

    async def search(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        for part in rows.answer(dict(request.query)):
            await answer.write(part)
        return answer

    async def user_stats(_: web.Request) -> web.Response:
        begun.append(time.monotonic())
        return web.Response(body=STATS, content_type="application/json")

    async def totals(request: web.Request) -> web.Response:
        return web.json_response(rows.totals(dict(request.query)))

    app = web.Application()
    app.router.add_get("/json-api/emailtrack_search", search)
    app.router.add_get("/json-api/emailtrack_user_stats", user_stats)
    app.router.add_get("/json-api/emailtrack_stats", totals)
    app.router.add_get("/first-request", first_request)
    return app


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    now = int(time.time())
    rows = Rows(options.rows, now - 12 * 3600, now - 10)
    web.run_app(application(rows), host="127.0.0.1", port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
