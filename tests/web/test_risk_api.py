"""Four-colour risk over HTTP: worst first, paged, counted, with reasons in words; a unit sees its own alone."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
import unit_world

from firetower.core.clock import MINUTE, rfc3339
from firetower.storage.risk_rounds import RiskRounds

BANDS = ("extreme", "high", "medium", "low", "unknown")


class Held:
    """A lease that is never lost."""

    async def hold(self, conn: Any, first: str = "") -> None:
        """Hold."""


@pytest.fixture
async def city(running: Any) -> Any:
    """The mall burns; the school is well, as far as anybody knows; a third unit nobody knows anything of."""
    pool = running.pool
    await unit_world.build(pool, running.clock.now())
    await pool.execute("INSERT INTO grid (code, name) VALUES ('g1', '东网格'), ('g2', '')")
    await pool.execute("INSERT INTO unit (code, lon, lat) VALUES ('empty-03', 108.7, 21.9)")
    await pool.execute("UPDATE unit SET category = 'mall', grid_id = 1, lon = 108.6, lat = 21.9 WHERE code = 'mall-01'")
    await pool.execute("UPDATE unit SET category = 'school', grid_id = 2 WHERE code = 'school-02'")
    await pool.execute("UPDATE device SET status = 'online'")
    await running.raise_alert("smk-1")
    running.rounds = RiskRounds(pool, Held(), running.clock, period=None, zone=ZoneInfo("Asia/Shanghai"))
    await running.sign_in("vera")
    return running


async def test_nothing_was_reckoned_yet_and_that_is_said(city: Any) -> None:
    page = await city.get("/api/v1/risk")
    assert (page["computed_at"], page["items"], page["next_cursor"]) == (None, [], None)


async def test_units_come_worst_first_with_parts_reasons_and_when(city: Any) -> None:
    await city.rounds.look()
    page = await city.get("/api/v1/risk")
    assert page["computed_at"] == rfc3339(city.clock.now())
    assert [(item["code"], item["score"], item["band"]) for item in page["items"]] == [
        ("mall-01", 0, "extreme"), ("empty-03", 25, "high"), ("school-02", 85, "low"),
    ]  # fmt: skip
    mall = page["items"][0]
    assert (mall["code"], mall["score"], mall["band"], mall["open_fires"]) == ("mall-01", 0, "extreme", 1)
    assert mall["held_by"]["by"] == "fire"
    assert "办结" in mall["held_by"]["zh"]
    parts = {part["part"]: part for part in mall["parts"]}
    assert sum(part["weight"] for part in parts.values()) == pytest.approx(1)
    assert parts["ignition"]["score"] is None
    assert parts["response"]["reasons"][2]["en"] == "no micro fire station within 3 km"
    assert page["counts"] == dict.fromkeys(BANDS, 0) | {"extreme": 1, "low": 1, "high": 1}
    assert page["model"]["bands"] == {"low": 85, "medium": 65, "high": 25}


async def test_they_are_filtered_and_paged_without_losing_one(city: Any) -> None:
    await city.rounds.look()
    everything = [item["code"] for item in (await city.get("/api/v1/risk"))["items"]]
    paged: list[str] = []
    params = {"limit": "1"}
    while True:
        page = await city.get("/api/v1/risk", **params)
        paged += [item["code"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert paged == everything
    assert len(everything) == 3

    async def found(**asked: str) -> list[str]:
        return [item["code"] for item in (await city.get("/api/v1/risk", **asked))["items"]]

    assert await found(band="extreme") == ["mall-01"]
    assert await found(q="万象") == ["mall-01"]
    assert await found(grid="g2") == ["school-02"]
    assert await found(within="108.5,21.8,108.65,22") == ["mall-01"]
    assert (await city.get("/api/v1/risk", band="low"))["counts"]["extreme"] == 1, "counts are of all bands"
    for wrong in ({"within": "1,2,3"}, {"cursor": "xx"}, {"band": "red"}, {"by": "street"}):
        status, _ = await city.call("GET", "/api/v1/risk", params=wrong)
        assert status == 400, wrong


async def test_a_grid_names_its_worst_units_and_its_changes_are_told(city: Any) -> None:
    await city.rounds.look()
    first = city.clock.now()
    worst, other = (await city.get("/api/v1/risk", by="grid"))["items"]
    assert (worst["code"], worst["name"], worst["units"], worst["worst"]) == (
        "g1", "东网格", 1, [{"unit": "mall-01", "name": "万象城"}],
    )  # fmt: skip
    assert worst["bands"] == dict.fromkeys(BANDS, 0) | {"extreme": 1}
    assert other["code"] == "g2"
    await city.pool.execute("UPDATE alert SET state = 'closed', disposition = 'false_alarm', condition = 'normal'")
    city.clock.advance(2 * MINUTE)
    await city.rounds.look()
    for asked in ({"unit": "mall-01"}, {"grid": "g1"}):
        now, then = (await city.get("/api/v1/risk/history", **asked))["items"]
        assert (now["old_band"], then["new_band"], then["at"]) == ("extreme", "extreme", rfc3339(first))
    assert (await city.call("GET", "/api/v1/risk/history", params={"unit": "gone"}))[0] == 404
    assert (await city.call("GET", "/api/v1/risk/history"))[0] == 400


async def test_a_unit_sees_its_own_risk_and_no_other(city: Any) -> None:
    await city.rounds.look()
    await city.sign_in("school-room")
    page = await city.get("/api/v1/risk")
    assert [item["code"] for item in page["items"]] == ["school-02"]
    assert sum(page["counts"].values()) == 1
    assert len((await city.get("/api/v1/risk/history"))["items"]) == 1
    for path, asked in (
        ("/api/v1/risk", {"unit": "mall-01"}),
        ("/api/v1/risk", {"by": "grid"}),
        ("/api/v1/risk/history", {"unit": "mall-01"}),
        ("/api/v1/risk/history", {"grid": "g1"}),
    ):
        assert (await city.call("GET", path, params=asked))[0] == 403, (path, asked)
