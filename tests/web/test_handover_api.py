"""The hand-over over the API: what an alert shows of it, follow-ups, cancelling, the telephone script."""

from typing import Any

import pytest
from accounts_making import hash_cheaply

from firetower.core.clock import MINUTE, SECOND, to_datetime
from firetower.storage import accounts, partitions

ALERTS = "/api/v1/alerts"
NASTY = '<script>alert("火")</script>\n\x01& "quotes" 🔥'


async def configured(running: Any) -> None:
    """Have messages written, as the desk of some instance would."""
    await running.pool.execute(
        "INSERT INTO command_centre (id, sender, receipt_within_ms, since) VALUES (1, 'fz-01', 10000, now())"
    )


async def act(running: Any, alert_id: str, name: str, **body: Any) -> tuple[int, Any]:
    return await running.call("POST", f"{ALERTS}/{alert_id}/{name}", json=body)


async def forwarded(running: Any) -> str:
    alert_id = await running.raise_alert()
    status, body = await act(running, alert_id, "verify", result="real", method="phone", person="Liu")
    assert status == 200, body
    return alert_id


async def premises(running: Any) -> None:
    """A mall with a contact, and a hydrant that is near it."""
    await running.pool.execute(
        "INSERT INTO unit (code, name, address, lon, lat) VALUES ('mall-01', '城西购物中心', $1, 113.1, 22.3)",
        f"建设路1号 {NASTY.replace(chr(1), '')}",
    )
    await running.pool.execute(
        "INSERT INTO contact (scope, owner, role, name, addresses, changed_by, changed_at)"
        " VALUES ('unit', 'mall-01', 'control_room', '王师傅', '{\"phone\": \"0750-110\"}', 'ada', now())"
    )
    await running.pool.execute(
        "INSERT INTO device (unit_id, name, kind, place, lon, lat)"
        " SELECT id, 'h-12', 'hydrant', '建设路口', 113.1, 22.301 FROM unit"
    )


async def test_an_alert_shows_its_hand_over_and_red_from_ten_seconds_on(running: Any) -> None:
    await running.sign_in()
    await configured(running)
    alert_id = await forwarded(running)
    shown = (await running.get(f"{ALERTS}/{alert_id}"))["handover"]
    assert (shown["state"], shown["overdue"], shown["tries"], shown["receipt"]) == ("waiting", False, 0, None)
    await running.pool.execute("UPDATE handover SET missed_at = now(), trouble = 'nobody there', tries = 3")
    shown = (await running.get(f"{ALERTS}/{alert_id}"))["handover"]
    assert (shown["overdue"], shown["tries"], shown["trouble"]) == (True, 3, "nobody there")
    status, body = await act(running, alert_id, "receipt", person="Zhang", channel="voice", reference="rec-7")
    assert (status, body["handover"]["state"], body["handover"]["overdue"]) == (200, "by_phone", False)


async def test_the_answer_of_the_act_that_forwards_shows_the_hand_over_already(running: Any) -> None:
    await running.sign_in()
    await configured(running)
    alert_id = await running.raise_alert()
    _, body = await act(running, alert_id, "forward", unverified=True)
    assert body["handover"]["state"] == "waiting"


async def test_without_a_command_centre_there_is_no_hand_over_to_follow_up_or_to_cancel(running: Any) -> None:
    await running.sign_in()
    alert_id = await forwarded(running)
    assert (await running.get(f"{ALERTS}/{alert_id}"))["handover"] is None
    for name, body in (("follow-up", {"text": "smoke"}), ("cancel", {"reason": "steam"})):
        status, answer = await act(running, alert_id, name, **body)
        assert status == 409
        assert "call 119" in answer["error"]["message"]


async def test_following_up_and_cancelling_are_messages_in_order_and_close_needs_the_cancellation(
    running: Any,
) -> None:
    await running.sign_in()
    await configured(running)
    alert_id = await forwarded(running)
    await act(running, alert_id, "verify", result="false", method="on_site", person="Liu", cause="steam")
    status, body = await act(running, alert_id, "close", disposition="false_alarm", cause="steam")
    assert status == 409
    assert "cancel the hand-over first" in body["error"]["message"]
    assert (await act(running, alert_id, "follow-up", text=" "))[0] == 400
    assert (await act(running, alert_id, "cancel"))[0] == 400
    headers = {"Idempotency-Key": "once"}
    for _ in range(2):
        status, _body = await running.call(
            "POST", f"{ALERTS}/{alert_id}/follow-up", json={"text": NASTY.replace("\x01", "")}, headers=headers
        )
        assert status == 200
    status, body = await act(running, alert_id, "cancel", reason="steam from the kitchen")
    assert (status, body["handover"]["cancel"], body["disposition"]) == (200, "waiting", None)
    assert (await act(running, alert_id, "close", disposition="false_alarm", cause="steam"))[0] == 200
    messages = (await running.get(f"{ALERTS}/{alert_id}/handover"))["items"]
    assert [(each["kind"], each["actor"]) for each in messages] == [
        ("report", "olga"), ("follow_up", "olga"), ("cancel", "olga"),
    ]  # fmt: skip
    assert len({each["report_key"] for each in messages}) == 1


async def test_a_viewer_reads_but_tells_119_nothing(running: Any) -> None:
    await running.sign_in()
    await configured(running)
    alert_id = await forwarded(running)
    await running.sign_in("vera")
    await running.get(f"{ALERTS}/{alert_id}/handover")
    assert (await act(running, alert_id, "cancel", reason="x"))[0] == 403


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh", ["城西购物中心", "建设路1号", "火警", "已核实为真实火警", "消控室值班员 王师傅 0750-110",
                "消火栓 建设路口 北侧 111 米", "控制器显示“3F corridor”"]),
        ("en", ["verified as real by telephone", "control room 王师傅", "hydrant 建设路口 north 111 m"]),
    ],
)  # fmt: skip
async def test_the_script_says_place_what_burns_contacts_access_and_water(
    running: Any, lang: str, words: list[str]
) -> None:
    await running.sign_in()
    await premises(running)
    alert_id = await forwarded(running)
    told = await running.get(f"{ALERTS}/{alert_id}/script", lang=lang)
    assert [line["part"] for line in told["lines"]] == [
        "who", "place", "burns", "signals", "contacts", "access", "water", "ask",
    ]  # fmt: skip
    assert [word for word in words if word not in told["text"]] == []
    assert all("\n" not in line["text"] and line["text"] for line in told["lines"])
    assert told["text"].count("\n") == 7


async def test_the_script_of_a_stranger_says_what_nobody_registered(running: Any) -> None:
    await running.sign_in()
    alert_id = await running.raise_alert()
    told = (await running.get(f"{ALERTS}/{alert_id}/script", lang="en"))["text"]
    for words in ("mall-01", "not verified", "none registered", "no address is registered"):
        assert words in told
    assert (await running.call("GET", f"{ALERTS}/{alert_id}/script?lang=fr"))[0] == 400
    assert (await running.call("GET", f"{ALERTS}/999/script"))[0] == 404


async def test_other_signals_of_the_unit_are_told(running: Any) -> None:
    await running.sign_in()
    await premises(running)
    alert_id = await running.raise_alert()
    await running.raise_alert("smk-2")
    assert "同一单位另有1处报警" in (await running.get(f"{ALERTS}/{alert_id}/script"))["text"]


async def measured(running: Any, at: int) -> None:
    async with running.pool.acquire() as conn:
        await partitions.ensure(conn, [to_datetime(at).date()])
    await running.pool.execute(
        "INSERT INTO device (unit_id, name, kind) SELECT id, 'smk-1', 'smoke' FROM unit WHERE code = 'mall-01'"
    )
    await running.pool.execute(
        "INSERT INTO reading SELECT $1, d.id, m.id, 0, 0.35, 0, $1 FROM device d, metric m"
        " WHERE d.name = 'smk-1' AND m.name = 'smoke'",
        to_datetime(at),
    )


async def on_record(running: Any) -> str:
    """An alert with hostile words, a message that was received, a reading and a seal."""
    await running.sign_in()
    await configured(running)
    await premises(running)
    alert_id = await forwarded(running)
    await measured(running, running.clock.now() - MINUTE)
    await act(running, alert_id, "note", text=NASTY.replace("\x01", ""))
    await running.pool.execute(
        "UPDATE handover SET state = 'received', received_at = $1, receipt_number = '119-7', receipt_person = '王芳',"
        " receipt_at = $1, next_try_at = NULL",
        to_datetime(running.clock.now() + SECOND),
    )
    await running.pool.execute("UPDATE alert SET place = '城西购物中心 / 三层 / 东区'")
    await running.pool.execute(
        "INSERT INTO history_seal (n, alert_id, seq, hash, sealed_at) VALUES (1, $1, 1, $2, now())",
        int(alert_id),
        bytes(range(32)),
    )
    return alert_id


async def test_the_record_as_data_holds_everything(running: Any) -> None:
    alert_id = await on_record(running)
    record = await running.get(f"{ALERTS}/{alert_id}/record", format="json")
    assert [entry["reason"] for entry in record["history"]] == ["raised", "verified", "forwarded", "noted"]
    assert record["handover"][0]["receipt"]["person"] == "王芳"
    assert [(each["metric"], each["value"], each["uom"]) for each in record["readings"]] == [("smoke", 0.35, "dB/m")]
    assert record["seal"]["hash"] == bytes(range(32)).hex()


async def test_the_record_as_a_page_is_escaped_and_runs_nothing(running: Any) -> None:
    alert_id = await on_record(running)
    async with running.client.get(
        f"{running.url}{ALERTS}/{alert_id}/record", headers=running.headers
    ) as answer:  # fmt: skip
        page, policy = await answer.text(), answer.headers["Content-Security-Policy"]
        assert answer.content_type == "text/html"
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "警情处置单" in page
    for words in ("城西购物中心 / 三层 / 东区", "王芳 / 119-7", bytes(range(32)).hex(), "0.35 dB/m", "电话回核"):
        assert words in page
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


async def test_the_record_as_pdf_is_in_chinese(running: Any) -> None:
    alert_id = await on_record(running)
    async with running.client.get(
        f"{running.url}{ALERTS}/{alert_id}/record?format=pdf", headers=running.headers
    ) as answer:
        assert answer.content_type == "application/pdf"
        body = await answer.read()
    assert body.startswith(b"%PDF-")
    text = text_of_pdf(body)
    for words in ("警情处置单", "城西购物中心 / 三层 / 东区", "王芳 / 119-7", "<script>"):
        assert words in text


def text_of_pdf(body: bytes) -> str:
    """What the document's streams show: strings of two bytes a character, by the font's encoding (UniGB-UCS2-H)."""
    import base64
    import re
    import zlib

    shown = ""
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", body, re.DOTALL):
        try:
            page = zlib.decompress(base64.a85decode(stream.strip().removesuffix(b"~>"), adobe=False))
        except (ValueError, zlib.error):
            continue
        for line in re.findall(rb"\(((?:\\.|[^\\()])*)\) Tj", page, re.DOTALL):
            plain = re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), line)
            plain = re.sub(
                rb"\\(.)",
                lambda found: {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(found[1], found[1]),
                plain,
                flags=re.DOTALL,
            )
            shown += plain.decode("utf-16-be", "replace")
    return shown


async def test_a_units_account_prints_its_own_units_records_without_other_peoples_numbers(running: Any) -> None:
    alert_id = await on_record(running)
    await running.pool.execute(
        "INSERT INTO call (alert_id, at, by, name, number, direction, purpose, result)"
        " VALUES ($1, now(), 'olga', '网格员', '139', 'out', 'inform', 'answered')",
        int(alert_id),
    )
    assert len((await running.get(f"{ALERTS}/{alert_id}/record", format="json"))["calls"]) == 1
    for name, unit in (("mia", "mall-01"), ("otto", "hospital-1")):
        await running.pool.execute("INSERT INTO unit (code) VALUES ($1) ON CONFLICT DO NOTHING", unit)
        await accounts.add(
            running.pool, name, hash_cheaply("a long enough one"), "unit", running.clock.now(), unit=unit
        )
    await running.sign_in("mia")
    assert (await running.get(f"{ALERTS}/{alert_id}/record", format="json"))["calls"] == []
    assert (await running.call("GET", f"{ALERTS}/{alert_id}/script"))[0] == 403
    await running.sign_in("otto")
    assert (await running.call("GET", f"{ALERTS}/{alert_id}/record"))[0] == 404
