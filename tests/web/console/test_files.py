"""Files of units and devices, rejects, one's own account: what is wrong is said, and edited where it stands."""

from typing import Any

import pytest
from conftest import Open, until_page
from console_double import Double
from double_facts import Json, at
from screen_checks import MODULE, device, opened, reading, sound, unit_file

pytestmark = pytest.mark.system


def person(name: str, **more: Any) -> Json:
    return {
        "id": name, "scope": "unit", "of": "mall-01", "role": "control_room", "name": name, "phone": "0777123",
        "email": None, "addresses": {"sms": "138"}, "hours": [], "order": 1, "language": "zh", "changed_by": "import",
        "changed_at": at(60), "reachable": True, "why": None, "reachable_from": None,
    } | more  # fmt: skip


async def test_a_units_file_says_whom_to_call_and_what_is_wrong_with_its_link_and_its_contacts_are_edited(
    double: Double, sit_down: Open
) -> None:
    """Who cannot be called says why; what a contact's refusal is about stands in that contact's fields."""
    double.units["mall-01"] = unit_file()
    hours = [{"days": [1, 2, 3, 4, 5], "from": "08:00", "to": "18:00"}]
    away = person("李四", role="manager", reachable=False, why="off_hours", reachable_from=at(-3600), hours=hours)
    empty: Json = {"items": [], "next_cursor": None}
    bad = {"where": "contacts.2.phone", "message": "body field 'contacts.2.phone': 'x' is no telephone number"}
    double.files |= {
        "GET /units/mall-01/contacts": {"items": [person("王五"), away]},
        "PUT /units/mall-01/contacts": [
            (400, {"error": {"code": "invalid", "message": "…", "details": [bad]}}), (200, {"items": []}),
        ],
        "GET /grids/g1/contacts": {"items": [person("网格王", role="grid_worker")]},
        "GET /stations": empty, "GET /centre/contacts": empty, "GET /alerts": empty,
        "GET /devices": {"items": [device("gw-1", kind="gateway", status="offline")], "next_cursor": None},
        "GET /rejects/counts": {"items": [{"reason": "bad_ts", "count": 7, "last_at": at(30)}], "waiting": 0},
        "GET /rejects": empty,
        "GET /windows": {
            "items": [double.announce_window("maintenance", unit="mall-01", zone="A/3")], "next_cursor": None,
        },
    }  # fmt: skip
    page = await sit_down(lang="zh-CN", who="wang")
    await page.keyboard.press("KeyE")
    await page.fill("[name=find]", "万象")
    await page.keyboard.press("Enter")
    await page.click("[data-to-unit=mall-01]")
    await page.wait_for_selector("[data-contact=李四][data-reachable=false]")
    text = await page.inner_text("[data-contact=李四]")
    assert "不在可联系时间" in text or "起" in text, text
    assert "周一、周二、周三、周四和周五 08:00–18:00" in text
    assert "未知" in await page.inner_text("[data-unit-rates]")  # of no device there is no rate: neither 0 % nor 100 %
    await page.wait_for_selector("[data-refused='1']")
    assert "× 1000" in await page.inner_text(".refused") or "1000" in await page.inner_text(".refused")
    assert await page.locator(".link-state[data-status=offline]").count() >= 1
    await page.click("[data-fold=grid] summary")
    await page.wait_for_selector("[data-contact=网格王]")
    await sound(page)
    await page.click("[data-book='unit mall-01'] [data-edit-contacts]")
    await page.click("[data-add-contact]")
    await page.fill("[data-row='2'] [name=name]", "赵六")
    await page.fill("[data-row='2'] [name=phone]", "x")
    await page.click("[data-row='2'] [data-add-hours]")
    await page.click("[data-form=contacts] [data-save]")
    await page.wait_for_selector("[data-row='2'] .trouble")
    assert await page.locator("[data-form=contacts] .trouble").count() == 1
    await sound(page)
    await page.fill("[data-row='2'] [name=phone]", "138 0000 0000")
    await page.click("[data-form=contacts] [data-save]")
    await page.wait_for_selector("[data-book='unit mall-01'] .outcome[data-result=done]")
    sent = [said for method, path, said in double.reached if method == "PUT"][-1]["contacts"]
    assert [each["name"] for each in sent] == ["王五", "李四", "赵六"]
    assert (sent[0]["addresses"], sent[1]["hours"], sent[2]["phone"]) == ({"sms": "138"}, hours, "138 0000 0000")


async def test_a_devices_file_zooms_to_a_minute_draws_limits_and_gaps_and_finds_points_and_older_alerts(
    double: Double, sit_down: Open
) -> None:
    """Phases are told apart, a pause is a gap and a slow device is none; points beyond two hundred are found."""
    limit = {
        "rule": "r", "title": {"zh": "超温", "en": "Hot"}, "metric": "cable_temperature", "class": "hazard",
        "priority": 3, "side": "at_or_above", "value": 70.0, "high": None, "clear": 65.0, "uom": "°C",
        "on_delay_s": 60.0, "shadow": False, "overridden": True,
    }  # fmt: skip
    latest = {
        "ts": at(5), "metric": "cable_temperature.a", "value": 41.0, "uom": "°C", "quality": "good", "marks": [],
        "received_at": at(5),
    }  # fmt: skip
    points = [{"component": f"1-{n:03}", "zone": None, "place": f"{n} 室"} for n in range(350)]
    first, second = (double.raise_alert("hazard", 3, title={"zh": name, "en": name}) for name in ("one", "two"))
    path = "GET /devices/mall-01/elec-1"
    told = {"from": at(9), "to": at(), "readings": 0, "late": 0, "bad": 0, "uncertain": 0, "clock_stuck": 0,
            "arrival_time": 0}  # fmt: skip
    double.files |= {
        "GET /devices": {"items": [device("elec-1")], "next_cursor": None},
        path: device("elec-1") | {"points": points}, f"{path}/latest": {"items": [latest]},
        f"{path}/limits": {"items": [limit]}, f"{path}/reporting": told,
        f"{path}/readings": {
            "items": [reading(f"cable_temperature.{c}", 3000 - n * 60, 40 + n) for c in "abc" for n in range(30)],
            "width_s": 9.0,
        },
        "GET /alerts": [
            (200, {"items": [first], "next_cursor": "c1"}), (200, {"items": [second], "next_cursor": None}),
        ],
        "GET /rejects/counts": {"items": [], "waiting": 0}, "GET /rejects": {"items": [], "next_cursor": None},
        "GET /windows": {"items": [
            double.announce_window("test", device="elec-1"), double.announce_window("test", zone="B"),
        ], "next_cursor": None},
    }  # fmt: skip
    page = await sit_down(lang="en", who="wang")
    await page.keyboard.press("KeyE")
    await page.fill("[name=find]", "elec")
    await page.keyboard.press("Enter")
    await page.click("[data-to-device=elec-1]")
    await page.wait_for_selector(".chart .uplot canvas")
    assert await page.locator(".chart-table tr").count() == 3
    assert "Normal 70" in await page.inner_text(".chart figcaption")
    assert "other here" in await page.inner_text("[data-limits='1']")
    late = "[data-quality] [data-fact=late]"
    await page.wait_for_selector(late)
    assert "0%" not in await page.inner_text(late)  # nothing came in: nobody knows
    assert await page.locator(".window").count() == 1
    await page.click("[data-more-alerts]")
    await page.wait_for_selector("button.entry:has-text('two')")
    assert not await page.locator("[data-more-alerts]").count()
    await page.fill("[name=point]", "349 室")
    await until_page(page, "document.querySelector('[data-found]').dataset.found === '1'")
    await page.click("[data-range=year]")
    spans = []
    for _ in range(14):
        spans.append(int(await page.get_attribute("[data-span]", "data-span") or 0))
        if await page.is_disabled("[data-move=closer]"):
            break
        await page.click("[data-move=closer]")
    assert (spans[0], spans[-1]) == (8_760 * 3600, 60), spans
    await sound(page)
    gaps = await page.evaluate(
        f"""async () => {{
            const {{ seriesOf }} = await import({MODULE} + "ui/chart.js");
            const said = s => ({{ metric: "m", ts: new Date(s * 1000).toISOString(), mean: 1 }});
            return seriesOf([0, 60, 120, 180, 900, 960].map(said), 9).get("m").map(p => p.mean);
        }}"""
    )
    assert gaps == [1, 1, 1, 1, None, 1, 1]


async def test_rejects_say_what_to_do_show_bytes_safely_and_are_tried_again_and_anybody_changes_their_password(
    double: Double, sit_down: Open
) -> None:
    """Bytes that would turn a line around are shown as what they are; a wrong present password is told as that."""
    reject = {
        "id": "1", "at": at(9), "lane": "telemetry", "topic": "firetower/v1/u1/d1/telemetry",
        "reason": "unknown_device", "detail": "device u1/d1 is not registered",
        "payload_text": "{\u202e<b>\u0000", "payload_base64": "e+KArjxiPgA=",
    }  # fmt: skip
    other = reject | {"id": "2", "reason": "not_utf8", "payload_text": None, "payload_base64": "/wA="}
    counts = [
        {"reason": "unknown_device", "count": 4, "last_at": at(9)},
        {"reason": "not_utf8", "count": 1, "last_at": at(9)},
    ]
    double.files |= {
        "GET /rejects": {"items": [reject, other], "next_cursor": None},
        "GET /rejects/counts": {"items": counts, "waiting": 0},
        "POST /rejects/replay": {"asked": 4},
        "PUT /session/password": [(403, {"error": {"code": "wrong_credentials", "message": "no"}}), (204, None)],
    }
    page = await sit_down(lang="zh-CN", who="wang")
    await opened(page, "rejects")
    await page.wait_for_selector("[data-reject=not_utf8]")
    shown = await page.locator(".payload").all_inner_texts()
    assert shown == ["{⟨U+202E⟩<b>⟨U+0000⟩", "ff 00"]
    await page.click("[data-reason=unknown_device]")
    assert "登记" in await page.inner_text("[data-remedy=unknown_device]")
    await page.click("[data-replay]")
    await page.click("[data-replay-sure]")
    await page.wait_for_selector("[data-result=done]")
    assert any(path == "/rejects?reason=unknown_device&limit=100" for _, path, _ in double.reached), double.reached
    assert ("POST", "/rejects/replay", {"reason": "unknown_device"}) in double.reached
    await page.click("[data-reason=unknown_device]")
    assert not [word for word in ("⟦", "undefined", "NaN") if word in await page.inner_text("#panel")]
    await page.focus("#queue-list")
    await opened(page, "mine")
    for name, text in (("present", "not it"), ("password", "another long one"), ("again", "another long onf")):
        await page.fill(f"[name={name}]", text)
    assert await page.is_disabled("[data-form=own-password] .primary")
    await page.fill("[name=again]", "another long one")
    await page.click("[data-form=own-password] .primary")
    await page.wait_for_selector("[data-form=own-password] [data-result=refused]")
    assert "现在的密码不对" in await page.inner_text("[data-form=own-password]")
    await page.fill("[name=present]", "right")
    await page.click("[data-form=own-password] .primary")
    await page.wait_for_selector("[data-form=own-password] [data-result=done]")
    assert await page.input_value("[name=password]") == ""
    await sound(page)
