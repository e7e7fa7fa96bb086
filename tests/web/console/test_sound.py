"""Sound: proven armed, a pattern per priority, until acknowledged; muting is timed and never silences a new fire."""

import pytest
from conftest import Open, until_page
from console_double import Double
from double_facts import at
from playwright.async_api import Page
from waiting import until

pytestmark = pytest.mark.system

FIRE, URGENT, LOSS, TEST, RECEIPT = 960, 587, 392, 523, 1319  # the first pitch of each pattern


async def heard(page: Page, pitch: int) -> int:
    return await page.evaluate("pitch => tones.filter(t => Math.round(t) === pitch).length", pitch)


async def test_sound_off_is_a_fault_until_one_key_press_plays_the_test_tone(double: Double, sit_down: Open):
    alert = double.raise_alert()
    page = await sit_down(arm=False)
    await page.wait_for_selector("[data-banner=sound]")
    assert await page.get_attribute("[data-sound]", "data-sound") == "off"
    assert await page.evaluate("tones.length") == 0
    await until(lambda: double.armed == [False])
    await page.keyboard.press("KeyA")  # whatever the key: it turns the sound on and does nothing else
    await page.wait_for_selector("[data-sound=armed]")
    assert await heard(page, TEST) == 1
    assert await page.locator("[data-banner=sound]").count() == 0
    await until(lambda: double.shown == [alert["id"]])
    assert not double.acts
    assert double.armed == [False, True]
    await page.evaluate("Object.defineProperty(BaseAudioContext.prototype, 'currentTime', { get: () => 0 })")
    await page.wait_for_selector("[data-sound=fault]")  # its clock stands still
    await until(lambda: double.armed == [False, True, False])


async def test_a_fire_repeats_until_acknowledged(double: Double, sit_down: Open):
    double.raise_alert()
    page = await sit_down()
    await until_page(page, f"tones.filter(t => t === {FIRE}).length >= 4")  # two patterns of two such tones
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("KeyA")
    await page.wait_for_selector("[data-outcome=done]")
    await page.evaluate("tones.length = 0")
    await page.wait_for_timeout(2500)
    assert await page.evaluate("tones.length") == 0


async def test_priority_two_has_its_own_pattern_and_three_has_none(double: Double, sit_down: Open):
    double.raise_alert("fault", 3)
    page = await sit_down()
    await page.wait_for_timeout(1500)
    assert await page.evaluate("tones.every(t => [523, 659, 784].includes(Math.round(t)))")
    await double.announce(double.raise_alert("prealarm", 2))
    await until_page(page, f"tones.includes({URGENT})")
    assert await heard(page, FIRE) == 0


async def test_mute_is_visible_and_timed_and_a_new_fire_sounds_through_it(double: Double, sit_down: Open):
    double.raise_alert()
    page = await sit_down()
    await until_page(page, f"tones.includes({FIRE})")
    await page.keyboard.press("KeyM")
    await page.wait_for_selector("[data-sound=muted]")
    assert "已消音 1" in await page.inner_text("[data-sound]")
    await page.evaluate("tones.length = 0")
    await double.announce(double.raise_alert("prealarm", 2))
    await page.wait_for_timeout(2500)
    assert await page.evaluate("tones.length") == 0
    await double.announce(double.raise_alert("fire", 1))
    await until_page(page, f"tones.includes({FIRE})")
    assert await page.get_attribute("[data-sound]", "data-sound") == "armed"


async def test_an_acknowledged_fire_that_occurs_again_sounds_again(double: Double, sit_down: Open):
    fire = double.acknowledged(double.raise_alert(), "wang")
    page = await sit_down()
    await page.wait_for_timeout(1500)
    assert await heard(page, FIRE) == 0
    fire |= {"state": "unacknowledged", "occurrences": 2, "version": fire["version"] + 1}
    await double.announce(fire)
    await until_page(page, f"tones.includes({FIRE})")


async def test_a_lost_connection_has_a_tone_of_its_own_through_a_mute(double: Double, sit_down: Open):
    page = await sit_down()
    await page.keyboard.press("KeyM")
    await page.wait_for_selector("[data-sound=muted]")
    await double.cut()
    await until_page(page, f"tones.includes({LOSS})")


async def test_a_broker_that_is_gone_sounds_too_for_no_alarm_can_come(double: Double, sit_down: Open):
    page = await sit_down()
    double.kpis |= {"broker": "unavailable"}
    await double.tell()
    await until_page(page, f"tones.includes({LOSS})")
    await double.tell()
    await page.wait_for_timeout(1500)
    assert await heard(page, LOSS) == 1  # then once a minute: the band stays in sight


async def test_what_119_has_not_taken_sounds_until_a_receipt_or_the_script_and_one_more_ends_a_mute(
    double: Double, sit_down: Open
):
    """In a hidden page, too; another seat goes on sounding while the first is at it."""
    quiet = double.acknowledged(double.raise_alert(ago=90, forwarded_at=at(60)), "wang")
    page, other = await sit_down(), await sit_down(who="li")
    await page.evaluate("globalThis.requestAnimationFrame = () => 0")
    for seat in (page, other):
        await until_page(seat, f"tones.filter(t => t === {RECEIPT}).length >= 6")  # two patterns of three such tones
        assert await heard(seat, FIRE) == 0
    await other.keyboard.press("KeyJ")
    await other.keyboard.press("Digit1")
    await other.wait_for_selector("[data-script-of]")
    await other.evaluate("tones.length = 0")
    await page.keyboard.press("KeyM")
    await page.wait_for_selector("[data-sound=muted]")
    await page.evaluate("tones.length = 0")
    more = double.acknowledged(double.raise_alert(ago=90), "wang")
    more |= {"handover": double.hand_over(more, "received")["handover"] | {"cancel": "failed"}}
    await double.announce(more)
    await until_page(page, f"tones.includes({RECEIPT})")
    await until_page(other, f"tones.includes({RECEIPT})")
    why = [await other.get_attribute(f"[data-unreceipted='{each['id']}']", "data-why") for each in (quiet, more)]
    assert why == ["call_119", "cancel_failed"]
    more |= {"handover": more["handover"] | {"cancel": None, "follow_ups_failed": 1}, "version": more["version"] + 1}
    await double.announce(more)
    await other.wait_for_selector("[data-why=follow_up_failed]")
    quiet |= {"receipted_at": at(), "version": quiet["version"] + 1}
    more |= {"state": "closed", "version": more["version"] + 1}
    await double.announce(quiet, more)
    await until_page(other, "!document.querySelector('[data-banner=unreceipted]')")
    for seat in (page, other):
        await seat.evaluate("tones.length = 0")
    await page.wait_for_timeout(4200)
    assert [await seat.evaluate("tones.length") for seat in (page, other)] == [0, 0]


async def test_a_hidden_page_still_counts_and_sounds(double: Double, sit_down: Open):
    page = await sit_down()
    await page.evaluate("globalThis.requestAnimationFrame = () => 0")  # as in a hidden tab: no frames come
    await double.announce(double.raise_alert())
    await until_page(page, f"tones.includes({FIRE})")
    assert (await page.title()).startswith("(1)")
    await until_page(page, "document.querySelector('[data-open=\"1\"]').innerText === '1'")


async def test_shown_is_not_said_by_a_seat_without_sound(double: Double, sit_down: Open):
    page = await sit_down(arm=False)
    first = double.raise_alert()
    await double.announce(first)
    await page.wait_for_selector(f"#alert-{first['id']}")
    assert double.shown == []
    await page.keyboard.press("Space")
    await until(lambda: double.shown == [first["id"]])
    second = double.raise_alert("offline", 4)
    await double.announce(second)
    await until(lambda: double.shown == [first["id"], second["id"]])
