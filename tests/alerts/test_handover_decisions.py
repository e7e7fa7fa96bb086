"""The hand-over decided without I/O: receipts, when and where to try again, the plan's section, the script's words."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from firetower.alerts.duty.plan import load
from firetower.alerts.handover.model import Kind, Message, MessageState
from firetower.alerts.handover.pacing import Bounds, Next, address, after_failure, after_taken
from firetower.alerts.handover.receipt import NoReceipt, read
from firetower.alerts.handover.words import WORDS
from firetower.core.clock import HOUR, MINUTE, SECOND, rfc3339
from firetower.core.errors import ConfigError

NOW = 1_763_800_000_000_000
ONE = Bounds(addresses=1, tries=5, slow=30 * SECOND, within=HOUR)
TWO = replace(ONE, addresses=2)
FIRE = Message(1, "k", 7, Kind.REPORT, NOW, b"{}", 0, 0, NOW, is_fire=True, is_awaited=True)
GAS = replace(FIRE, is_fire=False)


def answer(**more: Any) -> bytes:
    receipt = {"number": "119-1", "person": "王芳", "at": rfc3339(NOW)} | more
    return json.dumps({"key": "k", "receipt": receipt}).encode()


def test_a_receipt_of_this_message_is_read_and_its_words_are_one_line() -> None:
    signed = read(answer(person=" 王\n芳\x07 ", number=17), "k", created_at=NOW, now=NOW)
    assert (signed.number, signed.person, signed.at) == ("17", "王 芳", NOW)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "another key"),
        (b'{"key": ["k"]}', "another key"),
        (b'{"key": "k"}', "no receipt"),
        (b'{"key": "k", "receipt": "yes"}', "no receipt"),
        (answer(number=None), "no number"),
        (answer(number=True), "no number"),
        (answer(person=""), "0 characters"),
        (answer(person="x" * 101), "101 characters"),
        (answer(person="\ud800"), "no person"),
        (answer(at=None), "no time"),
        (answer(at="yesterday"), "not RFC 3339"),
        (answer(at="2025-11-22T08:26:40"), "not RFC 3339 with a zone"),
        (answer(at="9999-12-31T23:59:59Z"), "to come"),
        (answer(at=rfc3339(NOW + 6 * MINUTE)), "to come"),
        (answer(at=rfc3339(NOW - 6 * MINUTE)), "before the message"),
    ],
)
def test_anything_else_is_no_receipt_and_says_why(body: bytes, why: str) -> None:
    with pytest.raises(NoReceipt, match=why):
        read(body, "k", created_at=NOW, now=NOW)


def failed(message: Message, bounds: Bounds = TWO, tried: int = 0, **more: Any) -> Next:
    given: dict[str, Any] = {"wait": 4 * SECOND, "quiet_until": {}, "permanent": False} | more
    return after_failure(message, tried, bounds, NOW, **given)


def test_the_other_address_is_tried_at_once_and_a_round_is_followed_by_a_wait() -> None:
    assert failed(FIRE).next_try_at == NOW
    assert failed(replace(FIRE, tries=1), tried=1).next_try_at == NOW + 4 * SECOND
    assert failed(FIRE, ONE).next_try_at == NOW + 4 * SECOND


def test_what_refuses_for_good_is_passed_over_and_refused_by_all_is_failed() -> None:
    once = failed(FIRE, permanent=True)
    assert (once.state, once.refused) == (MessageState.WAITING, 0b01)
    assert address(replace(FIRE, tries=2, refused=once.refused), 0, {}, TWO, NOW) == 1
    both = failed(replace(FIRE, tries=1, refused=0b01), tried=1, permanent=True)
    assert (both.state, both.next_try_at) == (MessageState.FAILED, NOW + 30 * SECOND)
    assert failed(replace(GAS, tries=1, refused=0b01), tried=1, permanent=True).next_try_at is None


def test_retry_after_is_kept_as_long_as_it_holds_up_no_fire() -> None:
    quiet = {0: NOW + 600 * SECOND}
    assert failed(GAS, ONE, quiet_until=quiet).next_try_at == NOW + 600 * SECOND
    assert failed(FIRE, ONE, quiet_until=quiet).next_try_at == NOW + 30 * SECOND
    assert failed(GAS, TWO, quiet_until=quiet).next_try_at == NOW  # at the other address
    assert address(replace(FIRE, tries=2), 0, quiet, TWO, NOW) == 1


def test_an_open_fire_is_tried_for_ever_each_half_minute_and_anything_else_for_an_hour() -> None:
    later = {"newest_at": NOW - 2 * HOUR, "tries": 500}
    assert failed(replace(FIRE, **later)).next_try_at == NOW + 30 * SECOND
    assert failed(replace(GAS, **later)) == Next(MessageState.FAILED, 0, None)
    assert failed(replace(FIRE, is_awaited=False, **later)).next_try_at is None
    assert failed(replace(GAS, tries=500)).next_try_at == NOW + 30 * SECOND  # the newest message is young


def test_a_message_that_was_taken_is_asked_for_again_soon_and_never_left() -> None:
    assert after_taken(FIRE, TWO, NOW, None).next_try_at == NOW + SECOND
    assert after_taken(replace(FIRE, tries=3), TWO, NOW, None).next_try_at == NOW + 5 * SECOND
    assert after_taken(FIRE, TWO, NOW, 600 * SECOND).next_try_at == NOW + 30 * SECOND
    assert after_taken(replace(FIRE, tries=40), TWO, NOW, None).next_try_at == NOW + 30 * SECOND


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("addresses: []", "at least 1"),
        ("addresses: [ftp://119]", "must be http"),
        ("addresses: [https://me:pw@119/]", "no credentials"),
        ("addresses: [https://119/, https://119/]", "must be another one"),
        ("secret: short", "at least 16"),
        ("sender: 我们", "pattern"),
        ("receipt_within: 1h", "3s to 1min"),
        ("slow: 5min", "5s to 30s"),
        ("coordinate_system: GCJ-02", "'WGS-84' or 'CGCS2000'"),
    ],
)
def test_a_mistake_in_the_plans_section_is_told_with_its_line(tmp_path: Path, lines: str, told: str) -> None:
    good = {"addresses": "[https://119/]", "secret": "0123456789abcdef", "sender": "fz-01"}
    name, _, value = lines.partition(": ")
    file = tmp_path / "our.yaml"
    file.write_text(
        "command_centre:\n" + "".join(f"  {key}: {each}\n" for key, each in (good | {name: value}).items()), "utf-8"
    )
    with pytest.raises(ConfigError, match=told) as refused:
        load(file, {})
    assert "our.yaml:" in str(refused.value)
    assert f"command_centre.{name}" in str(refused.value)


def test_every_reason_the_console_has_a_word_for_has_one_on_the_printed_record() -> None:
    console = Path(__file__).parents[2] / "web" / "console" / "i18n" / "en.json"
    reasons = [key.removeprefix("reason.") for key in json.loads(console.read_text("utf-8")) if key[:7] == "reason."]
    assert [reason for reason in reasons if reason not in WORDS["reason"]] == []
