"""A lost connection is loud, stops writing, and ends in a snapshot that replaces what was on the screen."""

import pytest
from conftest import Open, until_page
from console_double import Double
from double_facts import at
from playwright.async_api import Route
from waiting import until

pytestmark = pytest.mark.system


async def test_a_cut_shows_the_banner_and_mending_it_replaces_the_list(double: Double, sit_down: Open):
    stays, goes = double.raise_alert(), double.raise_alert("fault", 3)
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    await page.wait_for_selector("#detail")
    await double.cut()
    await page.wait_for_selector("[data-banner=lost]")
    assert "画面停留在" in await page.inner_text("[data-banner=lost]")
    assert await page.locator(".row").count() == 2  # kept, and marked
    assert await page.locator(".queue.old").count() == 1
    greyed = "['.scroller', '.counts', '.side'].map(part => getComputedStyle(document.querySelector(part)).filter)"
    assert await page.evaluate(greyed) == ["grayscale(1)"] * 3
    assert await page.is_disabled(".acknowledge button")
    await page.keyboard.press("KeyA")
    await page.wait_for_selector("[data-outcome=blocked]")

    goes |= {"state": "closed", "version": 5}
    new = double.raise_alert("prealarm", 2)
    double.heal()
    await page.wait_for_selector("[data-feed=live]")
    await until_page(page, f"document.getElementById('alert-{new['id']}')")
    rows = await page.eval_on_selector_all(".row", "rows => rows.map(r => r.id)")
    assert rows == [f"alert-{stays['id']}", f"alert-{new['id']}"]
    assert await page.locator("[data-banner=lost], .seat.old").count() == 0
    assert "新增 1，变化 0，办结 1" in await page.inner_text("[data-banner=missed]")
    await until(lambda: double.armed == [False, True, True])  # the mended feed is a seat with sound again
    assert not double.acts  # nothing was queued behind the operator's back


async def test_an_act_in_flight_when_the_connection_breaks_is_done_once_after_it(double: Double, sit_down: Open):
    """The request was lost on its way; it is in sight as waiting, and goes again by itself under the same key."""
    alert = double.raise_alert()
    page = await sit_down()
    lost: list[str] = []

    async def lose(route: Route) -> None:
        lost.append(route.request.headers["idempotency-key"])
        await double.cut()
        await route.abort()

    await page.route("**/acknowledge", lose, times=1)
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("KeyA")
    await page.wait_for_selector("[data-banner=lost]")
    await page.wait_for_selector("[data-act=waiting]")
    assert not double.acts
    double.heal()
    await page.wait_for_selector("[data-act=done]")
    assert [(verb, id_, key) for verb, id_, key, _ in double.acts] == [("acknowledge", alert["id"], lost[0])]


async def test_a_silent_server_is_stale_before_it_is_lost(double: Double, sit_down: Open):
    double.raise_alert()
    page = await sit_down()
    double.silent = True
    await page.wait_for_selector("[data-banner=stale]")
    assert await page.get_attribute("[data-feed]", "data-feed") == "stale"
    assert "–" in await page.inner_text(".plant")  # no old number of devices passes for a new one
    double.silent = False
    await page.wait_for_selector("[data-feed=live]")
    assert await page.locator("[data-banner=stale]").count() == 0


async def test_a_store_or_broker_that_is_gone_is_as_loud(double: Double, sit_down: Open):
    page = await sit_down()
    double.kpis = {"store": "unavailable", "broker": "unavailable"}
    await page.wait_for_selector("[data-banner=store]")
    assert "新报警照常显示和响铃" in await page.inner_text("[data-banner=store]")
    assert "收不到任何设备的报警" in await page.inner_text("[data-banner=broker]")


async def test_an_ended_session_asks_to_sign_in_and_says_why(double: Double, sit_down: Open):
    double.raise_alert()
    page = await sit_down()
    double.session = False
    for socket in list(double.sockets):
        await socket.close(code=4401)
    await page.wait_for_selector(".signin [role=alert]")
    assert "登录已失效" in await page.inner_text(".signin")
    await page.fill("input[name=username]", "wang")
    await page.fill("input[name=password]", "right")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".row")


async def test_a_wrong_password_is_said_and_the_right_one_opens_the_console(double: Double, sit_down: Open):
    double.session = False
    page = await sit_down(arm=False, signed_in=False)
    await page.fill("input[name=username]", "wang")
    await page.fill("input[name=password]", "wrong")
    await page.click(".signin .primary")
    await until_page(page, "document.querySelector('.signin').innerText.includes('用户名或密码不对')")
    await page.fill("input[name=password]", "right")
    await page.click(".signin .primary")
    await page.wait_for_selector("[data-feed=live]")
    assert "wang" in await page.inner_text(".header")
    await page.click(".switches button >> nth=-1")
    await page.wait_for_selector(".signin")
    assert not double.sockets


async def test_a_flood_raises_one_quiet_banner(double: Double, sit_down: Open):
    """The server counts, for all operators together; the page says what of it one operator has."""
    double.raise_alert()
    page = await sit_down()
    assert await page.locator("[data-banner=flood]").count() == 0
    double.kpis |= {"flood": {"active": True, "alarms_10min": 42, "operators": 3, "since": at(60)}}
    await double.tell()
    await page.wait_for_selector("[data-banner=flood]")
    assert "10 分钟 42 条" in await page.inner_text("[data-banner=flood]")
    assert "人均 14" in await page.inner_text("[data-flood=true]")
