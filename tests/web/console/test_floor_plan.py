"""The floor plan of an alert and of a unit: the point where it is, on desk and phone, and placed by hand and key."""

import json
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from conftest import Open, until_page
from console_double import Double
from plan_making import drawn
from playwright.async_api import Page
from waiting import until

pytestmark = pytest.mark.system

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}}
SHOWN = ".plan-view[data-image=ready]"


async def where(page: Page, mark: str) -> tuple[float, float]:
    """Where the middle of a mark is on its sheet as it is drawn, 0 to 1 of the image."""
    x, y = await page.evaluate(
        """name => {
          const group = document.querySelector(`[data-mark='${CSS.escape(name)}']`) ??
            [...document.querySelectorAll("[data-mark]")].find((each) => each.dataset.mark === name);
          const origin = new DOMPoint(0, 0).matrixTransform(group.getScreenCTM());
          const image = document.querySelector(".plan-sheet image").getBoundingClientRect();
          globalThis.sheet = [image.width, image.height];
          return [origin.x - image.left, origin.y - image.top];
        }""",
        mark,
    )
    return x, y


async def test_the_point_stands_where_it_is_on_the_plan_at_every_look_and_every_size(double: Double, sit_down: Open):
    """Within 2 pixels whole, closer and moved, on a desk and on a phone; nothing below moves when the plan comes."""
    alert = double.raise_alert(unit="mall-01", device="fap-1", device_kind="panel", component="2-3-017", zone="A/3/e")
    other = double.raise_alert(
        "fault", 3, unit="mall-01", device="smk-9", zone="A/3/w", title={"zh": "二号故障", "en": "Second"}
    )
    fields = ("id", "class", "priority", "state", "hold", "title", "device", "device_kind", "component", "place")
    plan = double.plan_of(
        alert,
        drawn(size=(1200, 500)),
        double.spot(0.7, 0.4),
        others=[{name: other[name] for name in fields} | {"at": double.spot(0.2, 0.9)}],
        devices=[double.standing("smk-1", spot=double.spot(0.5, 0.5))],
        fires_elsewhere=[double.storey("4", fires=2)],
    )
    for size, look in (((1366, 768), "click"), ((390, 844), "tap")):
        page = await sit_down(viewport={"width": size[0], "height": size[1]}, has_touch=True)
        await page.locator(f"#alert-{alert['id']}").click()
        await page.wait_for_selector(SHOWN)
        for act in (None, "[data-to-point]", ".plan-tools button:nth-of-type(1)"):
            if act:
                await getattr(page.locator(act), look)()
            x, y = await where(page, alert["id"])
            wide, high = await page.evaluate("sheet")
            assert abs(x - 0.7 * wide) < 2
            assert abs(y - 0.4 * high) < 2
            assert abs(wide / high - 1200 / 500) < 0.02, "the drawing keeps its shape"
        box = await page.evaluate("document.querySelector('.plan-ground').getBoundingClientRect().toJSON()")
        own = await page.evaluate("document.querySelector('.plan-mark.own path.edge').getBoundingClientRect().toJSON()")
        assert abs((own["left"] + own["right"]) / 2 - (box["left"] + box["right"]) / 2) < 3, "to the point"
        assert own["width"] > 20, "a mark is as large as a finger finds it, however close one looks"
        assert await page.text_content(".plan-mark.own .name") == "2-3-017"
        assert await page.text_content(".plan-mark.own > text:not(.name)") == "1"
        assert "4层 ×2" in await page.inner_text("[data-fires-elsewhere]")
        label = await page.get_attribute(".plan-ground", "aria-label")
        assert label is not None
        assert "70 %" in label
        assert "40 %" in label
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    inks = """['on', 'off'].map((turn) => {
      document.documentElement.dataset.blink = turn;
      return [...document.querySelectorAll('.plan-mark.own text')].map((text) => getComputedStyle(text).fill);
    })"""
    on, off = await page.evaluate(inks)
    assert on == off == ["rgb(0, 0, 0)"] * 2, "neither digit nor name flashes"
    # by key: only while the plan has the focus, and the queue's arrows are not taken from it
    await page.focus(".plan-ground")
    await page.keyboard.press("0")
    await until_page(page, "document.querySelector('.plan-view').dataset.zoom === '1.00'")
    await page.keyboard.press("+")
    await page.keyboard.press("ArrowDown")
    await until_page(page, "document.querySelector('.plan-view').dataset.zoom === '1.50'")
    assert await page.get_attribute("#detail", "data-alert") == alert["id"]
    # marked on another drawing: said, not hidden; without a place: the plan, and in words that it is not on it
    plan["at"] = double.spot(0.7, 0.4, doubtful=True)
    await double.announce(alert | {"version": 2})
    await page.wait_for_selector("[data-doubtful]")
    assert await page.locator(".plan-mark.own.doubtful").count() == 1
    plan |= {"at": None, "why": "no_position"}
    await double.announce(alert | {"version": 3})
    await page.wait_for_selector("[data-no-point]:has-text('2-3-017')")
    assert await page.locator(".plan-mark.own").count() == 0
    await page.click("[data-others]")
    await page.click(f"[data-other='{other['id']}']")
    await page.wait_for_selector(f"#detail[data-alert='{other['id']}']")


async def test_without_a_plan_one_line_says_so_and_an_image_that_fails_is_named(double: Double, sit_down: Open):
    bare = double.raise_alert(unit="mall-01", zone="A/3/e")
    double.plans[bare["id"]] = double.plan_of(bare, drawn(), None) | {"plan": None, "why": "no_plan"}
    lost = double.raise_alert(unit="mall-01", device="smk-1", zone="A/3/e", ago=5)
    double.plan_of(lost, drawn(), double.spot(0.5, 0.5))
    street = double.raise_alert("hazard", 3)
    double.image_away = True
    page = await sit_down(lang="en")
    await page.click(f"#alert-{bare['id']}")
    assert "No floor plan of A座 3层." in await page.inner_text("[data-plan=none]")
    await page.click(f"#alert-{lost['id']}")
    await page.wait_for_selector(".plan-view[data-image=failed] [role=alert]")
    assert await page.locator(".plan-mark.own").count() == 1, "where it is stays marked"
    assert await page.locator(".acknowledge button").is_enabled()
    await page.click(f"#alert-{street['id']}")
    await page.wait_for_selector("[data-near]")
    assert await page.locator(".floor-plan").count() == 0
    double.units["mall-01"] = {
        "unit": "mall-01", "name": "Mall", "category": "mall", "address": "", "grid": None, "contact_name": None,
        "contact_phone": None, "buildings": [], "devices": {"online": 1, "offline": 0, "never_seen": 0},
    }  # fmt: skip
    await page.click(f"#alert-{bare['id']}")
    await page.click("[data-add-plan]")
    await page.wait_for_selector(".unit-plans")


async def test_a_plan_is_sent_in_and_points_are_placed_by_hand_and_by_key(
    double: Double, sit_down: Open, tmp_path: Path
):
    """What is too much or no image is said before it is sent; a refused place is named and stays to be mended."""
    alert = double.raise_alert(unit="mall-01", zone="A/3/e")
    double.units["mall-01"] = {
        "unit": "mall-01", "name": "中心商场", "category": "mall", "address": "", "grid": None, "contact_name": None,
        "contact_phone": None, "buildings": [], "devices": {"online": 3, "offline": 0, "never_seen": 0},
    }  # fmt: skip
    points = [double.standing("smk-1"), double.standing("fap-1", "2-3-017"), double.standing("fap-1", "2-3-019")]
    double.storeys["mall-01"] = [double.storey(plan=None, earlier=0, points=points)]
    (tmp_path / "plan.png").write_bytes(drawn(size=(900, 600)))
    (tmp_path / "plan.svg").write_text("<svg/>")
    page = await sit_down(viewport={"width": 1366, "height": 900})
    await page.click(f"#alert-{alert['id']}")
    await page.click(".ways button:has-text('单位')")
    await page.set_input_files(".choose-file input", tmp_path / "plan.svg")
    await page.wait_for_selector(".storey [data-result=refused]:has-text('PNG')")
    assert double.put == []
    await page.set_input_files(".choose-file input", tmp_path / "plan.png")
    await page.wait_for_selector(".storey [data-result=done]:has-text('900 × 600')")
    path, media, data = double.put[0]
    assert (path, media, data) == ("/api/v1/units/mall-01/plans/A/3", "image/png", drawn(size=(900, 600)))
    await page.click("[data-show-plan]")
    await page.wait_for_selector(f".plan-editor {SHOWN}")
    await page.click("[data-point='smk-1']")
    sheet = await page.evaluate("document.querySelector('.plan-sheet image').getBoundingClientRect().toJSON()")
    await page.mouse.click(sheet["x"] + 0.25 * sheet["width"], sheet["y"] + 0.5 * sheet["height"])
    x, y = await where(page, json.dumps(["smk-1", ""], separators=(",", ":")))
    assert abs(x - 0.25 * sheet["width"]) < 2
    assert abs(y - 0.5 * sheet["height"]) < 2
    await page.focus(".plan-ground")
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowUp", "Enter", "ArrowDown", "Enter", "ArrowLeft"):
        await page.keyboard.press(key)
    axe = await Axe().run(page, options=RULES)
    assert [(each["id"], each["nodes"][0]["html"]) for each in axe.response["violations"]] == []
    await page.click("[data-save-places]")
    await page.wait_for_selector("[data-saved=refused]:has-text('2')")
    assert "fire alert 7 is open" in await page.inner_text(".plan-edits .trouble")
    await until(lambda: len(double.placed) == 3)
    at = {each["component"] or each["device"]: (each["x"], each["y"]) for each in double.placed}
    assert abs(at["smk-1"][0] - 0.27) < 0.005
    assert abs(at["smk-1"][1] - 0.499) < 0.005
    assert (at["2-3-017"], at["2-3-019"]) == ((0.5, 0.51), (0.49, 0.5))
    await page.wait_for_selector("[data-save-places]:has-text('1')")
    await page.wait_for_selector(".storey-head:has-text('已标注 2，共 3')")
