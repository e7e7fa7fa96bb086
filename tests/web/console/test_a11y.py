"""The page for every operator: axe, both languages, three themes, a phone."""

import pytest
from axe_playwright_python.async_playwright import Axe
from conftest import Open, until_page
from console_double import Double
from double_facts import at

pytestmark = pytest.mark.system

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],  # telling of every element that is well takes as long as finding one that is not
}


def furnish(double: Double) -> None:
    for n in range(14):
        double.acknowledged(double.raise_alert("fire", 1, ago=n), "zhang")
    double.raise_alert(flags=["unregistered"], text="3F corridor")
    double.raise_alert("hazard", 2, value=612.4, limit=300, uom="mA", metric="residual_current", ago=100)
    for priority in (3, 4):
        double.raise_alert("fault", priority, ago=50)


CUT_STEPS = (
    "[...document.querySelectorAll('.step')].filter(s => s.scrollWidth > s.clientWidth).map(s => s.dataset.step)"
)


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
@pytest.mark.parametrize("theme", ["dark", "dim", "light"])
async def test_axe_finds_nothing(double: Double, sit_down: Open, theme: str, lang: str):
    furnish(double)
    page = await sit_down(lang=lang, theme=theme, reduced_motion="reduce")
    await page.keyboard.press("KeyJ")
    await page.click(".closing button")
    await page.focus("#queue-list")  # an open form has the focus
    await page.keyboard.press("Slash")
    await page.keyboard.type("residual")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Shift+Slash")
    await page.wait_for_selector(".help")
    await double.cut()
    await page.wait_for_selector("[data-banner=lost]")
    found = await Axe().run(page, options=RULES)
    faults = [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found.response["violations"]]
    assert not faults


@pytest.mark.parametrize(("lang", "theme"), [("zh-CN", "dark"), ("en", "light")])
async def test_axe_finds_nothing_in_forms_panels_and_incidents_and_no_word_is_missing(
    double: Double, sit_down: Open, lang: str, theme: str
):
    furnish(double)
    double.gather(*(double.raise_alert("fault", 3, ago=n) for n in range(4)))
    double.raise_alert(flags=["in_test"], ago=400)
    double.raise_alert("fault", 3, hold="shelved", held_until=at(-900), held_by="wang", hold_reason="on order")
    for kind, state in (("test", "active"), ("impairment", "requested")):
        double.announce_window(kind, state)
    gap = {"kind": "impairment", "unit": "unit-1", "zone": "A/3", "device": None, "component": None, "main": None}
    gap |= {"place": None, "what": {"zh": "停用", "en": "Impairment"}, "since": at(60), "until": at(-60), "id": "1"}
    double.gaps = [gap | {"reason": "works", "measure": "patrol", "by": "wang", "alert_id": None}]
    page = await sit_down(lang=lang, theme=theme, reduced_motion="reduce")
    await page.keyboard.press("KeyJ")
    for width, height in ((1366, 768), (1920, 1080), (390, 844), (1366, 768)):
        await page.set_viewport_size({"width": width, "height": height})
        assert await page.evaluate("document.querySelectorAll('.step').length") == 5
        assert await page.evaluate(CUT_STEPS) == [], width
    for key in ("KeyV", "KeyH", "KeyB", "KeyD", "KeyN"):
        await page.focus("#queue-list")
        await page.keyboard.press(key)
        await page.wait_for_selector(".panel:not(:has(.muted:only-child)), [data-form]")
        found = await Axe().run(page, options=RULES)
        faults = [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found.response["violations"]]
        assert not faults, key
        assert "⟦" not in await page.inner_text("body")


async def test_the_sign_in_has_no_fault_either_nor_what_a_units_account_sees(double: Double, sit_down: Open):
    """Such an account has no seat: it is told so in both languages, without counts and without a live feed."""
    double.raise_alert()
    page = await sit_down(arm=False, signed_in=False)
    await page.wait_for_selector(".signin")
    assert not (await Axe().run(page, options=RULES)).response["violations"]
    await page.fill("input[name=username]", "unit-1")
    await page.fill("input[name=password]", "right")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("[data-no-seat]")
    assert not (await Axe().run(page, options=RULES)).response["violations"]
    assert "联网单位 unit-1 的账号" in await page.inner_text("body")
    await page.click("button[lang=en]")
    await until_page(page, "document.body.innerText.includes('networked unit unit-1')")
    assert "call 119" in await page.inner_text("body")
    assert "⟦" not in await page.inner_text("body")
    assert await page.locator(".queue, [data-feed], [data-banner]").count() == 0
    assert not double.sockets
    await page.click(".noseat > .primary")
    await page.wait_for_selector("input[name=username]")


async def test_the_language_changes_every_word_without_a_reload_and_moves_nothing(double: Double, sit_down: Open):
    furnish(double)
    page = await sit_down()
    await page.evaluate("globalThis.sameDocument = true")
    tops = "['.queue', '.row', '#queue-list'].map(s => document.querySelector(s).getBoundingClientRect().top)"
    before = await page.evaluate(tops)
    assert "待处置警情" in await page.inner_text("main")
    await page.click(".switches button[lang=en]")
    await until_page(page, "document.documentElement.lang === 'en'")
    text = await page.inner_text("body")
    assert "Alert queue" in text
    assert "Unacknowledged" in text
    assert "⟦" not in text
    assert await page.evaluate(tops) == before
    assert await page.evaluate("globalThis.sameDocument")
    await page.select_option("select", "light")
    assert await page.get_attribute("html", "data-theme") == "light"
    assert await page.evaluate(tops) == before
    await page.reload()
    await page.wait_for_selector("[data-feed=live]")
    assert await page.get_attribute("html", "data-theme") == "light"
    assert "Alert queue" in await page.inner_text("main")


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
async def test_on_a_phone_one_column_and_a_tap_lead_to_the_alert_and_back(double: Double, sit_down: Open, lang: str):
    furnish(double)
    fire = double.raise_alert()
    page = await sit_down(lang=lang, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await page.tap(f"#alert-{fire['id']}")
    await page.wait_for_selector("#detail", state="visible")
    assert await page.evaluate(CUT_STEPS) == []
    assert not await page.is_visible("#queue-list")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await page.tap(".acknowledge button")
    await page.wait_for_selector("[data-outcome=done]")
    await page.tap(".to-list")
    await page.wait_for_selector("#queue-list", state="visible")


async def test_targets_are_at_least_24_pixels_and_text_16_where_it_is_read(double: Double, sit_down: Open):
    furnish(double)
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    small = """() => [...document.querySelectorAll("button, select, input")].filter(e => e.offsetParent)
        .filter(e => e.type !== "radio" && e.type !== "checkbox")
        .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
        .filter(([, r]) => r.width < 24 || r.height < 24)"""
    assert await page.evaluate(small) == []
    assert await page.evaluate("parseFloat(getComputedStyle(document.querySelector('.row b')).fontSize)") >= 16
