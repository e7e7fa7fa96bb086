"""Four-colour risk: what a unit's facts come to, and that nothing that gets worse ever raises a score."""

import tracemalloc
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firetower.alerts.risk import near, telling, words
from firetower.alerts.risk.facts import COLUMNS, COUNTED, NONE_NEAR, NOWHERE, Facts
from firetower.alerts.risk.grids import rate_grids, score_of
from firetower.alerts.risk.model import CATEGORIES, Band, Part, read, shipped
from firetower.alerts.risk.near import nearest_m
from firetower.alerts.risk.rating import PARTS, REASONS, rate
from firetower.core.errors import ConfigError
from firetower.devices.earth import distance_m

MODEL = shipped()
MALL, OTHER = CATEGORIES.index("mall"), CATEGORIES.index("other")
WELL = {
    "category": MALL, "devices": 40, "seen": 40, "watched": 4, "contacts": 2, "reachable": 1,
    "lon": 108.6, "lat": 21.9, "water_m": 100, "station_m": 400,
}  # fmt: skip


def rated(**unit: float) -> tuple[int | None, Band | None, float, dict[str, Any], dict[str, Any]]:
    """Score, band, known share, parts by name, the rest."""
    facts = Facts.of(unit)
    ratings = rate(facts, MODEL)
    score = None if ratings.score[0] < 0 else int(ratings.score[0])
    parts, rest = telling.of_unit(facts, ratings, 0)
    return score, telling.band_of(score, MODEL), float(ratings.known[0]), {each["part"]: each for each in parts}, rest


@pytest.mark.parametrize(
    ("changed", "score", "band"),
    [
        ({}, 88, Band.LOW),
        ({"category": CATEGORIES.index("chemical")}, 83, Band.MEDIUM),
        ({"open_electrical": 1}, 82, Band.MEDIUM),
        ({"open_gas": 1}, 78, Band.MEDIUM),
        ({"open_gas": 2}, 64, Band.HIGH),  # its weakest part is extreme: one band above that at most
        ({"recent_cable": 1}, 86, Band.LOW),
        ({"not_working": 1}, 87, Band.LOW),
        ({"not_working": 40}, 64, Band.HIGH),
        ({"overdue": 2, "unacknowledged": 2}, 80, Band.MEDIUM),
        ({"overdue": 9, "unacknowledged": 9}, 64, Band.HIGH),
        ({"water_m": NONE_NEAR, "station_m": NONE_NEAR}, 76, Band.MEDIUM),
        ({"reachable": 0}, 87, Band.LOW),
        ({"contacts": 0, "reachable": 0}, 83, Band.MEDIUM),
        ({"fires": 1}, 0, Band.EXTREME),
        ({"fires": 1, "not_working": 40, "open_gas": 2, "overdue": 9}, 0, Band.EXTREME),
    ],
)
def test_what_facts_come_to(changed: dict[str, float], score: int, band: Band) -> None:
    found = rated(**WELL | changed)
    assert found[:2] == (score, band)
    assert found[2] == pytest.approx(1.0)


def test_nothing_known_is_no_score_and_no_colour_and_a_fire_of_it_is_extreme_all_the_same() -> None:
    score, band, known, parts, _ = rated(category=OTHER)
    assert (score, band, known) == (None, None, 0)
    assert all(part["score"] is None and part["reasons"] == [] for part in parts.values())
    assert rated(category=OTHER, fires=1)[:2] == (0, Band.EXTREME)


def test_where_a_unit_stands_and_what_it_is_never_make_it_extreme_by_themselves() -> None:
    """A village nobody has measured anything in is not the reddest place of the map."""
    far = {"lon": 108.6, "lat": 21.9, "water_m": NONE_NEAR, "station_m": NONE_NEAR}
    assert rated(category=OTHER, **far)[:3] == (25, Band.HIGH, pytest.approx(0.215))
    assert rated(category=CATEGORIES.index("sanheyi"), **far)[:2] == (25, Band.HIGH)


def test_the_weight_of_what_nobody_knows_is_shared_and_said() -> None:
    score, _, known, parts, _ = rated(**WELL | {"watched": 0, "category": OTHER})
    assert known == pytest.approx(0.6)
    assert parts["ignition"]["score"] is parts["building"]["score"] is None
    rest = [part for part in Part if part not in {Part.IGNITION, Part.BUILDING}]
    mean = sum(parts[part]["score"] * MODEL.weights[part] for part in rest) / known
    assert score == int(mean)


def test_devices_that_never_reported_say_nothing_until_one_of_the_unit_did() -> None:
    never = WELL | {"seen": 0, "watched": 0, "not_working": 40, "key_down": 2}
    assert rated(**never)[3]["facilities"]["score"] is None
    assert rated(**never | {"seen": 1})[3]["facilities"]["score"] == 0, "39 of 40 protect nobody"


def test_reasons_are_told_the_heaviest_first_with_their_figures_and_all_have_words() -> None:
    *_, parts, rest = rated(
        **WELL | {"not_working": 3, "key_down": 1, "water_m": NONE_NEAR, "reachable": 0, "fires": 2}
    )
    assert parts["facilities"]["reasons"] == [
        {"code": "key_down", "n": 1, "takes": 25},
        {"code": "not_working", "n": 3, "of": 40, "takes": 8},
    ]
    assert [reason["code"] for reason in parts["response"]["reasons"]] == ["water", "nobody_now"]
    assert rest == {"held_by": "fire", "fires": 2}
    assert words.of_reason(parts["facilities"]["reasons"][1], 3000)[1] == "devices that do not work: 3 of 40"
    assert words.of_reason(parts["response"]["reasons"][0], 3000) == (
        "3 公里内无可用水源", "no working water within 3 km",
    )  # fmt: skip
    assert {code for _, code in REASONS} == words.CODES


def any_units(count: int) -> Facts:
    """Units of every kind: known in part, in trouble in part."""
    draw = np.random.default_rng(11)
    facts = Facts.of(*[{}] * count)
    rows = facts.rows
    for name in (*COUNTED, "fires"):
        rows[name] = draw.integers(0, 12, count) * (draw.random(count) < 0.3)
    rows["category"] = draw.integers(-1, len(CATEGORIES), count)
    rows["devices"], rows["seen"] = 12, 12 * draw.integers(0, 2, count)
    rows["watched"] = draw.integers(0, 2, count)
    rows["contacts"], rows["reachable"] = draw.integers(0, 3, count), draw.integers(0, 2, count)
    rows["lon"], rows["lat"] = np.where(draw.random(count) < 0.7, 108.6, NOWHERE), 21.9
    for metres in (facts.water_m, facts.station_m):
        metres[:] = draw.choice([NONE_NEAR, 0, 100, 480, 900, 2500], count)
    return facts


def worsened(facts: Facts, what: str) -> Facts:
    worse = Facts(facts.rows.copy(), facts.water_m.copy(), facts.station_m.copy())
    if what.endswith("_m"):
        metres = getattr(worse, what)
        metres[:] = np.where((metres == NONE_NEAR) | (metres == 2500), NONE_NEAR, metres + 700)
    elif what in {"reachable", "contacts"}:
        worse.rows["reachable"] = 0
        worse.rows["contacts"] *= what == "reachable"
    else:
        worse.rows[what] += 1
    return worse


@pytest.mark.parametrize("what", [*COUNTED, "fires", "water_m", "station_m", "reachable", "contacts"])
def test_nothing_that_gets_worse_ever_raises_a_score(what: str) -> None:
    facts = any_units(5000)
    before, after = rate(facts, MODEL).score, rate(worsened(facts, what), MODEL).score
    known = before >= 0
    assert known.sum() > 4000
    assert (after[known] >= 0).all()
    assert (after <= before)[known].all()
    assert (after < before).sum() > 50, "it counts at all"
    assert before.max() <= 100


def test_one_very_bad_unit_is_not_averaged_away() -> None:
    scores = np.full(1000, 95, np.int16)
    assert score_of(scores, MODEL) == (95, None)
    scores[7] = 20
    assert score_of(scores, MODEL) == (64, "worst"), "extreme among a thousand: the grid is high"
    scores[7] = 60
    assert score_of(scores, MODEL) == (84, "worst")
    scores[7] = -1
    assert score_of(scores, MODEL) == (95, None), "nobody knows that one"
    assert score_of(np.full(3, -1, np.int16), MODEL) == (None, None)
    assert score_of(np.full(3, 20, np.int16), MODEL)[0] == 20, "extreme where all are"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-1, 100), min_size=1, max_size=30), st.data())
def test_a_unit_that_gets_worse_never_raises_its_grid(scores: list[int], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(scores) - 1))
    if scores[place] < 1:
        return
    worse = list(scores)
    worse[place] = data.draw(st.integers(0, scores[place]))
    before, after = (score_of(np.array(each, np.int16), MODEL)[0] for each in (scores, worse))
    assert before is not None
    assert after is not None
    assert after <= before


def test_a_grid_counts_its_units_by_band_and_names_the_worst() -> None:
    facts = Facts.of(
        {"id": 1, "grid": 2, **WELL},
        {"id": 2, "grid": 2, **WELL, "fires": 1},
        {"id": 3, "grid": 2, "category": OTHER},
        {"id": 4, "grid": 9, **WELL},
        {"id": 5, **WELL},
    )
    two, nine = rate_grids(facts, rate(facts, MODEL), MODEL)
    assert (two.grid, two.units, two.fires, two.worst) == (2, 3, 1, (2, 1))
    assert two.bands == {Band.LOW: 1, Band.EXTREME: 1, None: 1}
    assert two.known == pytest.approx(2 / 3)
    assert (nine.grid, nine.score) == (9, 88)
    only = rate_grids(facts, rate(facts, MODEL), MODEL, np.array([0, 9], np.int32))
    assert [grid.grid for grid in only] == [9]


def test_the_nearest_is_found_as_by_looking_at_every_one() -> None:
    """Water round the corner of a square of ground, or in the next but one, must not be missed."""
    draw = np.random.default_rng(5)
    lon, lat = 108.6 + draw.random(300) * 0.05, 21.9 + draw.random(300) * 0.05
    for count in (1, 7, 400):
        to_lon, to_lat = 108.6 + draw.random(count) * 0.06, 21.9 + draw.random(count) * 0.04
        found = nearest_m(lon, lat, to_lon, to_lat, 1500.0)
        for n in range(300):
            true = min(distance_m(lon[n], lat[n], x, y) for x, y in zip(to_lon, to_lat, strict=True))
            if abs(true - 1500) > 15:
                assert found[n] == (NONE_NEAR if true > 1500 else pytest.approx(true, rel=0.01, abs=6))
    assert nearest_m(np.array([999.0]), np.array([21.9]), to_lon, to_lat, 1500.0).tolist() == [NONE_NEAR]


def test_thousands_of_places_at_one_point_cost_no_more_than_one() -> None:
    """What came without a place of its own stands in the middle of the city: pairs of it would fill the memory."""
    lon, lat = np.full(1000, 108.6), np.full(1000, 21.9)
    tracemalloc.start()
    try:
        found = nearest_m(lon, lat, np.full(5000, 108.6 + 0.0018), np.full(5000, 21.9), 1500.0)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert set(found.tolist()) == {190}
    assert most < 5_000_000, "bytes"


def test_one_station_of_a_large_city_is_found_in_a_few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked for in squares of a hundred metres it kept a core busy for twenty seconds of each minute."""
    looks = 0
    pairs = near._Cells._pairs

    def counted(*given: Any) -> Any:
        nonlocal looks
        looks += 1
        return pairs(*given)

    monkeypatch.setattr(near._Cells, "_pairs", counted)
    lon, lat = np.linspace(108.5, 108.7, 200), np.full(200, 21.9)
    found = nearest_m(lon, lat, np.array([108.6]), np.array([21.9]), 3000.0)
    assert looks <= 25
    assert ((found != NONE_NEAR) == (np.abs(lon - 108.6) * 103_300 < 3000)).all()


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("weight: 0.184", "weight: 0.284", "come to 1.100"),
        ("fire_cap: 0", "fire_cap: 30", "fire_cap 30"),
        ("high: 25}", "high: 70}", "bands must rise"),
        ("open_gas: ", "open_gass: ", "exactly open_gas"),
        ("other: null", "others: null", "exactly hospital"),
        ("[300, 10]", "[300, 50]", "further away"),
        ("version: 1", "version: 1\nflair: 3", "flair"),
    ],
)
def test_a_model_that_contradicts_itself_is_refused_with_the_reason(was: str, becomes: str, told: str) -> None:
    text = (files("firetower.alerts.risk") / "risk.yaml").read_text("utf-8")
    assert text.count(was) == 1
    with pytest.raises(ConfigError, match=told):
        read(text.replace(was, becomes))


def test_every_column_and_part_has_a_place() -> None:
    assert len(set(COLUMNS)) == len(COLUMNS)
    assert [part.value for part in PARTS] == [each["part"] for each in telling.of_unit(*_one(), 0)[0]]


def _one() -> tuple[Facts, Any]:
    facts = Facts.of(WELL)
    return facts, rate(facts, MODEL)
