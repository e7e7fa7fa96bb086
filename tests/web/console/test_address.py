"""The address says what a seat looks at: a reload, a link and the browser's "back" show it; nothing in it does harm."""

import json
from typing import Any

import pytest
from conftest import Open, until_page
from console_double import Double
from test_core import Run, run, sign_in_page

from firetower.alerts.model import State
from firetower.devices.events import AlertClass

pytestmark = pytest.mark.system
__all__ = ["run", "sign_in_page"]

READ = "(m, hash) => m.read(hash, name => ['held', 'unit', 'device', 'script'].includes(name))"


async def test_what_was_written_is_read_back_and_every_class_and_state_may_be_chosen(run: Run):
    place = {
        "filter": {"q": "泵 & #=", "priority": ["1", "2"], "class": list(AlertClass), "state": ["returned"],
                   "unit": "mall-01", "mine": True},
        "alert": "42", "panel": "device", "subject": {"unit": "mall-01", "device": "smk-1"},
    }  # fmt: skip
    both = "(m, p) => { const text = m.written(p); return [text, m.read('#' + text, () => true)]; }"
    text, back = await run("address.js", both, place)
    assert text.startswith("q=%E6%B3%B5%20%26%20%23%3D&priority=1,2&class=fire,prealarm,")
    assert back == place | {"ignored": []}
    open_states = [state for state in State if state is not State.CLOSED]
    assert sorted(await run("search.js", "m => m.CHOICES.state")) == sorted(open_states)


@pytest.mark.parametrize(
    ("said", "read", "ignored"),
    [
        ("#", {}, []),
        ("#alert=<script>&priority=1", {"filter": {"priority": ["1"]}}, ["alert=<script>"]),
        ("#alert=1;drop&alert=7", {"alert": "7"}, ["alert=1;drop"]),
        ("#priority=0,2,__proto__&class=arson", {"filter": {"priority": ["2"]}},
         ["priority=0", "priority=__proto__", "class=arson"]),
        ("#__proto__=1&constructor=2&toString", {}, ["__proto__=1", "constructor=2", "toString"]),
        ("#unit=../../x&mine=yes&state=closed", {}, ["unit=../../x", "mine=yes", "state=closed"]),
        ("#panel=nowhere&panel=device&of=mall-01", {"subject": {"unit": "mall-01", "device": ""}},
         ["panel=nowhere", "panel=device"]),
        ("#q=%E0%A4%A", {"filter": {"q": "\ufffd%A"}}, []),
        ("#x=" + "y" * 60, {}, ["x=" + "y" * 38 + "…"]),
        ("#q=" + "y" * 3000, {}, ["q=" + "y" * 38 + "…"]),
    ],
)  # fmt: skip
async def test_what_is_not_understood_is_left_out_and_named(run: Run, said: str, read: Any, ignored: list[str]):
    nothing = {"q": "", "priority": [], "class": [], "state": [], "unit": "", "mine": False}
    expected = {"alert": "", "panel": "", "subject": None} | read | {"ignored": ignored}
    expected["filter"] = nothing | read.get("filter", {})
    found = await run("address.js", READ, said)
    assert found == expected, json.dumps(found)


async def test_a_link_gives_a_colleague_the_same_view_and_back_goes_back_without_losing_a_draft(
    double: Double, sit_down: Open
):
    fire = double.raise_alert(unit="mall-01", unit_name="中心商场")
    fault = double.raise_alert("fault", 3, unit="mall-01", unit_name="中心商场", assignee="li")
    double.raise_alert("fault", 3, unit="hosp-01")
    double.raise_alert("prealarm", 2, unit="hosp-01")
    page = await sit_down()
    await page.evaluate("globalThis.here = true")
    await page.click("[data-narrow]")
    await page.click("[data-choice='class=fault']")
    await page.fill("[name=narrow-unit]", "中心商场")
    await page.keyboard.press("Enter")
    await page.click("[data-narrow]")
    await until_page(page, "document.querySelectorAll('.row').length === 1")
    assert await page.get_attribute("[data-fires-outside]", "data-fires-outside") == "1"
    assert await page.get_attribute("[data-waiting-outside]", "data-waiting-outside") == "1"  # it sounds, too
    await page.click(f"#alert-{fault['id']}")
    await page.fill("form.note textarea", "已致电")
    await page.click("[data-opens=held]")
    link = await page.evaluate("location.href")
    assert link.endswith(f"#class=fault&unit=mall-01&alert={fault['id']}&panel=held")

    await page.go_back()
    await page.wait_for_selector(f"[data-alert='{fault['id']}']")
    assert await page.input_value("form.note textarea") == "已致电"
    await page.click(".outside button")
    await page.wait_for_selector(f"[data-alert='{fire['id']}']")
    await page.go_back()
    await page.wait_for_selector(f"[data-alert='{fault['id']}']")
    await page.go_back()
    await page.wait_for_selector(".nothing")
    await page.go_back()
    await page.wait_for_selector("[data-choice='class=fault']")
    await until_page(page, "!document.querySelector('[data-choice=unit]')")
    assert await page.evaluate("globalThis.here")  # it is the same page all the time

    other = await sit_down(who="li", arm=False)
    await other.goto(link.replace("panel=held", "panel=held&state=nonsense<b>"))
    await other.wait_for_selector("#panel[data-panel=held]")
    await other.reload()
    await other.wait_for_selector("#panel[data-panel=held]")
    await until_page(other, "document.querySelectorAll('.row').length === 1")
    assert await other.locator("[data-choice='class=fault'][aria-pressed=true]").count() == 1
    assert "中心商场" in await other.locator("[data-choice=unit]").inner_text()


async def test_a_link_opens_an_alert_long_closed_and_says_what_it_cannot_open(double: Double, sit_down: Open):
    closed = double.raise_alert() | {"state": "closed", "closed_by": "li", "closed_at": "2026-11-20T11:00:00Z"}
    double.alerts[closed["id"]] = closed
    waiting = double.raise_alert("fault", 3)
    page = await sit_down(arm=False, signed_in=False)
    await page.goto(f"{double.url}/console/#alert={closed['id']}&shape=<img src=x>")
    await page.fill("input[name=username]", "wang")  # the link waits for the sign-in
    await page.fill("input[name=password]", "right")
    await page.click(".signin .primary")
    await page.wait_for_selector(f"[data-alert='{closed['id']}']")
    assert "shape=<img src=x>" in await page.inner_text("[data-unfollowed]")
    assert await page.locator("[data-unfollowed] img").count() == 0
    await page.evaluate("location.hash = '#alert=999999'")
    await page.wait_for_selector("[data-unfollowed]:has-text('999999')")
    await page.click("[data-unfollowed] button")
    await page.keyboard.press("Space")
    await page.wait_for_selector("[data-sound=armed]")
    await page.keyboard.press("Home")
    await page.wait_for_selector(f"[data-alert='{waiting['id']}']")
    await page.click(".switches button >> nth=-1")
    await page.wait_for_selector(".signin")
    assert await page.evaluate("location.hash") == ""  # whoever comes next begins with the whole queue


async def test_leaving_the_page_is_asked_about_while_alarms_wait_and_nothing_reloads_it(double: Double, sit_down: Open):
    double.raise_alert("fault", 3)
    page = await sit_down()
    asks = """() => { const event = new Event("beforeunload", { cancelable: true });
        dispatchEvent(event); return event.defaultPrevented; }"""
    assert await page.evaluate(asks) is False
    fire = double.raise_alert()
    await double.announce(fire)
    await page.wait_for_selector(f"#alert-{fire['id']}")
    assert await page.evaluate(asks) is True
