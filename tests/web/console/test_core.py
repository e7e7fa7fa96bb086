"""The parts without a page: order, merging, filter, flood, clock, keys; run in the browser they are written for."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from console_double import Double
from playwright.async_api import Browser, Page

pytestmark = pytest.mark.system

Run = Callable[..., Awaitable[Any]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sign_in_page(browser: Browser) -> AsyncIterator[Page]:
    """One page at the sign-in, for all: the modules keep nothing between calls, only their classes' objects do."""
    async with Double().running() as double:
        page = await browser.new_page(locale="zh-CN")
        await page.goto(f"{double.url}/console/")
        yield page
        await page.close()


@pytest.fixture
def run(sign_in_page: Page) -> Run:
    """``await run("alarms.js", "m => …", argument)`` calls a function with the module and a JSON argument."""
    page = sign_in_page

    async def run_(module: str, function: str, argument: Any = None) -> Any:
        return await page.evaluate(
            f"""async argument => {{
                const base = document.querySelector("script[src]").src.replace(/app\\/main\\.js$/, "");
                const m = await import(base + "core/" + {json.dumps(module)});
                return await ({function})({{ ...m, base: base + "core/" }}, argument);
            }}""",
            argument,
        )

    return run_


def alert(id_: int, priority: int = 3, state: str = "unacknowledged", minute: int = 0, **more: Any) -> dict[str, Any]:
    at = f"2026-11-22T11:{minute:02}:00Z"
    base = {"id": str(id_), "priority": priority, "state": state, "class": "fault", "hold": "none", "version": 1}
    return base | {"repeats": 0, "occurrences": 1, "raised_at": at, "shown_at": None} | more


async def test_the_queue_is_ordered_by_priority_then_unacknowledged_then_newest(run: Run):
    alerts = [
        alert(1, 4, minute=59),
        alert(2, 1, "acknowledged", 1),
        alert(3, 2, "acknowledged", 50),
        alert(4, 2, minute=10),
        alert(5, 2, "returned", 20),
        alert(6, 1, minute=0),
        alert(9, 3, minute=5),
        alert(10, 3, minute=5),
    ]
    order = "(m, a) => { const s = new m.AlarmStore(); s.replace(a); return s.sorted().map(x => x.id); }"
    assert await run("alarms.js", order, alerts) == ["6", "2", "5", "4", "3", "10", "9", "1"]


async def test_merging_keeps_the_newer_version_and_a_late_answer_revives_nothing(run: Run):
    steps = """(m, [v1, v2, closed]) => {
        const s = new m.AlarmStore();
        s.merge([v2]); s.merge([v1]);
        const kept = s.open.get("1").version;
        s.merge([closed]); s.merge([v2]);
        return [kept, s.open.size];
    }"""
    versions = [alert(1, version=1), alert(1, version=2), alert(1, state="closed", version=3)]
    assert await run("alarms.js", steps, versions) == [2, 0]


async def test_a_late_answer_revives_nothing_however_many_closed_since(run: Run):
    """An answer may be ten seconds on its way, in which a storm closes ten thousand."""
    steps = """(m, [open, closed]) => {
        const s = new m.AlarmStore();
        s.merge([open]); s.merge(closed); s.merge([open]);
        return s.open.size;
    }"""
    closed = [alert(n, state="closed", version=2) for n in range(1, 10_000)]
    assert await run("alarms.js", steps, [alert(1), closed]) == 0


async def test_an_answer_about_an_alert_that_another_took_the_place_of_hides_no_key(run: Run):
    """The closing of the one before may come after the alert that followed it, and a late answer in between."""
    steps = """(m, [old, next, closed]) => {
        const s = new m.AlarmStore();
        for (const one of [old, next, old, closed]) s.merge([one]);
        return s.byKey.get("k")?.id;
    }"""
    old, new = alert(1, key="k"), alert(2, key="k")
    assert await run("alarms.js", steps, [old, new, old | {"state": "closed", "version": 2}]) == "2"


async def test_a_snapshot_replaces_and_says_what_it_changed(run: Run):
    steps = """(m, [before, after]) => {
        const s = new m.AlarmStore(); s.replace(before);
        const c = s.replace(after);
        const ids = list => list.map(a => a.id);
        return [ids(s.sorted()), ids(c.added), ids(c.changed), ids(c.removed), ids(c.roused)];
    }"""
    before = [alert(1), alert(2), alert(3, 1)]
    after = [alert(1), alert(3, 1, "acknowledged", version=2), alert(4)]
    assert await run("alarms.js", steps, [before, after]) == [["3", "4", "1"], ["4"], ["3"], ["2"], ["4"]]


async def test_a_new_occurrence_a_rise_and_a_lost_acknowledgement_rouse_but_a_repeat_does_not(run: Run):
    steps = """(m, pairs) => pairs.map(([before, after]) => {
        const s = new m.AlarmStore(); s.replace([before]);
        return s.merge([after]).roused.length;
    })"""
    pairs = [
        [alert(1), alert(1, repeats=5)],
        [alert(1), alert(1, occurrences=2, version=2)],
        [alert(1, 3), alert(1, 2, version=2)],
        [alert(1, state="acknowledged"), alert(1, version=2)],
        [alert(1), alert(1, state="acknowledged", version=2)],
    ]
    assert await run("alarms.js", steps, pairs) == [0, 1, 1, 1, 0]


async def test_a_shelved_alert_waits_for_nobody_but_a_fire_always_does(run: Run):
    steps = "(m, a) => { const s = new m.AlarmStore(); s.replace(a); return [s.demand(), s.counts()[2].waiting]; }"
    shelved = alert(1, 2, hold="shelved")
    assert await run("alarms.js", steps, [shelved]) == [0, 0]
    assert (await run("alarms.js", steps, [shelved, alert(2, 1, hold="shelved") | {"class": "fire"}]))[0] == 1


async def test_the_filter_takes_every_term_and_sets_hidden_fires_apart(run: Run):
    steps = """(m, [a, filter]) => {
        const f = m.filterAlerts(a, { ...m.NO_FILTER, ...filter }, "wang");
        return [...[f.shown, f.firesOutside].map(list => list.map(x => x.id)), f.waitingOutside];
    }"""
    alerts = [
        alert(1, text="商场 水泵房"),
        alert(2, text="商场 3层"),
        alert(3, 1, text="医院") | {"class": "fire"},
        alert(4, 1, text="商场泵房") | {"class": "fire"},
    ]
    assert await run("search.js", steps, [alerts, {"q": "商场 泵"}]) == [["1", "4"], ["3"], 0]
    more = [
        alert(5, 2, unit="mall-01"),
        alert(6, 2, "acknowledged", unit="mall-01", assignee="wang"),
        alert(7, 2, "returned", unit="mall-02"),
        alert(8, 1, "acknowledged", unit="mall-02") | {"class": "fire"},
        alert(9, 2, hold="shelved"),
    ]
    assert await run("search.js", steps, [more, {"unit": "mall-01"}]) == [["5", "6"], ["8"], 1]
    assert await run("search.js", steps, [more, {"state": ["returned", "unacknowledged"], "priority": ["2"]}]) == [
        ["5", "7", "9"], ["8"], 0,
    ]  # fmt: skip
    assert await run("search.js", steps, [more, {"mine": True}]) == [["6"], ["8"], 2]
    assert await run("search.js", steps, [more, {}]) == [["5", "6", "7", "8", "9"], [], 0]


async def test_more_than_ten_alarms_in_ten_minutes_are_a_flood(run: Run):
    steps = """(m, [n, spacing]) => {
        const f = new m.FloodMeter(); const now = 10_000_000;
        f.note([...Array(n).keys()].map(i => ({id: String(i), raisedMs: now - i * spacing, priority: 1 + i % 4})));
        const read = f.read(now); return read && [read.count, read.worst];
    }"""
    assert await run("floods.js", steps, [10, 1000]) is None
    assert await run("floods.js", steps, [11, 1000]) == [11, 1]
    assert await run("floods.js", steps, [20, 100_000]) is None


async def test_the_clock_takes_the_midpoint_of_the_quickest_round_trip(run: Run):
    steps = """m => {
        let steady = 1000;
        const c = new m.ServerClock({ wall: () => 500_000, steady: () => steady });
        c.sample(0, 400, 1_000_200);   // 400 ms round trip, off by nothing
        c.sample(1000, 1020, 1_001_010);
        return [c.now(), c.offset(), c.roundTrip()];
    }"""
    assert await run("clock.js", steps) == [1_001_000, -501_000, 20]


async def test_the_clock_follows_when_the_server_clock_is_set(run: Run):
    steps = """m => {
        const c = new m.ServerClock({ wall: () => 0, steady: () => 100 });
        c.sample(0, 2, 1001); c.sample(98, 102, 5100);
        return c.now();
    }"""
    assert await run("clock.js", steps) == 5100


@pytest.mark.parametrize(
    ("event", "command"),
    [
        ({"code": "KeyA", "key": "a"}, "acknowledge"),
        ({"code": "KeyA", "key": "Process", "keyCode": 229}, "acknowledge"),  # an input method changes key, not code
        ({"code": "KeyA", "repeat": True}, None),
        ({"code": "KeyA", "isComposing": True}, None),
        ({"code": "KeyA", "ctrlKey": True}, None),
        ({"code": "KeyA", "shiftKey": True}, None),
        ({"code": "KeyS"}, None),
        ({"code": "KeyQ"}, None),
        ({"code": "ArrowDown", "repeat": True}, "next"),
        ({"code": "KeyJ", "repeat": True}, None),
        ({"code": "Slash"}, "filter"),
        ({"code": "Slash", "shiftKey": True}, "help"),
        ({"code": "Escape", "keyCode": 229}, None),  # it belongs to the word being composed
        ({"code": "Escape"}, "back"),
    ],
)
async def test_a_key_press_means_a_command_or_nothing(run: Run, event: dict[str, Any], command: str | None):
    assert await run("keys.js", "(m, e) => m.commandOf({ shiftKey: false, ...e }, true)", event) == command


async def test_single_keys_can_be_turned_off_and_arrows_stay(run: Run):
    off = "(m, code) => m.commandOf({ code, shiftKey: false }, false)"
    assert [await run("keys.js", off, code) for code in ("KeyA", "KeyM", "Slash")] == [None, None, None]
    assert [await run("keys.js", off, code) for code in ("ArrowDown", "Escape")] == ["next", "back"]


async def test_an_english_browser_gets_english_and_any_other_chinese(run: Run):
    steps = "(m, [saved, browser]) => m.preferredLanguage(saved, browser)"
    assert await run("i18n.js", steps, ["", ["en-GB", "zh"]]) == "en"
    assert await run("i18n.js", steps, ["", ["zh-CN", "en"]]) == "zh-CN"
    assert await run("i18n.js", steps, ["", ["fr"]]) == "zh-CN"
    assert await run("i18n.js", steps, ["en", ["zh-CN"]]) == "en"


async def test_ages_have_two_units_at_most_and_never_run_backwards(run: Run):
    steps = "async (m, list) => { await m.loadLanguages(); m.language.value = 'zh-CN'; return list.map(m.age); }"
    seconds = [-5_000, 42_900, 192_000, 18_180_000, 187_200_000]
    assert await run("i18n.js", steps, seconds) == ["0 秒", "42 秒", "3 分 12 秒", "5 时 03 分", "2 天 4 时"]


async def test_a_missing_word_shows_itself(run: Run):
    assert await run("i18n.js", "m => m.t('no.such.key')") == "⟦no.such.key⟧"


async def test_the_next_step_of_a_fire_follows_from_what_was_done(run: Run):
    fire = alert(1, 1, "acknowledged") | {"class": "fire", "acknowledged_at": "2026-11-22T11:00:00Z"}
    ways = [
        fire | {"state": "unacknowledged"},
        fire,
        fire | {"verification": "false"},
        fire | {"verification": "unverifiable"},
        fire | {"verification": "real", "forwarded_at": "2026-11-22T11:01:00Z"},
        fire | {"forwarded_at": "2026-11-22T11:01:00Z", "receipted_at": "2026-11-22T11:02:00Z"},
        fire | {"state": "closed"},
    ]
    expected = ["acknowledge", "verify", "close", "forward", "receipt", "close", None]
    assert await run("marks.js", "(m, all) => all.map(m.nextStep)", ways) == expected


async def test_what_was_verified_as_real_closes_as_a_real_fire_only(run: Run):
    fire = alert(1, 1, "acknowledged", verification="real", forwarded_at="f", receipted_at="r") | {"class": "fire"}
    steps = "(m, a) => ['real_fire', 'false_alarm', 'test', 'drill'].map(each => m.missingFor(a, each).join())"
    assert await run("marks.js", steps, fire) == ["", "verify", "verify", "verify"]
    assert await run("marks.js", steps, fire | {"verification": "false"}) == ["verify", "", "", ""]


async def test_a_window_begins_and_ends_by_the_clock_without_a_word_from_the_server(run: Run):
    window = {"id": "1", "state": "planned", "approved_at": "2026-11-22T10:00:00Z"}
    window |= {"starts_at": "2026-11-22T11:00:00Z", "ends_at": "2026-11-22T12:00:00Z"}
    steps = "(m, w) => [10, 11, 12].map(hour => m.stateAt(w, Date.parse(`2026-11-22T${hour}:30:00Z`)))"
    assert await run("windows.js", steps, window) == ["planned", "active", "ended"]
    asked = window | {"state": "requested", "approved_at": None}
    assert await run("windows.js", steps, asked) == ["requested", "requested", "ended"]


async def test_what_lies_around_an_alert_is_asked_once_it_is_looked_at_and_an_older_answer_changes_nothing(run: Run):
    """Not of alerts that a held arrow key passes, and never another alert's."""
    told = await run(
        "dossier.js",
        """async m => {
            const timers = [], asked = [], answers = [];
            const ask = (id, part) => done => { asked.push(`${id} ${part}`); answers.push(done); };
            const api = { around: (id, part) => new Promise(ask(id, part)) };
            const dossier = new m.Dossier({ api, steady: () => 0, later: act => timers.push(act) });
            for (const id of ["1", "2", "3"]) dossier.look(id, "1");
            const before = asked.length;
            for (const act of timers) act();
            const first = asked.filter(each => each.endsWith("calls"));
            dossier.look("3", "2");
            const calls = asked.map((each, i) => each === "3 calls" ? i : -1).filter(i => i >= 0);
            answers[calls[1]]({ ok: true, data: { items: ["new"] } });
            await 0;
            answers[calls[0]]({ ok: true, data: { items: ["old"] } });
            await 0;
            return [before, first, dossier.rows("calls", "3"), dossier.rows("calls", "2")];
        }""",
    )
    assert told == [0, ["3 calls"], ["new"], []]


async def test_a_countdown_reaches_zero_when_it_turns_and_counts_on(run: Run):
    lefts = [180_000, 59_001, 1, 0, -999, -1_000, -61_000, -3_723_000]
    texts = await run("due.js", "(m, lefts) => lefts.map(m.countdown)", lefts)
    assert texts == ["3:00", "1:00", "0:01", "0:00", "0:00", "0:01", "1:01", "1:02:03"]
    due = {"deadline": "verification_overdue", "at": "2026-11-22T11:00:00Z", "limit_s": 180}
    at_zero = "(m, alert) => m.dueOf(alert, Date.parse('2026-11-22T11:00:00Z'))"
    assert (await run("due.js", at_zero, {"state": "acknowledged", "due": due}))["overdue"] is True
    assert await run("due.js", at_zero, {"state": "closed", "due": due}) is None


CANCELLED = {"handover": {"cancel": "waiting"}, "forwarded_at": "2026-11-22T11:00:00Z"}
TOLD = {"handover": {"cancel": None}, "forwarded_at": "2026-11-22T11:00:00Z"}


@pytest.mark.parametrize(
    ("more", "step", "missing_false", "missing_real"),
    [
        ({"verification": "real"} | TOLD, "receipt", ["verify", "cancel"], ["receipt"]),
        ({"verification": "false"} | TOLD, "cancel", ["cancel"], ["verify", "receipt"]),
        ({"verification": "false"} | CANCELLED, "close", [], ["verify", "forward", "receipt"]),
        ({"verification": "real"} | CANCELLED, "verify", ["verify"], ["forward", "receipt"]),
        ({"verification": "unverifiable"}, "forward", [], ["forward", "receipt"]),
    ],
)
async def test_the_next_step_of_a_fire_knows_of_a_cancelled_hand_over(
    run: Run, more: dict[str, Any], step: str, missing_false: list[str], missing_real: list[str]
):
    fire = alert(1, 1, "acknowledged", **{"class": "fire", "acknowledged_at": "2026-11-22T11:00:00Z"} | more)
    asked = "(m, a) => [m.nextStep(a), m.missingFor(a, 'false_alarm'), m.missingFor(a, 'real_fire')]"
    assert await run("marks.js", asked, fire) == [step, missing_false, missing_real]
