"""A fire's way by keyboard, what leaves and comes back, incidents that hide no fire, tests that sound apart."""

import pytest
from conftest import Open, until_page
from console_double import Double
from double_facts import at
from waiting import until

pytestmark = pytest.mark.system

FIRE, IN_TEST = 960, 330  # the first pitch of each pattern


async def test_a_fire_is_verified_received_and_closed_by_keyboard_alone(double: Double, sit_down: Open):
    """受理 → 核实 → 转警 → 签收 → 办结; the next step is marked, and a verdict is confirmed before it is sent."""
    alert = double.raise_alert()
    double.contact(alert, "李四", phone="13800000000")
    page = await sit_down()
    keys = page.keyboard

    async def next_is(step: str) -> None:
        await page.wait_for_selector(f"[data-step={step}][aria-current=step]")

    await keys.press("KeyJ")
    await next_is("acknowledge")
    await keys.press("KeyA")
    await next_is("verify")
    await keys.press("KeyV")
    await until_page(page, "document.activeElement.value === 'real'")
    await page.wait_for_selector("[data-form=verify]:has-text('13800000000')")
    await keys.press("Enter")  # nothing chosen: nothing sent
    await keys.press("Space")
    await keys.press("Tab")
    await keys.press("ArrowDown")  # of phone, video, … the second
    await keys.press("Enter")
    await page.wait_for_selector("[data-form=verify] .sure")
    assert [verb for verb, *_ in double.acts] == ["acknowledge"]
    await keys.press("Enter")
    await next_is("receipt")  # a real fire is forwarded in the same breath
    assert double.acts[-1][3] == {"result": "real", "method": "video", "expected_version": 2}
    await until_page(page, "document.activeElement.id === 'queue-list'")
    said = await page.inner_text(".row.selected .c-state")
    assert said == "已转警，待签收"  # and nobody's name: the alert does not tell who forwarded it

    await keys.press("KeyR")
    await keys.type("赵队")
    await keys.press("Tab")
    await keys.press("Tab")
    await keys.press("Space")
    await keys.press("Enter")  # a call by voice is nothing without its recording: nothing sent
    await page.wait_for_selector("[data-form=receipt] input[name=reference]:invalid:focus")
    await keys.type("rec-71")
    await keys.press("Enter")
    await next_is("close")
    assert double.acts[-1][3] == {"person": "赵队", "channel": "voice", "reference": "rec-71", "expected_version": 3}
    await keys.press("KeyC")
    await until_page(page, "document.activeElement.value === 'real_fire'")
    await keys.press("Space")
    await keys.press("Enter")
    await page.wait_for_selector(".closing .sure")
    await keys.press("Enter")
    await until(lambda: alert["state"] == "closed")
    await until_page(page, "!document.querySelector('.row')")


async def test_forwarding_what_is_not_verified_is_confirmed_once_more(double: Double, sit_down: Open):
    double.acknowledged(double.raise_alert(), "wang")
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("KeyF")
    await page.wait_for_selector("[data-form=forward]")
    await page.keyboard.press("KeyF")  # a button has the focus; the letter means no act
    await page.click("[data-form=forward] .primary")
    await page.wait_for_selector("[data-form=forward] .sure")
    assert not double.acts
    await page.keyboard.press("Escape")
    await page.keyboard.press("KeyF")
    assert await page.locator(".sure").count() == 0  # a question is not left standing
    await page.click("[data-form=forward] .primary")
    await page.click("[data-form=forward] .danger")
    await page.wait_for_selector("[data-verb=forward][data-outcome=done]")
    assert double.acts[-1][3]["unverified"] is True


async def test_a_shelved_alert_leaves_the_queue_is_counted_and_comes_back_when_it_ends(double: Double, sit_down: Open):
    alert = double.raise_alert("hazard", 2)
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("KeyL")
    await page.keyboard.press("Space")  # the shortest
    await page.keyboard.press("Tab")
    await page.keyboard.type("已通知维修")
    await page.keyboard.press("Enter")
    await until_page(page, "!document.querySelector('.row')")
    assert await page.inner_text("[data-held=shelved]") == "1"
    assert await page.inner_text("[data-open='2']") == "0"
    assert await page.get_attribute("[data-sounding]", "data-sounding") == ""
    assert alert["hold_reason"] == "已通知维修"
    await page.keyboard.press("KeyH")
    said = await page.inner_text(f"[data-held-alert='{alert['id']}']")
    assert all(word in said for word in ("限时搁置", "已通知维修", "wang", "剩"))

    alert |= {"hold": "none", "state": "unacknowledged", "held_until": None, "version": alert["version"] + 1}
    await double.announce(alert)
    await page.wait_for_selector(f"#alert-{alert['id']}")
    assert await page.inner_text("[data-held=shelved]") == "0"
    await until_page(page, "tones.includes(587)")


async def test_a_fire_is_never_offered_the_shelf_and_is_shown_whatever_hold_is_claimed(double: Double, sit_down: Open):
    fire = double.raise_alert(hold="suppressed", hold_reason="no such thing")
    page = await sit_down()
    await page.wait_for_selector(f"#alert-{fire['id']}")
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("KeyL")
    assert await page.locator("[data-form=shelve], [data-verb=shelve]").count() == 0
    assert await page.inner_text("[data-held=suppressed]") == "0"
    await until_page(page, f"tones.includes({FIRE})")


async def test_an_incident_stands_under_one_headline_and_folds_away_no_fire(double: Double, sit_down: Open):
    fires = [double.raise_alert(ago=n) for n in (5, 9)]
    prealarms = [double.raise_alert("prealarm", 2, ago=20 + n) for n in range(3)]
    faults = [double.raise_alert("fault", 3, ago=30 + n) for n in range(4)]
    incident = double.gather(*fires, *prealarms, *faults)
    alone = double.raise_alert(ago=7)  # another fire, between the two in time
    page = await sit_down()
    rows = "[...document.querySelectorAll('.row')].sort((a, b) => a.ariaPosInSet - b.ariaPosInSet).map(r => r.id)"
    headline = f"alert-i-{incident['id']}"
    assert await page.evaluate(rows) == [headline, *(f"alert-{each['id']}" for each in (*fires, alone))]
    said = await page.inner_text(f"#{headline}")
    assert "火警 2 · 疑似火警 3 · 故障 4" in said
    assert "已收起 7，未受理 7" in said

    new = double.raise_alert()
    new["incident_id"] = incident["id"]
    await double.announce(new)
    await page.wait_for_selector(f"#alert-{new['id']}")
    await page.keyboard.press("KeyJ")  # over the headline, to the alert
    await page.wait_for_selector(f"[data-alert='{new['id']}']")
    await page.keyboard.press("KeyG")
    await page.wait_for_selector(f"#alert-{faults[-1]['id']}")
    assert len(await page.evaluate(rows)) == 12
    await page.keyboard.press("KeyG")
    await until_page(page, "document.querySelectorAll('.row').length === 5")
    for each in fires:
        double.acknowledged(each, "wang")
    await double.announce(*fires)
    await until_page(page, f"{rows}.slice(-2).join() === 'alert-{fires[0]['id']},alert-{fires[1]['id']}'")

    await page.click(f"#{headline} b")
    await page.wait_for_selector(f"[data-incident-detail='{incident['id']}']")
    await page.keyboard.press("KeyA")  # a headline is no alert: it leads to one
    await page.wait_for_selector(f"[data-alert='{new['id']}']")
    assert "请再按 A" in await page.inner_text(".acknowledge .outcome")
    assert not double.acts
    await page.keyboard.press("KeyA")
    await page.wait_for_selector("[data-outcome=done]")
    assert [id_ for _, id_, *_ in double.acts] == [new["id"]]


async def test_a_test_has_a_tone_and_a_look_of_its_own_and_gives_way_to_what_is_real(double: Double, sit_down: Open):
    window = double.announce_window()
    tested = double.raise_alert(flags=["in_test"], window_id=window["id"])
    page = await sit_down()
    await until_page(page, f"tones.includes({IN_TEST})")
    assert await page.evaluate(f"!tones.includes({FIRE})")
    assert await page.get_attribute("[data-sounding]", "data-sounding") == "in_test"
    assert "测试中" in await page.inner_text(f"#alert-{tested['id']}.testing")
    assert await page.inner_text("[data-held=in_test]") == "1"
    real = double.raise_alert(flags=["during_test"], ago=30)  # a manual call during the test
    await double.announce(real)
    await until_page(page, f"tones.includes({FIRE})")
    assert await page.get_attribute("[data-sounding]", "data-sounding") == "1"
    first = page.locator(".row").first
    assert await first.get_attribute("id") == f"alert-{real['id']}"
    assert "测试期间按真实处理" in await first.inner_text()
    assert await page.locator(f"#alert-{real['id']}.testing").count() == 0


async def test_a_window_is_announced_approved_and_ended_from_its_panel(double: Double, sit_down: Open):
    asked = double.announce_window("maintenance", "requested")
    page = await sit_down()
    assert await page.inner_text("[data-windows=requested]") == "1"
    await page.keyboard.press("KeyD")
    await page.click(f"[data-window-id='{asked['id']}'] [data-do=approve]")
    await page.wait_for_selector(f"[data-window-id='{asked['id']}'][data-state=active]")
    await page.click("[data-announce]")
    await page.check("[data-form=window] input[value=test]")
    for name, text in (("unit", "unit-1"), ("person", "li"), ("password", "right"), ("reason", "年检")):
        await page.fill(f"[data-form=window] [name={name}]", text)
    await page.check("[data-form=window] input[value='60']")
    await page.click("[data-form=window] .form-end .primary")
    await until(lambda: any(path == "/windows" for path, _, _ in double.requests))
    body = double.requests[-1][2]
    assert (body["kind"], body["person"], body["password"]) == ("test", "li", "right")
    assert body["ends_at"] > at(-3500)
    await until_page(page, "document.querySelector('[data-windows=active]').textContent === '2'")
    await page.click(f"[data-window-id='{asked['id']}'] [data-do=end]")
    await page.click(f"[data-window-id='{asked['id']}'] .danger")
    await until_page(page, "document.querySelector('[data-windows=active]').textContent === '1'")


async def test_a_report_without_an_answer_is_kept_and_sent_again_as_the_same(double: Double, sit_down: Open):
    page = await sit_down()
    await page.keyboard.press("KeyN")
    await page.keyboard.press("Space")  # a fire
    await page.fill("[data-form=report] [name=text]", "看到浓烟")
    await page.fill("[data-form=report] [name=place]", "滨江路 8 号")
    double.away = True
    await page.click("[data-form=report] .primary")
    await page.wait_for_selector("[data-result=unanswered]")
    double.away = False
    await page.click("[data-form=report] .primary")
    await page.wait_for_selector("#detail")
    assert "电话报警" in await page.inner_text(".detail-head")
    assert len({key for _, key, _ in double.requests}) == 1
    assert len(double.alerts) == 1


async def test_what_was_closed_with_the_wrong_verdict_is_found_and_reopened(double: Double, sit_down: Open):
    alert = double.raise_alert(state="closed", closed_at=at(60), closed_by="zhang", disposition="false_alarm")
    for _ in range(200):
        double.raise_alert("fault", 4, state="closed", closed_at=at(30))
    page = await sit_down()
    await page.keyboard.press("KeyO")
    assert "优先级最高的 200 条" in await page.inner_text("[data-closed-more]")
    await page.click(f"[data-closed='{alert['id']}']")
    await page.wait_for_selector("[data-verb=reopen]")
    await page.focus("#queue-list")
    await page.keyboard.press("KeyU")
    await page.fill("[data-form=reopen] [name=reason]", "又冒烟")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(f"#alert-{alert['id']}")
    assert double.acts[-1][3]["reason"] == "又冒烟"


async def test_what_chatters_does_not_begin_to_sound_again_but_a_fire_does(double: Double, sit_down: Open):
    shaky = double.acknowledged(double.raise_alert("hazard", 2, flags=["chattering"]), "wang")
    page = await sit_down()
    again = {"state": "unacknowledged", "occurrences": 2}
    shaky |= again | {"version": 3}
    await double.announce(shaky)
    await until_page(page, "document.querySelector('[data-open=\"2\"]').closest('.tile').matches('.waiting')")
    assert await page.get_attribute("[data-sounding]", "data-sounding") == ""
    await double.announce(double.raise_alert(flags=["chattering"]))
    await until_page(page, f"tones.includes({FIRE})")
    assert await page.evaluate("!tones.includes(587)")
