"""The queue under the operator's hand: the keyboard, the filter, the scroll; commands bind to alerts, never to rows."""

import pytest
from conftest import Open, until_page
from console_double import Double
from waiting import until

pytestmark = pytest.mark.system


async def test_acknowledging_by_key_hits_the_selected_alert_while_a_new_fire_slides_in_above(
    double: Double, sit_down: Open
):
    chosen = double.raise_alert("fire", 1, ago=60)
    double.raise_alert("prealarm", 2, ago=30)
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    await page.wait_for_selector(f"[data-alert='{chosen['id']}']")

    new = double.raise_alert("fire", 1)
    await double.announce(new)
    await page.wait_for_selector(f"#alert-{new['id']}")
    tops = await page.evaluate(
        "ids => ids.map(id => document.getElementById(`alert-${id}`).getBoundingClientRect().top)",
        [new["id"], chosen["id"]],
    )
    assert tops[0] < tops[1]
    await page.keyboard.press("KeyA")

    await page.wait_for_selector("[data-outcome=done]")
    assert [(verb, id_) for verb, id_, _, _ in double.acts] == [("acknowledge", chosen["id"])]
    assert double.alerts[new["id"]]["state"] == "unacknowledged"
    assert await page.get_attribute(".row.selected", "id") == f"alert-{chosen['id']}"


async def test_a_row_says_a_place_once_that_the_panel_repeats(double: Double, sit_down: Open):
    alert = double.raise_alert(place="A座 / 1层 / 1", component="1层 感烟1", text="1层")
    same = double.raise_alert(place="A座 / 感烟2", component="感烟2", text="感烟2")
    page = await sit_down()
    first, second = [await page.inner_text(f"#alert-{each['id']} .c-what .place") for each in (alert, same)]
    assert first == f"{alert['unit_name']} · A座 / 1层 / 1 · 1层 感烟1"
    assert second == f"{same['unit_name']} · A座 / 感烟2"


async def test_the_queues_focus_is_drawn_over_its_rows(double: Double, sit_down: Open):
    for _ in range(30):
        double.raise_alert()
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    ring = "getComputedStyle(document.querySelector('.list'), '::after').outlineStyle"
    await until_page(page, f"{ring} === 'solid'")
    await page.focus("#queue-filter")
    await until_page(page, f"{ring} !== 'solid'")


async def test_acknowledging_by_click_does_the_same(double: Double, sit_down: Open):
    chosen = double.raise_alert("hazard", 3, value=0.0812, metric="pressure", limit=0.14, uom="MPa")
    page = await sit_down()
    await page.click(f"#alert-{chosen['id']}")
    assert "0.0812" in await page.inner_text(".value")
    await page.click(".acknowledge button")
    await page.wait_for_selector("[data-outcome=done]")
    assert "wang" in await page.inner_text("[data-outcome=done]")
    row = f"document.getElementById('alert-{chosen['id']}')"
    await until_page(page, f"{row}.innerText.includes('已受理')")  # painted a frame later
    await until_page(page, "document.documentElement.dataset.blink === 'off'")
    style = f"(part => getComputedStyle(document.querySelector('#alert-{chosen['id']} ' + part)))"
    assert await page.evaluate(f"{style}('.shape').fillOpacity") == "1"  # it flashes no longer
    assert await page.evaluate(f"['.state', 'b'].map(part => {style}(part).fontWeight)") == ["400", "400"]


BURST = {
    "zh": "立即通知供水单位关阀抢修,告知辖区队站该管网消火栓可能无水,安排其他水源。",
    "en": "Call the water company to close valves; tell the fire stations that this main may be dry.",
}


@pytest.mark.parametrize(
    ("lang", "row", "detail", "count", "advice"),
    [
        ("zh-CN", ["3 台", "达到 2 台即报"], "3 台 (达到 2 台即报)", "计数", "处置建议"),
        ("en", ["3 devices", "2 needed"], "3 devices (2 needed)", "Count", "What to do"),
    ],
)
async def test_a_group_counts_devices_and_the_rule_advises(
    double: Double, sit_down: Open, lang: str, row: list[str], detail: str, count: str, advice: str
):
    """Its figures have no metric: they are its devices. Neither are they shown where none are meant, nor ever null."""
    about = {"subject_kind": "main", "subject": "M12", "unit": None, "unit_name": None, "device": None}
    burst = double.raise_alert("hazard", 2, rule="main-burst", value=3, limit=2, **about)
    plain = double.raise_alert("hazard", 3, rule="both", value=1, limit=1, **about)
    faults = double.raise_alert("fault", 3, rule="faults-again", value=4, limit=4)
    double.advice = {"main-burst": BURST}
    page = await sit_down(lang=lang, viewport={"width": 390, "height": 844})
    assert [await page.locator(f"#alert-{burst['id']} .c-value .line >> nth={n}").text_content() for n in (0, 1)] == [
        f"{row[0]} ",
        row[1],
    ]
    await page.evaluate(f"document.getElementById('alert-{burst['id']}').click()")
    said = " ".join((await page.inner_text(".value b")).split())
    assert said == detail
    await page.wait_for_selector("[data-advice]")
    assert (await page.inner_text("[data-advice]")).split("\n")[0] == advice
    assert BURST[lang[:2]] in await page.inner_text("[data-advice]")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.evaluate(f"document.getElementById('alert-{faults['id']}').click()")
    await page.wait_for_selector(f"[data-alert='{faults['id']}']")
    assert count in await page.inner_text(".value")
    assert await page.locator("[data-advice]").count() == 0
    await page.evaluate(f"document.getElementById('alert-{plain['id']}').click()")
    await page.wait_for_selector(f"[data-alert='{plain['id']}']")
    assert await page.locator(".value").count() == 0
    assert "null" not in await page.inner_text("body")


async def test_a_held_key_acknowledges_once_and_the_selection_stays(double: Double, sit_down: Open):
    alerts = [double.raise_alert("fire", 1, ago=n) for n in range(5)]
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    for _ in range(6):
        await page.keyboard.down("KeyA")  # without an "up" between, all but the first are repeats
    await page.keyboard.up("KeyA")
    await page.wait_for_selector("[data-outcome=done]")
    assert len(double.acts) == 1
    assert await page.get_attribute("#detail", "data-alert") == alerts[0]["id"]


async def test_wrong_keys_and_keys_without_a_selection_do_nothing(double: Double, sit_down: Open):
    alert = double.raise_alert()
    page = await sit_down()
    await page.keyboard.press("KeyA")  # nothing is selected
    await page.keyboard.press("KeyJ")
    for key in ["KeyQ", "KeyS", "KeyW", "KeyZ", "KeyX", "Delete", "Backspace", "F8", "Control+KeyA", "Shift+KeyA"]:
        await page.keyboard.press(key)
    await page.keyboard.press("KeyJ")
    assert await page.get_attribute("#detail", "data-alert") == alert["id"]
    assert not double.acts
    assert await page.locator("form.closing.open").count() == 0


async def test_an_input_method_that_hides_the_key_still_acknowledges_and_composition_does_not(
    double: Double, sit_down: Open
):
    alert = double.raise_alert()
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    press = """options => document.getElementById("queue-list").dispatchEvent(
        new KeyboardEvent("keydown", { code: "KeyA", bubbles: true, cancelable: true, ...options }))"""
    await page.evaluate(press, {"key": "a", "isComposing": True})
    await page.evaluate(press, {"key": "Process", "keyCode": 229})
    await page.wait_for_selector("[data-outcome=done]")
    assert [id_ for _, id_, _, _ in double.acts] == [alert["id"]]


async def test_letters_typed_into_a_field_are_text(double: Double, sit_down: Open):
    double.raise_alert()
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("Slash")
    await page.keyboard.type("jam")
    assert await page.input_value("#queue-filter") == "jam"
    await page.fill("form.note textarea", "")
    await page.type("form.note textarea", "a m j")
    assert not double.acts
    assert await page.get_attribute("[data-sound]", "data-sound") == "armed"


async def test_single_keys_can_be_turned_off_in_the_help(double: Double, sit_down: Open):
    double.raise_alert()
    page = await sit_down()
    await page.keyboard.press("Shift+Slash")
    await page.uncheck(".help input")
    await page.keyboard.press("Escape")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("KeyA")
    await page.click(".acknowledge button")
    await page.wait_for_selector("[data-outcome=done]")
    assert len(double.acts) == 1


async def test_a_fire_outside_the_filter_stands_in_a_strip_of_its_own(double: Double, sit_down: Open):
    wanted = double.raise_alert("hazard", 3, place="水泵房")
    page = await sit_down()
    await page.keyboard.press("Slash")
    await page.keyboard.type("水泵房")
    await page.wait_for_selector("[data-fires-outside='0']")
    top = await page.evaluate(f"document.getElementById('alert-{wanted['id']}').getBoundingClientRect().top")

    fire = double.raise_alert(text="3F corridor")
    await double.announce(fire)
    await page.wait_for_selector("[data-fires-outside='1']")
    assert "筛选外火警 1" in await page.inner_text(".outside")
    assert await page.locator(f"#alert-{fire['id']}").count() == 0
    assert top == await page.evaluate(f"document.getElementById('alert-{wanted['id']}').getBoundingClientRect().top")
    await page.click(".outside button")
    await page.wait_for_selector(f"[data-alert='{fire['id']}']")
    await page.focus("#queue-filter")
    await page.keyboard.press("Escape")
    await page.wait_for_selector(f"#alert-{fire['id']}")


async def test_unacknowledged_orange_stays_in_sight_under_forty_latched_fires(double: Double, sit_down: Open):
    for n in range(40):
        double.acknowledged(double.raise_alert("fire", 1, ago=n), "zhang")
    orange = double.raise_alert("prealarm", 2, ago=5000, unit_name="滨江仓库")
    page = await sit_down()
    await page.wait_for_selector("[data-out-of-sight='1']")
    assert "滨江仓库" in await page.inner_text(".dock")
    assert await page.is_visible(".dock-row")
    assert (await page.inner_text("[data-open='1']"), await page.inner_text("[data-open='2']")) == ("40", "1")
    await page.click(".dock-row")
    await page.wait_for_selector(f"#alert-{orange['id']}.selected")
    await until_page(page, "!document.querySelector('.dock')")


async def test_what_is_being_read_stays_put_when_alarms_arrive_above_it(double: Double, sit_down: Open):
    for n in range(60):
        double.raise_alert("fault", 3, ago=n + 10)
    page = await sit_down()
    await page.evaluate("document.getElementById('queue-list').scrollTop = 1200")
    reading = """() => { const list = document.getElementById("queue-list").getBoundingClientRect();
        const row = [...document.querySelectorAll(".row")].find(r => r.getBoundingClientRect().top >= list.top);
        return row ? [row.id, Math.round(row.getBoundingClientRect().top)] : ['none']; }"""
    await until_page(page, f"!['alert-101', 'none'].includes(({reading})()[0])")
    before = await page.evaluate(reading)
    await double.announce(*[double.raise_alert("fire", 1) for _ in range(3)])
    await page.wait_for_selector(".above")
    assert await page.evaluate(reading) == before
    assert "3" in await page.inner_text(".above")


async def test_rows_do_not_move_under_a_pointer_that_is_down(double: Double, sit_down: Open):
    aimed = double.raise_alert("prealarm", 2, ago=30)
    page = await sit_down()
    box = await page.locator(f"#alert-{aimed['id']}").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + 300, box["y"] + 20)
    await page.mouse.down()
    await double.announce(double.raise_alert("fire", 1))
    await until_page(page, "document.querySelector('[data-open=\"1\"]').textContent === '1'")
    await page.mouse.up()
    await page.wait_for_selector(f"[data-alert='{aimed['id']}']")
    await page.wait_for_selector(".row.p1")


async def test_the_list_draws_only_what_is_near_the_screen(double: Double, sit_down: Open):
    for n in range(1030):
        double.raise_alert("offline", 4, ago=n)
    page = await sit_down()
    assert await page.locator(".row").count() < 60
    assert await page.get_attribute(".row >> nth=0", "aria-setsize") == "1001"
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("End")
    await page.wait_for_selector(".row.selected[aria-posinset='1000']")
    await page.evaluate("document.getElementById('queue-list').scrollTop = 1e6")
    assert "30" in await page.inner_text("[data-unlisted='30']")


async def test_a_row_says_what_an_operator_must_know(double: Double, sit_down: Open):
    alert = double.raise_alert(
        "hazard", 2, ago=192, title={"zh": "剩余电流超限", "en": "Residual current high"}, metric="residual_current",
        component="residual_current", value=612.44, limit=300, uom="mA", occurrences=3, flags=["unregistered"],
        unit_name="万象城", place="B座 / 12层", text="1AL 配电箱",
    )  # fmt: skip
    page = await sit_down()
    row = await page.inner_text(f"#alert-{alert['id']}")
    expected = "紧急|隐患|剩余电流超限|612.4|mA|限值 300|×3|3 分 1|未受理|未登记|万象城|B座 / 12层|1AL 配电箱"
    for words in expected.split("|"):
        assert words in row, words
    assert await page.text_content(f"#alert-{alert['id']} .symbol text") == "2"


@pytest.mark.parametrize(
    ("width", "lang"), [(1600, "en"), (1366, "zh-CN"), (800, "en"), (390, "en")]
)  # 800: 1600 at 200 %
async def test_the_marks_of_an_alert_never_push_its_title_away(double: Double, sit_down: Open, width: int, lang: str):
    """However many and long they are; what finds no place is counted, and stands in full in the detail."""
    alert = double.raise_alert(
        "hazard", 2, title={"zh": "配电箱剩余电流超限", "en": "Residual current too high in a distribution box"},
        metric="residual_current", value=612.44, limit=300, uom="mA", occurrences=12, escalation=2,
        flags=["unregistered", "second_signal", "place_mismatch"],
    )  # fmt: skip
    short = double.raise_alert(
        "hazard", 2, title={"zh": "水压低", "en": "Low pressure"}, flags=["second_signal", "manual"]
    )
    page = await sit_down(lang=lang, viewport={"width": width, "height": 900})
    row = f"document.querySelector('#alert-{alert['id']} .c-what')"
    wide, whole = await page.evaluate(f"[{row}.querySelector('b').clientWidth, {row}.clientWidth]")
    assert wide > 0.4 * whole
    fits = f"(b => b.scrollWidth <= b.clientWidth)(document.querySelector('#alert-{short['id']} .c-what b'))"
    assert await page.evaluate(fits)
    seen = "document.querySelectorAll(`#alert-${id} .flags .flag`)"
    texts = await page.evaluate(
        f"id => [...{seen}].filter(f => f.checkVisibility() && f.clientWidth > 0).map(f => f.textContent)", alert["id"]
    )
    shown = [text for text in texts if not text.startswith("+")]
    assert shown
    assert texts[-1] == f"+{4 - len(shown)}"
    await page.evaluate(f"document.getElementById('alert-{alert['id']}').click()")
    await page.wait_for_selector(f"[data-alert='{alert['id']}']")
    assert await page.locator(".detail-head .flag").count() == 4


async def test_a_derived_figure_is_named_and_has_its_own_unit(double: Double, sit_down: Open):
    rising = double.raise_alert(
        "hazard", 2, metric="cable_temperature", value=51.5, limit=10, uom="°C", figure={"of": "rise", "over": "10min"}
    )
    emptying = double.raise_alert(
        "hazard", 3, metric="level", value=2, limit=7, uom="d", figure={"of": "trend", "over": "7d"}
    )
    page = await sit_down()
    assert "升幅 限值 10" in await page.inner_text(f"#alert-{rising['id']}")
    assert "2 天" in await page.inner_text(f"#alert-{emptying['id']}")
    await page.click(f"#alert-{rising['id']}")
    await page.wait_for_selector(".value >> text=电缆温度 升幅 10min")


async def test_only_symbols_of_unacknowledged_alerts_flash_and_never_above_one_hertz(double: Double, sit_down: Open):
    new, seen = double.raise_alert(), double.acknowledged(double.raise_alert(), "li")
    page = await sit_down()
    opacity = "id => getComputedStyle(document.querySelector(`#alert-${id} .shape`)).fillOpacity"
    await until_page(page, "document.documentElement.dataset.blink === 'off'")
    await page.evaluate("""globalThis.flips = []; new MutationObserver(() => flips.push(performance.now()))
        .observe(document.documentElement, { attributeFilter: ["data-blink"] })""")
    both = f"[{opacity}].map(f => [f('{new['id']}'), f('{seen['id']}')])[0]"
    await until_page(page, f"({both}).join() === '0.25,1'")
    await until(lambda: page.evaluate("flips.length >= 4"))
    flips = await page.evaluate("flips")
    assert flips[-1] - flips[0] >= 500 * (len(flips) - 1)


async def test_with_reduced_motion_nothing_flashes_but_an_outline_marks_it(double: Double, sit_down: Open):
    new = double.raise_alert()
    page = await sit_down(reduced_motion="reduce")
    await until_page(page, "document.documentElement.dataset.blink === 'off'")
    style = f"(p => getComputedStyle(document.querySelector('#alert-{new['id']} ' + p)))"
    assert await page.evaluate(f"{style}('.shape').fillOpacity") == "1"
    assert await page.evaluate(f"{style}('.symbol').outlineStyle") == "solid"
