"""Only right passwords get in, nobody learns who exists, and guessing delays nobody else.

Work is counted by calls of the check, never by time.
"""

import asyncio
import base64
import threading
from collections.abc import AsyncIterator, Callable

import bcrypt
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.model.secret import Secret
from cpanel_mail_exporter.web import basic_auth
from cpanel_mail_exporter.web.basic_auth import BasicAuth, Verdict, matches

CLIENT = "192.0.2.1"


def hashed(password: bytes, cost: int = 4) -> Secret:
    return Secret(bcrypt.hashpw(password[:72], bcrypt.gensalt(cost)).decode())


def header(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Check:
    """The real check, counted, and held back while `gate` is closed."""

    def __init__(self) -> None:
        self.calls: list[tuple[bytes, bytes]] = []
        self.threads: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, password: bytes, against: bytes) -> bool:
        self.calls.append((password, against))
        self.threads.add(threading.get_ident())
        assert self.gate.wait(30)
        return matches(password, against)


Make = Callable[..., BasicAuth]


@pytest.fixture
def check() -> Check:
    return Check()


@pytest_asyncio.fixture
async def make(check: Check) -> AsyncIterator[Make]:
    made: list[BasicAuth] = []

    def build(users: dict[str, Secret], **limits: int) -> BasicAuth:
        made.append(BasicAuth(users, check=check, **limits))
        return made[-1]

    yield build
    check.gate.set()
    for auth in made:
        auth.close()


async def waiting(check: Check, calls: int) -> None:
    async with asyncio.timeout(30):
        while True:
            if len(check.calls) >= calls:
                return
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    "password", ["secret", "", "p\u00e4\u00df \u5bc6", ":a:b:", "a\0b", "x" * 200]
)
async def test_the_right_password_gets_in_and_a_wrong_one_does_not(
    make: Make, password: str
) -> None:
    auth = make({"\u00fcser": hashed(password.encode())})
    assert await auth.verdict(header("\u00fcser", password), CLIENT) is Verdict.ALLOWED
    assert await auth.verdict(header("\u00fcser", "!" + password), CLIENT) is Verdict.REFUSED
    assert await auth.verdict(header("user", password), CLIENT) is Verdict.REFUSED


async def test_all_prefixes_of_bcrypt_hashes_are_known(make: Make) -> None:
    plain = hashed(b"secret").reveal()
    for prefix in ("$2a$", "$2b$", "$2y$"):
        auth = make({"prom": Secret(prefix + plain[4:])})
        assert await auth.verdict(header("prom", "secret"), CLIENT) is Verdict.ALLOWED


@pytest.mark.parametrize("broken", ["", "x", "$2b$99$abc", "$2b$", "$2b$x$y"])
async def test_a_broken_hash_lets_nobody_in(make: Make, broken: str) -> None:
    auth = make({"prom": Secret(broken)})
    for user in ("prom", "other"):
        for password in ("", "x", broken):
            assert await auth.verdict(header(user, password), CLIENT) is Verdict.REFUSED


@pytest.mark.parametrize(
    "malformed",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic cHJvbQ==",  # no colon
        "Basic cHJvbTpzZWNyZXQ",  # no padding
        "Bearer cHJvbTpzZWNyZXQ=",
        "cHJvbTpzZWNyZXQ=",
        "Basic \u00e4",
        "Basic \udcff",
    ],
)
async def test_a_malformed_header_is_refused_without_a_check(
    make: Make, check: Check, malformed: str | None
) -> None:
    auth = make({"prom": hashed(b"secret")})
    assert await auth.verdict(malformed, CLIENT) is Verdict.REFUSED
    assert check.calls == []


@given(st.text())
@settings(max_examples=50)
def test_any_header_gets_a_verdict(text: str) -> None:
    async def judge() -> None:
        auth = BasicAuth({"prom": hashed(b"secret")}, check=lambda *_: False)
        try:
            assert await auth.verdict(text, CLIENT) is Verdict.REFUSED
            assert await auth.verdict("Basic " + text, CLIENT) is Verdict.REFUSED
        finally:
            auth.close()

    asyncio.run(judge())


async def test_a_header_of_bytes_that_are_no_utf8_is_refused(make: Make) -> None:
    auth = make({"prom": hashed(b"secret")})
    sent = "basic " + base64.b64encode(b"\xff\xfe:\xff").decode()
    assert await auth.verdict(sent, CLIENT) is Verdict.REFUSED


async def test_a_password_is_checked_once_and_then_remembered(make: Make, check: Check) -> None:
    auth = make({"prom": hashed(b"secret")})
    for _ in range(3):
        assert await auth.verdict(header("prom", "secret"), CLIENT) is Verdict.ALLOWED
        assert await auth.verdict(header("prom", "wrong"), CLIENT) is Verdict.REFUSED
    assert [password for password, _ in check.calls] == [b"secret", b"wrong"]


async def test_an_unknown_user_costs_a_check_against_a_hash_of_the_same_cost(
    make: Make, check: Check
) -> None:
    users = {"a": hashed(b"secret", 4), "b": hashed(b"secret", 5)}
    auth = make(users)
    for number in range(20):
        sent = header(f"nobody{number}", "secret")
        assert await auth.verdict(sent, CLIENT) is Verdict.REFUSED
    used = {against for _, against in check.calls}
    assert len(check.calls) == 20
    assert not used & {secret.reveal().encode() for secret in users.values()}
    # Both costs occur, as they do among the known users; 60 bytes is a whole bcrypt hash.
    assert {against[:7] for against in used} == {b"$2b$04$", b"$2b$05$"}
    assert {len(against) for against in used} == {60}


async def test_checks_run_in_two_threads_and_never_on_the_event_loop(
    make: Make, check: Check
) -> None:
    auth = make({"prom": hashed(b"secret")}, max_waiting_of_one_client=20)
    check.gate.clear()
    tasks = [asyncio.create_task(auth.verdict(header("prom", str(n)), CLIENT)) for n in range(10)]
    await waiting(check, 2)
    check.gate.set()
    await asyncio.gather(*tasks)
    assert len(check.threads) <= 2
    assert threading.get_ident() not in check.threads


async def test_a_flood_is_bounded_and_does_not_delay_those_who_are_remembered(
    make: Make, check: Check
) -> None:
    auth = make({"prom": hashed(b"secret")}, max_waiting=6, max_waiting_of_one_client=4)
    assert await auth.verdict(header("prom", "secret"), CLIENT) is Verdict.ALLOWED
    check.gate.clear()
    tasks = [
        asyncio.create_task(auth.verdict(header("prom", f"guess{n}"), f"198.51.100.{n // 50}"))
        for n in range(150)
    ]
    await waiting(check, 3)
    # The gate is closed: whatever needs a check waits, and this doesn't.
    assert await auth.verdict(header("prom", "secret"), CLIENT) is Verdict.ALLOWED
    assert await auth.verdict(header("prom", "another"), CLIENT) is Verdict.BUSY
    check.gate.set()
    verdicts = await asyncio.gather(*tasks)
    assert verdicts.count(Verdict.BUSY) == 144
    assert verdicts.count(Verdict.REFUSED) == 6
    # Nothing is held once the flood is over.
    assert await auth.verdict(header("prom", "another"), CLIENT) is Verdict.REFUSED


async def test_one_client_cannot_take_all_places(make: Make, check: Check) -> None:
    auth = make({"prom": hashed(b"secret")}, max_waiting=6, max_waiting_of_one_client=2)
    check.gate.clear()
    flood = [
        asyncio.create_task(auth.verdict(header("prom", f"guess{n}"), "198.51.100.1"))
        for n in range(50)
    ]
    await waiting(check, 2)
    first_scrape = asyncio.create_task(auth.verdict(header("prom", "secret"), CLIENT))
    await asyncio.sleep(0)
    assert not first_scrape.done()
    check.gate.set()
    assert await first_scrape is Verdict.ALLOWED
    assert (await asyncio.gather(*flood)).count(Verdict.BUSY) == 48


async def test_scrapes_that_come_together_share_one_check(make: Make, check: Check) -> None:
    auth = make({"prom": hashed(b"secret")}, max_waiting_of_one_client=1)
    verdicts = await asyncio.gather(
        *(auth.verdict(header("prom", "secret"), CLIENT) for _ in range(20))
    )
    assert verdicts == [Verdict.ALLOWED] * 20
    assert len(check.calls) == 1


async def test_a_client_that_leaves_does_not_end_the_check_of_another(
    make: Make, check: Check
) -> None:
    auth = make({"prom": hashed(b"secret")})
    check.gate.clear()
    first = asyncio.create_task(auth.verdict(header("prom", "secret"), CLIENT))
    second = asyncio.create_task(auth.verdict(header("prom", "secret"), CLIENT))
    await waiting(check, 1)
    first.cancel()
    await asyncio.wait([first])
    check.gate.set()
    assert await second is Verdict.ALLOWED


async def test_what_is_remembered_is_bounded(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(basic_auth, "REMEMBERED_FAILURES", 10)
    long = "x" * 72
    auth = make({"prom": hashed(long.encode())})
    for n in range(30):
        assert await auth.verdict(header("prom", f"guess{n}"), CLIENT) is Verdict.REFUSED
        # bcrypt can't tell these apart, so they must not be remembered one by one.
        assert await auth.verdict(header("prom", f"{long}{n}"), CLIENT) is Verdict.ALLOWED
    assert len(auth._failures) == 10
    assert len(auth._successes) == 1
    assert not auth._waiting
    assert not auth._waiting_of_client


async def test_user_and_password_cannot_be_shifted_into_each_other(make: Make) -> None:
    same = hashed(b"c")
    auth = make({"a": same, "ab": same})
    assert await auth.verdict(header("ab", "c"), CLIENT) is Verdict.ALLOWED
    assert await auth.verdict(header("a", "bc"), CLIENT) is Verdict.REFUSED


async def test_no_password_is_kept(make: Make) -> None:
    auth = make({"prom": hashed(b"hunter2")})
    await auth.verdict(header("prom", "hunter2"), CLIENT)
    await auth.verdict(header("prom", "hunter3"), CLIENT)
    kept = b"".join([*auth._successes, *auth._failures])
    assert len(kept) == 64
    assert b"hunter" not in kept
