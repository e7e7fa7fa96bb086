"""Times of day go by the centre's zone, whatever zone the computer is set to, on the days its clock is changed, too."""

from typing import Any

import pytest
from conftest import Open
from console_double import Double
from test_core import Run, run, sign_in_page

pytestmark = pytest.mark.system
__all__ = ["run", "sign_in_page"]


@pytest.mark.parametrize(
    ("zone", "field", "utc", "shown"),
    [
        ("Asia/Shanghai", "2026-11-23T00:30", "2026-11-22T16:30:00.000Z", "2026-11-23 00:30:00"),
        ("Europe/Berlin", "2026-07-01T12:00", "2026-07-01T10:00:00.000Z", "2026-07-01 12:00:00"),
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00.000Z", "2026-10-25 02:30:00"),  # twice: the first
        (
            "Europe/Berlin",
            "2026-03-29T02:30",
            "2026-03-29T01:30:00.000Z",
            "2026-03-29 03:30:00",
        ),  # never
        ("Asia/Kathmandu", "2026-01-01T00:00", "2025-12-31T18:15:00.000Z", "2026-01-01 00:00:00"),
        ("Pacific/Auckland", "2026-04-05T02:30", "2026-04-04T13:30:00.000Z", "2026-04-05 02:30:00"),
    ],
)
async def test_fields_and_times_go_by_the_centres_clock(run: Run, zone: str, field: str, utc: str, shown: str):
    steps = """async (m, [name, field]) => {
        const words = await import(m.base + "i18n.js");
        m.setZone(name);
        const ms = m.instantOf(field);
        const shown = `${words.day(ms)} ${words.clockTime(ms)}`;
        m.setZone("");
        return [new Date(ms).toISOString(), shown];
    }"""
    assert await run("zone.js", steps, [zone, field]) == [utc, shown]


async def test_a_zone_nobody_knows_and_a_field_that_is_no_time_do_no_harm(run: Run):
    steps = """m => {
        m.setZone("Mars/Olympus");
        return [m.zone.value, m.elsewhere(0), Number.isNaN(m.instantOf("soon"))];
    }"""
    assert await run("zone.js", steps) == ["", "", True]


async def test_a_computer_elsewhere_shows_the_centres_time_and_says_so(double: Double, sit_down: Open):
    alert: dict[str, Any] = double.raise_alert(
        "fault", 3, raised_at="2026-11-22T16:30:05Z", received_at="2026-11-22T16:30:05Z"
    )
    away = await sit_down(lang="en", arm=False, timezone_id="America/New_York")
    assert "11-23 00:30" in await away.inner_text(f"#alert-{alert['id']} .c-age")
    assert "Asia/Shanghai" in await away.inner_text("[data-zone]")
    assert "America/New_York" in (await away.get_attribute("[data-zone]", "title") or "")
    here = await sit_down(arm=False, timezone_id="Asia/Singapore")  # another name, the same clock
    assert await here.locator("[data-zone]").count() == 0
