"""While the store is away: provisional alarms in sight and heard, acts that wait in sight, the canary."""

import pytest
from axe_playwright_python.async_playwright import Axe
from conftest import Open, until_page
from console_double import Double, at
from waiting import until

pytestmark = pytest.mark.system

FIRE = 960  # the first pitch of its pattern
GONE = {"store": "unavailable", "broker": "ok"}
BACK = {"store": "ok", "broker": "ok"}


async def outage(double: Double) -> None:
    """The store goes away, and every console is told."""
    double.away, double.kpis = True, GONE
    await double.tell()


async def recovery(double: Double) -> None:
    """The store comes back, and every console is told."""
    double.away, double.kpis = False, BACK
    await double.tell()


async def test_a_provisional_fire_stands_on_top_sounds_and_becomes_its_stored_alert(double: Double, sit_down: Open):
    """It is marked by icon, word and outline, sounds like any fire, and its stored alert takes its place."""
    double.raise_alert("fire", 1)
    for stored in double.alerts.values():
        double.acknowledged(stored, "zhang")
    page = await sit_down()
    await outage(double)
    await page.wait_for_selector("[data-banner=store]")
    assert "未落库" in await page.inner_text("[data-banner=store]")
    alarm = double.hold_back()
    await double.tell()
    await page.wait_for_selector(".row.provisional")
    assert "未落库" in await page.inner_text(".row >> nth=0")
    assert await page.locator(".row >> nth=0").evaluate("row => getComputedStyle(row).outlineStyle") == "dashed"
    assert await page.inner_text("[data-open='1']") == "2"
    await until_page(page, f"tones.includes({FIRE})")
    await page.keyboard.press("KeyJ")
    assert "未落库" in await page.inner_text("#detail")
    assert await page.locator("#detail .closing").count() == 0  # nothing to close yet

    stored = await double.store_takes(alarm)
    await page.wait_for_selector(f"#alert-{stored['id']}")
    assert await page.locator(".row.provisional").count() == 0
    assert await page.get_attribute("#detail", "data-alert") == stored["id"]  # the operator goes on reading it
    assert await page.inner_text("[data-open='1']") == "2"


async def test_of_a_provisional_fire_stands_whom_to_call_and_what_to_say_to_119(double: Double, sit_down: Open):
    """Without the store nothing is asked of it; the script stays open when the alarm becomes its stored alert."""
    page = await sit_down()
    await outage(double)
    people = [{"name": "王师傅", "role": "control_room", "phone": "0750-110", "reachable": True}]
    alarm = double.hold_back(unit_name="城西购物中心", address="建设路1号", contacts=people, lon=113.1, lat=22.3)
    bare = double.hold_back(ago=30)
    await double.tell()
    await page.wait_for_selector(f"#alert-p-{bare['key']}")
    await page.click(f"#alert-p-{bare['key']}")
    assert "查纸质名册" in await page.inner_text("#detail [data-remembered='0']")
    await page.click(f"#alert-p-{alarm['key']}")
    assert await page.get_attribute("#detail [data-remembered] .dial", "href") == "tel:0750-110"
    await page.keyboard.press("Digit1")
    said = await page.inner_text("[data-unstored-script]")
    for words in ("未落库", "城西购物中心", "建设路1号", "火警", "3F 走廊", "22.3", "王师傅", "0750-110"):
        assert words in said, words
    assert await page.locator("[data-unstored-script] form").count() == 0  # nothing can be put on record now
    stored = await double.store_takes(alarm)
    await page.wait_for_selector(f"[data-panel=script] [data-script-of='{stored['id']}']")


async def test_an_acknowledged_provisional_alarm_is_silent_here_and_is_acknowledged_once_stored(
    double: Double, sit_down: Open
):
    """The act waits in sight, silences this seat, not another one, and is done when the alert appears."""
    page, other = await sit_down(), await sit_down(who="li")
    await outage(double)
    alarm = double.hold_back()
    await double.tell()
    await page.wait_for_selector(".row.provisional")
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("KeyA")
    await page.wait_for_selector("[data-act=waiting]")
    assert "待报警入库" in await page.inner_text("[data-act=waiting]")
    assert "自动办理" in await page.inner_text(".acknowledge .outcome")
    for seat in (page, other):
        await seat.evaluate("tones.length = 0")
    await until_page(other, f"tones.filter(t => t === {FIRE}).length >= 4")  # two patterns of two such tones
    assert await page.evaluate(f"tones.includes({FIRE})") is False
    assert not double.acts

    await page.evaluate("tones.length = 0")
    await recovery(double)
    stored = await double.store_takes(alarm)
    await page.wait_for_selector("[data-act=done]")
    assert stored["acknowledged_by"] == "wang"
    assert await page.evaluate(f"tones.includes({FIRE})") is False


async def test_a_further_fire_sounds_again_and_its_earlier_acknowledgement_does_not_count(
    double: Double, sit_down: Open
):
    """What was acknowledged is the first event; the second is news, and the operator must look at it."""
    page = await sit_down()
    await outage(double)
    alarm = double.hold_back(ago=60)
    await double.tell()
    await page.wait_for_selector(".row.provisional")
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("KeyA")
    await page.wait_for_selector("[data-act=waiting]")
    await page.evaluate("tones.length = 0")
    alarm["device_at"] = at()
    await double.tell()
    await until_page(page, f"tones.includes({FIRE})")
    await page.wait_for_selector("[data-act=changed]")
    await recovery(double)
    stored = await double.store_takes(alarm)
    await page.wait_for_selector(f"#alert-{stored['id']}")
    assert not double.acts


async def test_a_repeat_of_what_is_in_sight_is_no_second_row_and_no_second_sound(double: Double, sit_down: Open):
    """A device that says an acknowledged fault again in an outage disturbs nobody; a further fire does."""
    fault = double.acknowledged(double.raise_alert("hazard", 2), "zhang")
    fire = double.acknowledged(double.raise_alert("fire", 1, ago=30), "zhang")
    page = await sit_down()
    await outage(double)
    double.hold_back("hazard", 2, key=fault["key"])
    double.hold_back("fire", 1, key=fire["key"], device_at=fire["last_event_at"])
    marker = double.hold_back("fault", 3)
    await double.tell()
    await page.wait_for_selector(f"#alert-p-{marker['key']}")
    assert await page.locator(".row").count() == 3
    double.provisional[1]["device_at"] = at()  # type: ignore[index]
    await double.tell()
    await page.wait_for_selector(f"#alert-p-{fire['key']}")
    await until_page(page, f"tones.includes({FIRE})")


async def test_an_act_in_an_outage_waits_in_sight_survives_a_reload_and_is_done_on_recovery(
    double: Double, sit_down: Open
):
    """It names what, of which alert, since when, how often tried; one key all the way; done is shown, too."""
    alert = double.raise_alert()
    page = await sit_down()
    await outage(double)
    await page.wait_for_selector("[data-banner=store]")
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("KeyA")
    await page.wait_for_selector("[data-act=waiting]")
    assert f"#{alert['id']}" in await page.inner_text("[data-act=waiting]")
    tried = r"/\d\d:\d\d:\d\d 起，已试 [1-9]/"  # none at first: the first try is on its way
    await until_page(page, f"{tried}.test(document.querySelector('[data-act=waiting]').innerText)")
    await page.reload()
    await page.wait_for_selector("[data-act=waiting]")
    await until(lambda: len(double.acts) >= 2)
    assert alert["state"] == "unacknowledged"
    await recovery(double)
    await page.wait_for_selector("[data-act=done]")
    assert alert["acknowledged_by"] == "wang"
    assert len({key for _, _, key, _ in double.acts}) == 1
    await page.click("[data-act=done] button")
    await until_page(page, "!document.querySelector('.waiting-acts')")


async def test_waiting_acts_belong_to_the_account_that_did_them(double: Double, sit_down: Open):
    """Another operator at the same seat neither sees nor does them; their own operator finds them again."""
    double.raise_alert()
    page = await sit_down()
    await outage(double)
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("KeyA")
    await page.wait_for_selector("[data-act=waiting]")
    for who, sees in (("li", 0), ("wang", 1)):
        await page.click(".switches button >> nth=-1")
        await page.wait_for_selector("input[name=username]")
        tries = len(double.acts)
        await page.fill("input[name=username]", who)
        await page.fill("input[name=password]", "right")
        await page.click(".signin .primary")
        await page.wait_for_selector("[data-feed=live]")
        await until_page(page, f"document.querySelectorAll('[data-act=waiting]').length === {sees}")
        if who == "li":
            assert len(double.acts) == tries


async def test_a_waiting_act_can_be_taken_back(double: Double, sit_down: Open):
    """It is not tried any more, and the alert is open to be acknowledged again."""
    double.raise_alert()
    page = await sit_down()
    await outage(double)
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("KeyA")
    await page.wait_for_selector("[data-act=waiting]")
    await page.click("[data-act=waiting] button")
    await page.wait_for_selector("[data-outcome=withdrawn]")
    tries = len(double.acts)
    await recovery(double)
    await page.keyboard.press("KeyA")
    await page.wait_for_selector(".acknowledge [data-outcome=done]")
    assert len(double.acts) == tries + 1
    assert double.acts[-1][2] != double.acts[0][2]


async def test_a_waiting_act_that_somebody_else_was_quicker_with_says_so(double: Double, sit_down: Open):
    """Who was first stands in the list of results."""
    alert = double.raise_alert()
    page = await sit_down()
    await outage(double)
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("KeyA")
    await page.wait_for_selector("[data-act=waiting]")
    double.acknowledged(alert, "zhang")
    await recovery(double)
    await page.wait_for_selector("[data-act=already]")
    assert "zhang" in await page.inner_text("[data-act=already]")


async def test_a_waiting_note_is_kept_with_its_words_and_saved_on_recovery(double: Double, sit_down: Open):
    """The field is free for the next words while the first ones wait in sight."""
    alert = double.raise_alert()
    page = await sit_down()
    await outage(double)
    await page.keyboard.press("KeyJ")
    await page.fill("form.note textarea", "已电话联系消控室")
    await page.click("form.note button")
    await page.wait_for_selector("[data-act=waiting]:has-text('已电话联系消控室')")
    assert await page.input_value("form.note textarea") == ""
    await recovery(double)
    await page.wait_for_selector("[data-act=done]")
    assert [entry["reason"] for entry in double.history[alert["id"]]] == ["raised", "noted"]


async def test_a_page_opened_while_the_service_itself_cannot_read_the_store_shows_what_arrives(
    double: Double, sit_down: Open
):
    """No list of stored alerts, and it says why; provisional alarms are there; the list comes with the store."""
    stored = double.raise_alert("fault", 3)
    double.unread, double.away, double.kpis = True, True, GONE
    double.hold_back()
    page = await sit_down()
    await page.wait_for_selector(".row.provisional")
    assert await page.locator("[data-banner=store]").count() == 1
    double.unread = False
    await recovery(double)
    for socket in list(double.sockets):
        await socket.send_json(double._frame("snapshot", alerts=[stored]))
    await page.wait_for_selector(f"#alert-{stored['id']}")


async def test_alarms_beyond_the_list_are_counted_loudly(double: Double, sit_down: Open):
    """Nobody takes 2,000 listed alarms for all of them."""
    double.hold_back()
    double.more = 17
    page = await sit_down()
    await page.wait_for_selector("[data-banner=more]")
    assert "17" in await page.inner_text("[data-banner=more]")


async def test_the_age_of_the_canary_is_in_sight_and_three_missed_make_the_seat_red(double: Double, sit_down: Open):
    """The age goes on by the seat's own clock; the next canary ends the red."""
    double.canary = {"canary": {"sent_at": at(12), "committed_at": at(11)}}
    page = await sit_down()
    await until_page(page, "/金丝雀 1\\d 秒/.test(document.querySelector('[data-canary]')?.innerText)")
    assert await page.locator("[data-banner=canary]").count() == 0
    double.canary = {"canary": {"sent_at": at(89), "committed_at": at(88)}}
    await double.tell()  # nothing but time makes it red from here on
    await page.wait_for_selector("[data-banner=canary].loud")
    assert "金丝雀" in await page.inner_text("[data-banner=canary]")
    double.canary = {"canary": {"sent_at": at(1), "committed_at": at(1)}}
    await double.tell()
    await until_page(page, "!document.querySelector('[data-banner=canary]')")


async def test_a_phone_keeps_store_and_canary_in_sight(double: Double, sit_down: Open):
    """Below the clock, however narrow the screen."""
    double.canary = {"canary": {"sent_at": at(12), "committed_at": at(11)}}
    page = await sit_down(viewport={"width": 390, "height": 844})
    await page.wait_for_selector("[data-canary]")
    assert await page.is_visible("[data-canary]")
    assert "存储" in await page.inner_text(".plant")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("theme", ["dark", "dim", "light"])
async def test_axe_finds_nothing_in_an_outage(double: Double, sit_down: Open, theme: str):
    """Provisional rows, the list of waiting acts and the red bars are for every operator, too."""
    double.canary = {"canary": {"sent_at": at(200), "committed_at": at(200)}}
    page = await sit_down(theme=theme, lang="en", reduced_motion="reduce")
    await outage(double)
    double.hold_back()
    await double.tell()
    await page.wait_for_selector(".row.provisional")
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("KeyA")
    await page.wait_for_selector("[data-act=waiting]")
    rules = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag22aa"]}, "resultTypes": ["violations"]}
    found = await Axe().run(page, options=rules)
    assert not [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found.response["violations"]]
