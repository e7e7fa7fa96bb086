"""The watch on the page: on and off duty, the presence check, sessions that act no more, log, self-tests, accounts."""

import re

import pytest
from axe_playwright_python.async_playwright import Axe
from conftest import Open, until_page
from console_double import Double
from playwright.async_api import Page
from test_a11y import RULES
from waiting import until

pytestmark = pytest.mark.system

PRESENCE = 698  # the pitch of its tone; no alarm has it


async def open_panel(page: Page, name: str) -> None:
    """Open a panel the way an operator does: by `E`, then its button."""
    await page.focus("#queue-list")
    await page.keyboard.press("KeyE")
    await page.click(f"#panel [data-opens={name}]")
    await page.wait_for_selector(f"[data-panel={name}]")


async def on_duty(double: Double) -> list[str]:
    return [each["account"] for each in double.duty]


async def test_the_last_one_on_duty_does_not_get_out_and_is_led_to_the_handover(double: Double, sit_down: Open):
    """The refusal names who could take over, the seat goes on, and with another on duty signing out works."""
    double.put_on("wang", ago=7200)
    page, other = await sit_down(), await sit_down(who="li")
    await until(lambda: sum(armed for _, armed in double.seats.values()) == 2)
    await page.click(".switches button >> nth=-1")
    await page.wait_for_selector("[data-leaving=last]")
    said = await page.inner_text("[data-leaving=last]")
    assert "未退出登录" in said
    assert "li" in said
    assert len(double.sockets) == 2
    await page.click("[data-to-relief]")
    assert await page.evaluate("document.activeElement.name") == "to"
    await page.click("[data-duty=off]")
    await page.wait_for_selector("[data-leaving=last] >> text=未离岗")

    await other.keyboard.press("KeyI")
    await other.click("[data-duty=on]")
    await other.wait_for_selector("[data-on-duty=li]")
    await page.wait_for_selector("[data-on-duty=li]")  # told to every seat
    assert await page.inner_text("[data-duty-names]") == "wang +1"
    await page.click(".switches button >> nth=-1")
    await page.wait_for_selector("input[name=username]")


async def test_a_sign_out_without_an_answer_does_not_pretend(double: Double, sit_down: Open):
    page = await sit_down()
    await page.route("**/api/v1/session", lambda route: route.abort())
    await page.click(".switches button >> nth=-1")
    await page.wait_for_selector("[data-leaving=unanswered]")
    assert len(double.sockets) == 1


async def test_a_presence_check_is_answered_by_any_key_which_acknowledges_nothing(double: Double, sit_down: Open):
    """A band with the time left and a tone of its own; the server's word confirms it. A script's key is nobody."""
    alert = double.acknowledged(double.raise_alert("fault", 3), "wang")
    alert["state"] = "unacknowledged"
    double.put_on("wang")
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    await page.wait_for_selector("#detail")
    double.presents.clear()
    double.ask("wang", left=95)
    await double.tell()
    await page.wait_for_selector("[data-presence=asked]")
    assert re.search(r"剩余 1:[0-3]\d", await page.inner_text("[data-banner=presence]"))
    await until_page(page, f"tones.includes({PRESENCE})")
    assert await page.evaluate(f"tones.filter(t => t === {PRESENCE}).length") == 3  # short, once in ten seconds
    await page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', {code: 'Space', bubbles: true}))")
    assert double.presents == []
    await page.keyboard.press("KeyA")
    await page.wait_for_selector("[data-presence=answered]")
    assert "查岗已应答" in await page.inner_text("[data-banner=presence]")
    assert double.presents == ["wang"]
    assert double.acts == []
    await page.keyboard.press("KeyA")  # the next one means what it says
    await until(lambda: len(double.acts) == 1)


async def test_a_missed_presence_check_is_loud_and_still_answered_by_its_button(double: Double, sit_down: Open):
    double.put_on("wang")
    double.ask("wang", left=-30, missed=True)
    page, other = await sit_down(lang="en", arm=False), await sit_down(who="li", arm=False)
    await page.wait_for_selector("[data-presence=missed].loud")
    assert "it is an alert" in await page.inner_text("[data-banner=presence]")
    assert await other.locator("[data-banner=presence]").count() == 0  # only whoever is asked
    await page.click("[data-banner=presence] button")
    await page.wait_for_selector("[data-presence=answered]")


async def test_nobody_there_and_units_of_nobody_are_bands_on_whatever_seat_there_is(double: Double, sit_down: Open):
    double.unattended_since, double.uncovered = "2026-11-23T02:13:05Z", 3
    page = await sit_down(who="vera", arm=False)
    assert "不算值守" in await page.inner_text("[data-banner=unattended]")
    assert "3 个单位" in await page.inner_text("[data-banner=uncovered]")
    await page.keyboard.press("KeyI")  # turns the sound on
    await page.keyboard.press("KeyI")
    await page.wait_for_selector("[data-nobody]")
    assert await page.locator("[data-duty], [data-relieve]").count() == 0  # a viewer only looks
    double.unattended_since, double.uncovered = None, 0
    await double.tell()
    await until_page(page, "!document.querySelector('[data-banner=unattended], [data-banner=uncovered]')")


async def test_muting_stands_in_the_shift_log(double: Double, sit_down: Open):
    page = await sit_down()
    await page.keyboard.press("KeyM")
    await page.wait_for_selector("[data-sound=muted]")
    await until(lambda: double.muted == [120])
    await page.keyboard.press("KeyM")
    await page.wait_for_selector("[data-sound=armed]")
    assert double.muted == [120]


async def test_a_session_that_acts_no_more_goes_on_showing_and_sounding_until_its_password(
    double: Double, sit_down: Open
):
    """What was written is kept, and sent after signing in again beside the queue."""
    page = await sit_down()
    await open_panel(page, "shiftlog")
    double.expired = True
    await page.fill("[data-form=shift-log] textarea", "夜间巡视正常")
    await page.click("[data-form=shift-log] button")
    await page.wait_for_selector("[data-banner=expired]")
    fire = double.raise_alert()
    await double.announce(fire)
    await page.wait_for_selector(f"#alert-{fire['id']}")
    await until_page(page, "tones.includes(960)")
    await page.fill("[data-banner=expired] input", "wrong")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("[data-banner=expired] .trouble:has-text('密码不对')")
    await page.fill("[data-banner=expired] input", "right")
    await page.keyboard.press("Enter")
    await until_page(page, "!document.querySelector('[data-banner=expired]')")
    await page.wait_for_selector("[data-feed=live]")
    await page.click("[data-form=shift-log] button")
    await page.wait_for_selector("[data-log=note]:has-text('夜间巡视正常')")


async def test_the_shift_log_is_read_newest_first_in_words_and_corrected_by_a_new_entry(double: Double, sit_down: Open):
    """An entry whose answer was lost is written once; the wrong entry stays, and the new one names it."""
    for n in range(25):
        double.write("mute", "li", seconds=60 + n)
    double.write("sign_off", "ada", forced=True, of="li", reason="家中有急事")
    page = await sit_down()
    await open_panel(page, "shiftlog")
    await page.wait_for_selector("[data-log]")
    first = await page.inner_text("[data-log] >> nth=0")
    assert "离岗" in first
    assert "由管理员强制：家中有急事" in first
    assert await page.locator("[data-log]").count() == 20
    await page.click("[data-older]")
    await until_page(page, "document.querySelectorAll('[data-log]').length === 26")

    await page.fill("[data-form=shift-log] textarea", "B 座电梯停运")
    await page.route("**/shifts/log", lambda route: route.abort())
    await page.click("[data-form=shift-log] button")
    await page.wait_for_selector("[data-result=unanswered]")
    await page.unroute("**/shifts/log")
    async with page.expect_request("**/shifts/log"):
        await page.click("[data-form=shift-log] button")
    await page.wait_for_selector("[data-log=note]")
    await page.click("[data-correct]")
    assert "B 座电梯停运" in await page.inner_text("[data-corrects]")
    await page.keyboard.type("应为 A 座")
    await page.click("[data-form=shift-log] button.primary")
    await page.wait_for_selector("[data-log=note]:has-text('应为 A 座')")
    notes = [entry for entry in double.log if entry["kind"] == "note"]
    assert [note["text"] for note in notes] == ["B 座电梯停运", "应为 A 座"]
    assert [note["refers_to"] for note in notes] == [None, notes[0]["id"]]
    await page.click("details summary")
    await page.wait_for_selector("[data-report]:has-text('wang')")


async def test_a_self_test_is_put_on_record_with_what_is_suggested(double: Double, sit_down: Open):
    double.lack("link_119")
    hint = {"alert_id": "812", "window_id": "7", "at": "2026-11-23T02:00:00Z"}
    double.lack("unit_fire_test", "due", "mall-01", suggestion=hint)
    page = await sit_down()
    await open_panel(page, "selftests")
    await page.click("[data-self-tests=overdue] [data-record]")
    await page.check("[data-form=self-test] input[value=failed]")
    await page.fill("[data-form=self-test] textarea", "119 端无应答")
    await page.click("[data-form=self-test] .primary")
    await page.wait_for_selector("[data-self-tests=failed] [data-self-test=link_119]")
    await page.wait_for_selector("[data-done=link_119]:has-text('119 端无应答')")
    assert "#812" in await page.inner_text("[data-suggested]")
    await page.click("[data-self-tests=due] [data-record]")
    assert await page.input_value("[data-form=self-test] input[name=evidence]") == "812"
    await page.check("[data-form=self-test] input[value=passed]")
    await page.click("[data-form=self-test] .primary")
    await page.wait_for_selector("[data-self-tests=done] [data-test-unit=mall-01]")
    assert double.tests_done[-1]["evidence"] == "812"


async def test_an_administrator_adds_changes_and_disables_accounts_and_others_do_not(double: Double, sit_down: Open):
    """What ends sessions is confirmed; nobody disables themselves."""
    page, other = await sit_down(who="ada"), await sit_down()
    await open_panel(page, "accounts")
    await page.click("[data-add]")
    await page.fill("[data-form=account] input[name=username]", "zhao")
    await page.check("[data-form=account] input[value=operator]")
    await page.fill("[data-form=account] input[type=password]", "short")
    await page.click("[data-form=account] .primary")
    assert await page.locator("[data-form=account] input[type=password]:invalid").count() == 1
    await page.fill("[data-form=account] input[type=password]", "long enough")
    await page.click("[data-form=account] .primary")
    await page.wait_for_selector("[data-account=zhao]")

    await page.click("[data-change=zhao]")
    await page.fill("[data-form=scope] textarea[name=units]", "mall-01, school\nhosp-01")
    await page.click("[data-form=scope] button")
    await page.wait_for_selector("[data-account=zhao]:has-text('hosp-01')")
    assert double.people["zhao"]["scope"] == {"units": ["mall-01", "school", "hosp-01"], "grids": [], "districts": []}
    await page.check("[data-account=zhao] input[value=viewer]")
    await page.click("[data-account=zhao] form .primary")
    await until(lambda: double.people["zhao"]["role"] == "viewer")
    await page.fill("[data-form=password] input", "another long one")
    for _ in range(2):  # asked once more, for it ends sessions
        assert not [path for path, *_ in double.requests if path.endswith("password")]
        await page.click("[data-form=password] button")
    await until(lambda: double.requests[-1] == ("/accounts/zhao/password", "PUT", {"password": "another long one"}))
    await page.click("[data-do=disable]")
    assert not double.people["zhao"]["disabled"]
    await page.click("[data-sure=disable]")
    await page.wait_for_selector("[data-account=zhao][data-disabled=true]")
    await page.click("[data-account=zhao] [data-do=enable]")
    await page.wait_for_selector("[data-account=zhao][data-disabled=false]")
    await page.click("[data-change=ada]")
    await page.wait_for_selector("[data-account-form=ada]")
    assert (
        await page.locator("[data-account-form=ada] [data-do=disable], [data-account-form=ada] fieldset").count() == 0
    )

    await other.focus("#queue-list")
    await other.keyboard.press("KeyE")
    await other.wait_for_selector("#panel [data-opens=watch]")
    assert await other.locator("#panel [data-opens=accounts]").count() == 0


@pytest.mark.parametrize(("lang", "theme"), [("zh-CN", "dark"), ("en", "light")])
async def test_axe_finds_nothing_in_the_watch_and_no_word_is_missing(
    double: Double, sit_down: Open, lang: str, theme: str
):
    """Panels and bands, on a desk and on a phone; a long name does not push the strip out of sight."""
    double.raise_alert("fire", 1, assignee="a-very-long-name-of-an-operator")
    double.put_on("a-very-long-name-of-an-operator", ago=7200)
    double.duty[0]["missed"] = True
    double.lack("link_119")
    double.announce_window("impairment", measure="每小时巡查")
    for kind in ("handover_begun", "unattended", "account"):
        double.write(kind, "firetower", outgoing="li", incoming=None, account="li", act="role", role="viewer")
    double.uncovered = 2
    page = await sit_down(lang=lang, theme=theme, who="ada", reduced_motion="reduce")
    strip = "(s => s.scrollWidth - s.clientWidth)(document.querySelector('.strip'))"
    assert await page.evaluate(strip) <= 0
    double.ask("ada")
    double.put_on("ada")
    await double.tell()
    await page.keyboard.press("KeyI")
    await page.click("[data-duty=off]")
    await page.wait_for_selector("[data-leaving]")
    await page.click("#relief button.primary")
    await page.wait_for_selector("[data-passing]")
    for name in ("watch", "shiftlog", "selftests", "accounts"):
        if name != "watch":
            await open_panel(page, name)
        if name == "accounts":
            await page.click("[data-change=li]")
        await page.wait_for_selector(f"[data-panel={name}]:has(.entry)")
        for size in ({"width": 390, "height": 844}, {"width": 1366, "height": 768}):
            await page.set_viewport_size(size)
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, size)
        found = await Axe().run(page, options=RULES)
        faults = [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found.response["violations"]]
        assert not faults, name
        assert "⟦" not in await page.inner_text("body")
