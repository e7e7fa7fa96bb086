"""Operator acts: two at once, refusals, no answer; and closing, which takes two steps."""

import pytest
from conftest import Open, until_page
from console_double import Double
from waiting import until

pytestmark = pytest.mark.system


async def test_of_two_operators_the_second_learns_who_was_first(double: Double, sit_down: Open):
    alert = double.raise_alert()
    first, second = await sit_down(who="wang"), await sit_down(who="zhang")
    for page in (first, second):
        await page.keyboard.press("KeyJ")
        await page.wait_for_selector(f"[data-alert='{alert['id']}']")
    double.hold.clear()  # both requests are on the way before either is answered
    await first.keyboard.press("KeyA")
    await until(lambda: len(double.acts) == 1)
    await second.keyboard.press("KeyA")
    await until(lambda: len(double.acts) == 2)
    for page in (first, second):
        assert await page.get_attribute(".acknowledge .outcome", "data-outcome") == "doing"
        assert "未受理" in await page.inner_text(".detail-head")  # not shown as done before it is
    double.hold.set()
    await first.wait_for_selector("[data-outcome=done]")
    await second.wait_for_selector("[data-outcome=already]")
    assert "此前已由 wang 于" in await second.inner_text(".acknowledge .outcome")
    await second.wait_for_selector(".detail-head:has-text('已受理')")  # painted a frame later


async def test_an_alert_that_changed_under_the_act_is_not_acknowledged_and_shows_its_state(
    double: Double, sit_down: Open
):
    alert = double.raise_alert()
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    await page.wait_for_selector("#detail")
    alert |= {"occurrences": 2, "version": 2}  # nobody told this console
    await page.keyboard.press("KeyA")
    await page.wait_for_selector("[data-outcome=changed]")
    assert alert["state"] == "unacknowledged"
    await page.wait_for_selector(".detail-head:has-text('×2')")  # painted a frame later
    await page.keyboard.press("KeyA")
    await page.wait_for_selector("[data-outcome=done]")


async def test_without_an_answer_it_is_tried_again_by_itself_as_the_same_act(double: Double, sit_down: Open):
    double.raise_alert()
    page = await sit_down()
    keys: list[str] = []
    page.on("request", lambda asked: "acknowledge" in asked.url and keys.append(asked.headers["idempotency-key"]))
    await page.route("**/acknowledge", lambda route: route.abort())
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("KeyA")
    await page.wait_for_selector("[data-outcome=waiting]")
    double.refuse = {"code": "invalid", "message": "no"}
    await page.unroute("**/acknowledge")
    await page.wait_for_selector("[data-outcome=refused]")
    assert "服务器拒绝" in await page.inner_text("[data-act=refused]")
    double.refuse = None
    await page.keyboard.press("KeyA")
    await page.wait_for_selector(".acknowledge [data-outcome=done]")
    assert len(keys[0]) == 32
    assert set(keys[:-1]) == {keys[0]}
    assert keys[-1] != keys[0]  # after an answer, a new press is a new act


async def test_a_refusal_is_shown_in_words(double: Double, sit_down: Open):
    double.raise_alert()
    double.refuse = {"code": "forbidden", "message": "li is a viewer; this takes an operator"}
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("KeyA")
    await page.wait_for_selector("[data-outcome=refused]")
    said = await page.inner_text(".acknowledge .outcome")
    assert "没有权限" in said
    assert "li is a viewer" not in said  # the server's words are English: folded beneath
    await page.click(".acknowledge .original summary")
    assert "li is a viewer" in await page.inner_text(".acknowledge .original")
    assert "未受理" in await page.inner_text(".detail-head")


async def test_closing_takes_two_steps_without_a_default_and_stands_apart_from_acknowledge(
    double: Double, sit_down: Open
):
    alert = double.acknowledged(double.raise_alert(), "wang")
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    await page.click(".closing button")
    assert await page.locator(".closing input:checked").count() == 0
    assert await page.locator(".closing .form-end button >> nth=1").is_disabled()
    values = await page.eval_on_selector_all(".closing input[type=radio]", "all => all.map(r => r.value)")
    assert not {"unknown", "hazard_fixed"} & set(values)  # not for a fire

    await page.check(".closing input[value=false_alarm]")
    await page.fill(".closing > label input", "厨房油烟")
    await page.click(".closing .form-end button >> nth=1")
    await page.wait_for_selector(".sure")
    assert not double.acts
    await page.check(".closing input[value=test]")  # a change of mind takes the confirmation back
    assert await page.locator(".sure").count() == 0
    await page.check(".closing input[value=false_alarm]")
    await page.click(".closing .form-end button >> nth=1")
    gap = """() => document.querySelector(".closing .danger").getBoundingClientRect().top
        - document.querySelector(".acknowledge").getBoundingClientRect().bottom"""
    assert await page.evaluate(gap) > 100
    await page.click(".closing .danger")
    await until(lambda: alert["state"] == "closed")
    _, _, _, body = double.acts[0]
    assert (body["disposition"], body["cause"]) == ("false_alarm", "厨房油烟")
    await until_page(page, "!document.querySelector('.row')")
    assert "已办结" in await page.inner_text("#detail")


async def test_a_refused_closing_keeps_what_was_written(double: Double, sit_down: Open):
    alert = double.acknowledged(double.raise_alert(), "wang")
    other = double.raise_alert("fault", 3)
    double.refuse = {"code": "invalid", "message": "raised in no announced drill"}
    page = await sit_down()
    await page.click(f"#alert-{alert['id']}")
    await page.click(".closing button")
    await page.check(".closing input[value=drill]")
    await page.fill(".closing input[name=person]", "张三")
    await page.fill(".closing input[name=number]", "138")
    await page.click(".closing .form-end button >> nth=1")
    await page.click(".closing .danger")
    await page.wait_for_selector(".closing [data-outcome=refused]")
    assert "raised in no announced drill" in await page.inner_text(".closing .outcome")
    await page.click(f"#alert-{other['id']}")
    await page.click(f"#alert-{alert['id']}")
    await page.click(".closing button")
    assert await page.input_value(".closing input[name=person]") == "张三"
    assert double.acts[0][3]["call_back"] == {"person": "张三", "number": "138"}


async def test_what_a_disposition_needs_is_asked_for_before_the_second_step(double: Double, sit_down: Open):
    double.acknowledged(double.raise_alert(), "wang")
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    await page.click(".closing button")
    for disposition, fields in (("false_alarm", ["cause"]), ("test", ["person", "number"])):
        await page.check(f".closing input[value={disposition}]")
        for name in fields:
            await page.click(".closing .form-end button >> nth=1")
            assert await page.locator(".sure").count() == 0
            assert await page.locator(f".closing input[name={name}]:invalid").count() == 1
            await page.fill(f".closing input[name={name}]", "厨房油烟")
        await page.click(".closing .form-end button >> nth=1")
        await page.wait_for_selector(".sure")
    await page.check(".closing input[value=real_fire]")
    assert await page.get_attribute("[data-missing]", "data-missing") == "forward receipt"
    assert await page.locator(".closing .form-end button >> nth=1").is_disabled()


async def test_another_selection_shows_its_headline_however_far_the_last_one_was_scrolled(
    double: Double, sit_down: Open
):
    double.raise_alert()
    double.raise_alert()
    page = await sit_down(viewport={"width": 1366, "height": 500})
    await page.keyboard.press("KeyJ")
    await page.wait_for_selector("#detail")
    await page.evaluate("document.querySelector('.side').scrollTo(0, 300)")
    assert await page.evaluate("document.querySelector('.side').scrollTop") > 0
    first = await page.get_attribute("#detail", "data-alert")
    await page.keyboard.press("KeyJ")
    await until_page(page, f"document.getElementById('detail').dataset.alert !== '{first}'")
    assert await page.evaluate("document.querySelector('.side').scrollTop") == 0


async def test_the_panels_words_stand_once_when_point_and_text_are_the_same(double: Double, sit_down: Open):
    double.raise_alert(component="2-3-017", text="2-3-017")
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    assert (await page.inner_text(".panel-text")).strip() == "2-3-017"


async def test_a_note_joins_the_history(double: Double, sit_down: Open):
    double.raise_alert()
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    await page.fill("form.note textarea", "已电话联系消控室")
    await page.click("form.note button")
    await page.wait_for_selector(".history .said:has-text('已电话联系消控室')")
    assert await page.input_value("form.note textarea") == ""


async def test_alarms_keep_flowing_beside_an_open_form(double: Double, sit_down: Open):
    double.raise_alert()
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    await page.click(".closing button")
    await page.fill(".closing textarea", "半句话")
    new = double.raise_alert()
    await double.announce(new)
    await page.wait_for_selector(f"#alert-{new['id']}")
    assert await page.input_value(".closing textarea") == "半句话"
    assert await page.evaluate("document.activeElement.tagName") == "TEXTAREA"


async def test_an_alert_closed_by_somebody_else_stays_readable_and_says_so(double: Double, sit_down: Open):
    alert = double.acknowledged(double.raise_alert(), "li")
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    await page.wait_for_selector("#detail")
    alert |= {"state": "closed", "closed_by": "li", "closed_at": alert["raised_at"], "version": 9}
    await double.announce(alert)
    await until_page(page, "document.querySelector('.detail-head').textContent.includes('已办结')")
    assert "li" in await page.inner_text(".acknowledge .outcome")
    await page.keyboard.press("KeyA")
    await page.wait_for_selector("[data-outcome=closed]")
    assert not double.acts
