"""Signals to addresses outside: taken or not, bounded in time, and a failure says whether it may pass."""

import pytest
from outside_server import receiving

from firetower.core.outside import Outside, OutsideFailed, place, wait_before


async def test_an_answer_of_2xx_is_taken() -> None:
    async with receiving() as receiver, Outside() as outside:
        receiver.statuses = [200, 204]
        await outside.get(receiver.url)
        await outside.post(receiver.url, b"said", {"X-One": "1"})
    assert [(call.method, call.path, call.body) for call in receiver.calls] == [
        ("GET", "/secret-path", b""),
        ("POST", "/secret-path", b"said"),
    ]
    assert receiver.calls[1].headers["X-One"] == "1"


@pytest.mark.parametrize(
    ("status", "permanent"), [(302, True), (400, True), (404, True), (408, False), (429, False), (500, False)]
)
async def test_any_other_answer_fails_and_says_whether_it_may_pass(status: int, permanent: bool) -> None:
    async with receiving() as receiver, Outside() as outside:
        receiver.statuses = [status]
        with pytest.raises(OutsideFailed, match=str(status)) as caught:
            await outside.get(receiver.url)
    assert caught.value.permanent is permanent
    assert len(receiver.calls) == 1, "a redirect was followed"
    assert "secret-path" not in str(caught.value)


async def test_a_receiver_that_hangs_is_given_up_in_time() -> None:
    async with receiving() as receiver, Outside(answers_within_s=0.05) as outside:
        receiver.gate.clear()
        with pytest.raises(OutsideFailed, match=r"does not answer within 0\.05 s") as caught:
            await outside.get(receiver.url)
    assert not caught.value.permanent


async def test_an_address_where_nobody_listens_may_answer_later() -> None:
    async with receiving() as receiver:
        url = receiver.url
    async with Outside() as outside:
        with pytest.raises(OutsideFailed, match="cannot be reached") as caught:
            await outside.get(url)
    assert not caught.value.permanent


def test_neither_credentials_nor_path_are_told() -> None:
    assert place("https://me:secret@host.example:8443/ping/secret?key=secret") == "https://host.example:8443"


def test_waits_grow_to_a_bound() -> None:
    waits = [wait_before(attempt) for attempt in range(1, 2000)]
    assert max(waits) <= 22.5
    assert min(waits) >= 0.25
    assert min(waits[10:]) >= 7.5
