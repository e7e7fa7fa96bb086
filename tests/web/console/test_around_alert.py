"""What lies around one alert: its deadline, whom to call and the calls, who was told, water nearby."""

from typing import Any

import pytest
from conftest import Open, until_page
from console_double import Double
from double_facts import at
from waiting import until

pytestmark = pytest.mark.system

HOSTILE = '<img src=x onerror="globalThis.broken=1">{{x}} & "老王"'


async def test_a_deadline_runs_down_and_turns_to_overdue_in_place_for_what_is_drawn_only(
    double: Double, sit_down: Open
):
    """By shape and word, on the server's time; of an old list nobody knows."""
    for n in range(300):
        due = {"deadline": "verification_overdue", "at": at(-100), "limit_s": 180}
        double.acknowledged(double.raise_alert(ago=60 + n, due=due), "zhang")
    page = await sit_down()
    alert = double.raise_alert(due={"deadline": "acknowledgement_overdue", "at": at(-3), "limit_s": 30})
    await double.announce(alert)
    row = f"#alert-{alert['id']}"
    await page.wait_for_selector(f"{row} [data-overdue=false] .num:text-matches('^0:0[1-3]$')")
    await page.keyboard.press("KeyJ")
    assert "受理" in await page.inner_text(".due-line[data-overdue=false]")
    assert "0:30" in await page.inner_text(".due-line small")
    boxes = f"['{row}', '{row} .state', '.acknowledge'].map(s => document.querySelector(s).getBoundingClientRect())"
    before = await page.evaluate(boxes)
    icon = await page.get_attribute(f"{row} .due path", "d")
    await page.wait_for_selector(f"{row} .due[data-overdue=true]:has-text('超时')")
    await page.wait_for_selector(".due-line[data-overdue=true]:has-text('超时')")
    assert await page.get_attribute(f"{row} .due path", "d") != icon
    assert await page.evaluate(boxes) == before
    assert 1 < await page.locator(".row .due").count() < 40
    await double.cut()
    await page.wait_for_selector("[data-banner=lost]")
    await until_page(page, f"document.querySelector('{row} .due .num').textContent === '–:––'")
    assert await page.locator(".due-line").count() == 0


async def test_whom_to_call_stands_in_order_and_one_press_records_what_came_of_it(double: Double, sit_down: Open):
    """Without an answer it is sent again as the same call; what is said and typed is text, whoever typed it."""
    alert = double.acknowledged(double.raise_alert(), "wang")
    first = double.contact(alert, HOSTILE)
    away = {"reachable": False, "why": "off_hours", "reachable_from": at(-7200)}
    double.contact(alert, "赵总", "responsible", phone="13912345678", **away)
    double.contact(alert, "城西微站", "station", distance_m=334)
    double.contact(alert, "孙强", "grid_worker", phone=None, reachable=False, why="no_phone")
    page = await sit_down(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    await page.tap(f"#alert-{alert['id']}")
    person = f"[data-contact='{first['id']}']"
    await page.wait_for_selector(f"{person} a[href='tel:07771234567']")
    told = await page.inner_text(".people")
    assert HOSTILE in told
    assert "消控室值班员" in told
    assert "非值守时间" in told
    assert "334 米" in told
    assert await page.locator("[data-contact]").count() == 3
    await page.tap("[data-all-contacts]")
    assert "未登记电话" in await page.inner_text(".people")

    double.calls_away = True
    await page.tap(f"{person} [data-result-of=no_answer]")
    await page.wait_for_selector(f"{person} [data-result=unanswered]")
    double.calls_away = False
    await page.tap(f"{person} [data-result-of=no_answer]")
    await page.wait_for_selector(f"{person} [data-result=done]:has-text('无人接听')")
    await page.wait_for_selector(f"{person} [data-last-call=no_answer]")
    assert len({key for _, key in double.calls_asked}) == 1
    assert len(double.calls[alert["id"]]) == 1

    await page.fill(f"{person} [name=said]", "三楼仓库冒烟 <b>")
    await page.fill(f"{person} [name=recording]", "rec-71")
    await page.tap(f"{person} [data-result-of=answered]")
    await page.wait_for_selector(".calls li >> nth=1")
    body, key = double.calls_asked[-1]
    assert body == {
        "purpose": "verify", "result": "answered", "contact_id": first["id"], "said": "三楼仓库冒烟 <b>",
        "recording": "rec-71",
    }  # fmt: skip
    assert key != double.calls_asked[0][1]
    newest = await page.inner_text(".calls li >> nth=0")
    assert all(word in newest for word in ("已接通", "三楼仓库冒烟 <b>", "rec-71", "wang"))
    assert await page.input_value(f"{person} [name=said]") == ""
    assert await page.evaluate("globalThis.broken") is None
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_a_call_from_somebody_else_is_recorded_too_and_says_which_way_it_came(double: Double, sit_down: Open):
    alert = double.raise_alert("hazard", 2)
    page = await sit_down(lang="en")
    await page.keyboard.press("KeyJ")
    await page.wait_for_selector("[data-contacts] .why")  # nobody is on record
    await page.click("[data-other-call]")
    await page.check("[data-call-form=other] input[value=in]")
    assert await page.locator("[data-call-form=other] [data-result-of]").count() == 1  # a call that came was answered
    assert await page.is_disabled("[data-result-of=answered]")
    await page.fill("[data-call-form=other] [name=name]", "Neighbour")
    await page.select_option("[data-call-form=other] select", "inform")
    await page.click("[data-result-of=answered]")
    await page.wait_for_selector(".calls [data-result=answered]:has-text('Call in')")
    assert double.calls_asked[-1][0] == {
        "purpose": "inform", "result": "answered", "direction": "in", "name": "Neighbour",
    }  # fmt: skip
    assert double.calls[alert["id"]][0]["name"] == "Neighbour"


async def test_verifying_by_phone_offers_whom_the_last_answered_call_was_with(double: Double, sit_down: Open):
    alert = double.acknowledged(double.raise_alert(), "wang")
    double.contact(alert, "王师傅")
    said = double.call(alert, name="李四", number="13800000000")
    double.call(alert, name="赵总", number="139", result="busy")
    double.call(alert, purpose="119")
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    await page.wait_for_selector(".calls li")
    await page.keyboard.press("KeyV")
    await page.check("[data-form=verify] input[value=real]")
    await page.check("[data-form=verify] input[value=phone]")
    await page.wait_for_selector(f"[data-on-call='{said['id']}']:has-text('13800000000')")
    assert await page.input_value("[data-form=verify] [name=person]") == "李四"
    await page.click("[data-form=verify] .form-end button >> nth=1")
    assert "打 119" in await page.inner_text(".sure")  # no interface is configured
    await page.keyboard.press("Enter")
    await until(lambda: bool(double.acts))
    assert double.acts[-1][3] == {
        "result": "real", "method": "phone", "person": "李四", "call_id": said["id"], "expected_version": 2,
    }  # fmt: skip


async def test_who_was_told_is_told_apart_by_what_is_known_and_nothing_that_failed_is_folded(
    double: Double, sit_down: Open
):
    alert = double.raise_alert()
    for n in range(9):
        double.letter(alert, f"组员{n}", sent_at=at(50))
    double.letter(alert, HOSTILE, sent_at=at(55), delivered_at=at(50), read_at=at(40), acted_at=at(30), created_at=at())
    double.letter(alert, "孙强", undelivered=True, sent_at=at(55), created_at=at(900))
    double.letter(alert, "李丽", "failed", trouble="number is not in service", tries=5, created_at=at(900))
    double.letter(alert, "钱七", "cancelled", trouble="handled")
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    letters = page.locator("[data-letter]")
    await letters.first.wait_for()
    assert await letters.count() == 5
    two = [await letters.nth(n).inner_text() for n in range(2)]
    assert {"孙强", "李丽"} == {name for name in ("孙强", "李丽") if any(name in text for text in two)}
    assert any("发送失败" in text and "number is not in service" in text and "已试 5 次" in text for text in two)
    assert any("未送达" in text for text in two)
    known = (
        "[...document.querySelectorAll('[data-letter]')[2].querySelectorAll('[data-fact]')].map(f => f.dataset.known)"
    )
    assert await page.evaluate(known) == ["true"] * 4
    assert HOSTILE in await letters.nth(2).inner_text()
    assert await page.evaluate(known.replace("[2]", "[3]")) == ["true", "false", "false", "false"]
    await page.click("[data-all-letters]")
    assert "警情已先处置" in await page.inner_text("[data-letter-state=cancelled]")
    assert await letters.count() == 13
    assert await page.evaluate("globalThis.broken") is None


INK = """() => { const c = document.querySelector('.map-near');
    return c && c.width > 0 && c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v) }"""


async def test_the_nearest_water_and_station_are_listed_and_marked_on_the_map_of_the_selected_alert_only(
    double: Double, sit_down: Open
):
    alert = double.raise_alert()
    lone = double.raise_alert("fault", 3)
    double.nearby(alert)
    page = await sit_down(viewport={"width": 1920, "height": 1080})
    await page.keyboard.press("KeyJ")
    near = page.locator("[data-near]")
    await page.wait_for_selector("[data-water='water-co/h-2'][data-faulty=true]")
    told = await near.inner_text()
    assert all(word in told for word in ("103 米 · 东", "可能无水", "压力低", "离线", "城西微站", "334 米 · 北"))
    await page.wait_for_function(INK)
    await page.click(f"#alert-{lone['id']}")
    await page.wait_for_selector("[data-near] .why")
    await page.wait_for_function(f"() => !({INK})()")


async def faults(page: Any) -> list[Any]:
    """What axe finds on the page, and words that are missing."""
    from axe_playwright_python.async_playwright import Axe
    from test_a11y import RULES

    found = await Axe().run(page, options=RULES)
    wrong = [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found.response["violations"]]
    return wrong + (["⟦"] if "⟦" in await page.inner_text("body") else [])


@pytest.mark.parametrize(("lang", "theme"), [("zh-CN", "light"), ("en", "dark")])
async def test_axe_finds_nothing_in_what_is_around_a_fire_nor_in_the_script(
    double: Double, sit_down: Open, lang: str, theme: str
):
    alert = double.acknowledged(double.raise_alert(ago=90), "wang")
    double.hand_over(alert, ago=60, trouble="no answer in 4 s")
    alert["due"] = {"deadline": "receipt_overdue", "at": at(57), "limit_s": 3}
    double.contact(alert, "王师傅")
    double.contact(alert, "赵总", "responsible", reachable=False, why="off_hours", reachable_from=None)
    double.call(alert, recording="rec-1", said="smoke")
    double.nearby(alert)
    double.letter(alert, "李丽", "failed", trouble="refused")
    double.letter(alert, "王师傅", sent_at=at(50))
    double.message(alert, "follow_up", "failed", text="more", trouble="status 500")
    page = await sit_down(lang=lang, theme=theme, reduced_motion="reduce")
    await page.keyboard.press("KeyJ")
    await page.wait_for_selector("[data-letter]")
    await page.wait_for_selector("[data-banner=unreceipted]")
    assert not await faults(page)
    await page.keyboard.press("Digit1")
    await page.wait_for_selector(".script [data-part=burns]")
    assert not await faults(page)
