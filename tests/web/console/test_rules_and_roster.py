"""Rules as sentences, back-tests with their plot, the roster as a grid: read, edited, refused."""

from datetime import UTC, datetime, timedelta

import pytest
from conftest import Open, until_page
from console_double import Double
from double_facts import Json, at
from screen_checks import MODULE, opened, reading, sound

pytestmark = pytest.mark.system


def side(alerts: int, rule: int, worst: int) -> Json:
    return {"alerts": alerts, "by_rule": {"residual-current-high": rule}, "seen_in_ten_minutes": {"max": worst}}


async def test_a_changed_limit_is_corrected_at_its_field_back_tested_and_its_difference_drawn(
    double: Double, sit_down: Open
) -> None:
    """A refusal stands at the field it is about; a missed fire is in the first line; both limits and marks are drawn;
    every shipped rule reads as a sentence in both languages.
    """
    double.has_rules()
    alert = double.raise_alert("hazard", 3, unit="mall-01")
    mark: Json = {"rule": "residual-current-high", "subject": "mall-01/elec-1", "component": "residual_current",
                  "priority": 3}  # fmt: skip
    line: Json = {"subject": "mall-01/elec-1", "rule": mark["rule"], "metric": "residual_current", "uom": "mA",
                  "high": None}  # fmt: skip
    differs = {"rule": mark["rule"], "subject_kind": "device", "subject": "mall-01/elec-1",
               "component": "residual_current"}  # fmt: skip
    fire = {"alert": alert["id"], "class": "fire", "rule": "smoke-fire", "subject": "mall-01/smk-1", "component": "",
            "device_at": at(1800), "title": {"zh": "火警", "en": "Fire"}}  # fmt: skip
    result: Json = {
        "new": side(8, 3, 2), "in_force": side(6, 1, 1), "readings": 720, "events": 1, "devices": 5,
        "stored_from": at(3500),
        "fires": {"confirmed": 2, "missed": 1, "missed_by_rules_in_force": 0, "list": [fire]},
        "false_alarms": {"found": 1, "avoided": 0, "avoided_by_rules_in_force": 0, "list": []},
        "differs": {"keys": 1, "list": [differs | {"new": 3, "in_force": 1, "stored": [alert["id"]]}]},
        "changed": ["residual-current-high"],
        "marks": {"count": 3, "list": [
            mark | {"side": "new", "what": "raised", "at": at(3000)},
            mark | {"side": "new", "what": "cleared", "at": at(2000)},
            mark | {"side": "in_force", "what": "raised", "at": at(2500)},
        ]},
        "lines": [
            line | {"side": "new", "priority": 3, "value": 200, "clear": 150},
            line | {"side": "in_force", "priority": 3, "value": 300, "clear": 240},
            *(line | {"side": each, "priority": 2, "value": 500, "clear": 400} for each in ("new", "in_force")),
        ],
    }  # fmt: skip
    test = {"id": "bt-1", "state": "running", "progress": 0.4, "asked_at": at(5), "asked_by": "ada",
            "from": at(3600), "to": at(), "digest": "d", "finished_at": None, "error": None}  # fmt: skip
    wrong = "changed.yaml:20: rules[1].condition.limit.bands[1].clear: 240 mA is on the wrong side; accepted: below"
    double.files |= {
        "GET /rules/backtests": [(200, {"items": []}), (200, {"items": []}), (200, {"items": [test]})],
        "POST /rules/backtests": [
            (400, {"error": {"code": "invalid", "message": "refused", "details": [wrong]}}), (202, test),
        ],
        "GET /rules/backtests/bt-1": test | {"result": None},
        "GET /devices/mall-01/elec-1/readings": {
            "items": [reading("residual_current", 3500 - n * 60, 180 + 10 * n) for n in range(50)], "width_s": 9.0,
        },
    }  # fmt: skip
    page = await sit_down(lang="en", who="ada")
    await opened(page, "rules")
    await page.select_option("[name=rule-metric]", "residual_current")
    await page.click("[data-rule=residual-current-high] summary")
    await page.wait_for_selector("[data-raised='5']")
    assert "at or above 300 mA; for 30 s; over at 240 mA" in await page.inner_text("[data-rule=residual-current-high]")
    await sound(page)
    for lang in ("en", "zh-CN"):
        said = await page.evaluate(
            f"""async lang => {{
                const {{ language }} = await import({MODULE} + "core/i18n.js");
                const {{ sentencesOf }} = await import({MODULE} + "core/rulewords.js");
                const was = language.value;
                language.value = lang;
                const rules = (await (await fetch("/api/v1/rules")).json()).items;
                const said = rules.map(rule => [rule.id, sentencesOf(rule).map(each => each.text)]);
                language.value = was;
                return said;
            }}""",
            lang,
        )
        assert len(said) > 50
        bad = [pair for pair in said if not pair[1] or any(w in str(pair[1]) for w in ("⟦", "undefined", "NaN", "{"))]
        assert not bad
    await page.click("[data-backtest=residual-current-high]")
    await page.fill("[data-priority='3'] [name=limit]", "200 mA")
    await page.click("[data-form=backtest] .primary")
    wrong_field = page.locator("[data-priority='3'] label:has([name=clear][aria-invalid=true])")
    assert "wrong side" in await wrong_field.inner_text()
    await page.fill("[data-priority='3'] [name=clear]", "150 mA")
    await page.click("[data-form=backtest] .primary")
    await page.wait_for_selector("[data-backtest-id=bt-1] [data-cancel]")
    assert "40" in await page.inner_text("[data-backtest-id]")
    body = [said for method, _, said in double.reached if method == "POST"][-1]
    assert body["change"] == {
        "rule": "residual-current-high", "bands": [{"priority": 3, "limit": "200 mA", "clear": "150 mA"}],
    }  # fmt: skip
    double.files["GET /rules/backtests"] = {"items": [test | {"state": "done"}]}
    double.files["GET /rules/backtests/bt-1"] = test | {"state": "done", "result": result}
    await page.wait_for_selector("[data-backtest-id][data-state=done] .uplot canvas")
    assert await page.get_attribute("[data-missed]", "data-missed") == "1"
    assert "would miss 1 of 2" in await page.inner_text("[data-missed]")
    assert [await page.locator(f".chart-limit[data-look={look}]").count() for look in ("new", "in_force", "both")] == [
        1, 1, 1,
    ]  # fmt: skip
    assert await page.locator("[data-side=new] [data-what]").count() == 2
    assert "2 more" in await page.inner_text("[data-differs='mall-01/elec-1']")
    await sound(page)
    await page.click(f"[data-differs] .link:has-text('#{alert['id']}')")
    await page.wait_for_selector("#detail")


async def test_the_roster_is_a_grid_for_the_keyboard_that_shows_gaps_and_every_refusal(
    double: Double, sit_down: Open
) -> None:
    """Nobody's shifts stand out by word and shape; arrows and Enter edit one; what is refused stays, with why."""
    now = datetime.now(UTC)
    tomorrow = (
        f"{now + timedelta(days=1):%Y-%m-%d}" if (now + timedelta(days=1)).month == now.month else f"{now:%Y-%m-%d}"
    )
    shift = {"begin": at(), "end": at(), "accounts": [], "reason": ""}
    roster: Json = {
        "revision": 4, "changed_at": at(60), "changed_by": "ada", "days": [], "shifts": [],
        "weekly": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "start": "08:00", "accounts": ["wang"]}],
        "planned": [shift | {"id": f"{now:%Y-%m-%d}T08:00"}, shift | {"id": f"{now:%Y-%m-%d}T20:00"}],
    }  # fmt: skip
    refusal = {"code": "invalid", "message": "…", "details": [{"message": "weekly[1].start: no shift begins at 09:00"}]}
    current = {"code": "conflict", "message": "…", "details": {"current": {"revision": 5}}}
    double.files |= {"GET /roster": roster, "PUT /roster": [(400, {"error": refusal}), (409, {"error": current})]}
    page = await sit_down(lang="zh-CN", who="ada")
    await opened(page, "roster")
    gaps = int(await page.get_attribute("[data-gaps]", "data-gaps") or 0)
    assert gaps > 0
    cell = page.locator(f"td[data-gap=true]:has([data-cell='{tomorrow} 20:00'])")
    assert ("无人" in await cell.inner_text(), await cell.locator("svg").count()) == (True, 1)
    await sound(page)
    await page.focus(f"[data-cell='{tomorrow} 08:00']")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("[data-form=shift]")
    await page.focus("[data-form=shift] input[value=li]")
    await page.keyboard.press("Space")
    await page.fill("[data-form=shift] [name=reason]", "病假")
    await page.keyboard.press("Enter")
    await until_page(page, f"document.querySelector('[data-gaps]').dataset.gaps === '{gaps - 1}'")
    await page.click("[data-cell='w1 20:00']")
    await page.click("[data-form=shift] input[value=wang]")
    await page.click("[data-form=shift] .primary")
    await page.click(f"[data-cell='{tomorrow} day']")
    await page.select_option("[name=counts_as]", "7")
    await page.click("[data-form=day] .primary")
    await page.click("[data-save]")
    await page.wait_for_selector("[data-unsaved] .trouble")
    assert "weekly[1].start" in await page.inner_text("[data-unsaved] .trouble")
    await page.click("[data-save]")
    await until_page(page, "document.querySelector('[data-unsaved] .trouble')?.innerText.includes('5')")
    sent = [said for method, _, said in double.reached if method == "PUT"][-1]
    assert sent == {
        "weekly": [*roster["weekly"], {"weekdays": [1], "start": "20:00", "accounts": ["wang"]}],
        "days": [{"day": tomorrow, "counts_as": 7, "reason": ""}],
        "shifts": [{"shift": f"{tomorrow}T20:00", "accounts": ["li"], "reason": "病假"}], "expected_revision": 4,
    }  # fmt: skip
    await page.set_viewport_size({"width": 390, "height": 844})
    await sound(page)
