"""The rows of the queue: incidents folded under a headline, fires never, and a list nobody has to scroll for ever."""

import pytest
from test_core import Run, alert, run, sign_in_page  # noqa: F401  # reason: fixtures of the parts without a page

pytestmark = pytest.mark.system


async def test_the_neighbour_of_an_alert_that_left_is_the_one_that_took_its_place(run: Run):  # noqa: F811
    steps = """async (m, [alerts, gone]) => {
        const { AlarmStore } = await import(m.base + "alarms.js");
        const s = new AlarmStore(); s.replace([...alerts, gone]);
        const left = m.rowsOf(s.sorted().filter(a => a.id !== gone.id), new Map(), new Set(), null);
        const was = s.open.get(gone.id);
        const next = step => m.neighbour(left, was.id, was, step)?.id;
        return [next(1), next(-1), m.neighbour([], was.id, was, 1)];
    }"""
    alerts = [alert(1, minute=1), alert(2, minute=2), alert(4, minute=4)]
    assert await run("incidents.js", steps, [alerts, alert(3, minute=3)]) == ["2", "4", None]


async def test_keys_pass_over_a_headline_unless_all_under_it_is_folded_away(run: Run):  # noqa: F811
    steps = """async (m, [alerts, selected, step]) => {
        const { AlarmStore } = await import(m.base + "alarms.js");
        const s = new AlarmStore(); s.replace(alerts);
        const rows = m.rowsOf(s.sorted(), new Map([["7", {}], ["8", {}]]), new Set(), selected);
        return m.neighbour(rows, selected, null, step === "first" ? -Infinity : step).id;
    }"""
    fires = [alert(n, 1, minute=n, incident_id="7") | {"class": "fire"} for n in (8, 9)]
    faults = [alert(n, 3, minute=n, incident_id="8") for n in (1, 2, 3)]  # rows: i-7, 9, 8, i-8
    ways = [(None, 1), (None, "first"), ("9", 1), ("8", 1), ("i-8", 1), ("i-8", -1), ("9", -1), ("i-7", 1), ("i-7", -1)]
    reached = [await run("incidents.js", steps, [[*fires, *faults], *way]) for way in ways]
    assert reached == ["9", "9", "8", "i-8", "i-8", "8", "9", "9", "9"]


async def test_a_priority_with_more_than_anybody_scrolls_through_says_how_many_more_and_hides_no_fire(run: Run):  # noqa: F811
    steps = """async (m, [alerts, selected, most]) => {
        const { AlarmStore } = await import(m.base + "alarms.js");
        const s = new AlarmStore(); s.replace(alerts);
        const said = ({ id, unlisted }) => unlisted ? [id, unlisted.open, unlisted.waiting] : id;
        return m.rowsOf(s.sorted(), new Map(), new Set(), selected, { most }).map(said);
    }"""
    fires = [alert(n, 1) | {"class": "fire"} for n in (1, 2, 3)]
    urgent = [alert(n, 2, minute=n, state="acknowledged" if n == 10 else "unacknowledged") for n in range(10, 15)]
    listed = ["3", "2", "1", "14", "13", ["more-2", 3, 2]]
    assert await run("incidents.js", steps, [[*fires, *urgent, alert(20, 3)], None, 2]) == [*listed, "20"]
    found = await run("incidents.js", steps, [[*fires, *urgent], "10", 2])
    assert found == ["3", "2", "1", "14", "13", "10", ["more-2", 2, 2]]


async def test_a_folded_incident_keeps_its_fires_the_selected_alert_and_the_first_urgent_one_that_waits(run: Run):  # noqa: F811
    steps = """async (m, [alerts, selected]) => {
        const { AlarmStore } = await import(m.base + "alarms.js");
        const s = new AlarmStore(); s.replace(alerts);
        return m.rowsOf(s.sorted(), new Map([["7", {}]]), new Set(), selected).map(row => row.id);
    }"""
    member = {"incident_id": "7"}
    faults = [alert(n, 3, minute=n, **member) for n in range(1, 5)]
    urgent = [alert(n, 2, minute=n, **member) for n in (5, 6)]
    fire = alert(9, 1, minute=9, **member) | {"class": "fire"}
    other = alert(8, 1, "acknowledged", minute=8) | {"class": "fire"}
    assert await run("incidents.js", steps, [[*faults, *urgent], "2"]) == ["i-7", "6", "2"]
    assert await run("incidents.js", steps, [[*faults, *urgent, fire, other], None]) == ["i-7", "9", "8"]
    taken = fire | {"state": "acknowledged"}
    assert await run("incidents.js", steps, [[*faults, *urgent, taken, other], None]) == ["i-7", "9", "6", "8"]
    assert await run("incidents.js", steps, [faults[:1], None]) == ["1"]  # one alert needs no headline


async def test_a_fire_that_changed_since_the_last_painting_keeps_its_row_until_the_next(run: Run):  # noqa: F811
    """Rows are written anew when another alert is selected, too: the list is then older than the store's groups."""
    steps = """async (m, [before, after]) => {
        const { AlarmStore } = await import(m.base + "alarms.js");
        const s = new AlarmStore(); s.replace(before);
        const [painted, sections] = [s.sorted(), s.counts()];
        s.merge(after);
        const rows = m.rowsOf(painted, new Map([["7", {}]]), new Set(), null, { sections, groups: s.groups });
        return rows.map(row => row.id);
    }"""
    fire = alert(9, 1, minute=9, incident_id="7") | {"class": "fire"}
    others = [alert(n, 2, minute=n, incident_id="7") for n in (1, 2)]
    taken = fire | {"state": "acknowledged", "version": 2}
    assert await run("incidents.js", steps, [[fire, *others], [taken]]) == ["i-7", "9"]
    gone = fire | {"state": "closed", "version": 2}
    assert await run("incidents.js", steps, [[fire, *others], [gone]]) == ["i-7", "9"]
    risen = others[0] | {"priority": 1, "class": "fire", "version": 2}
    assert (await run("incidents.js", steps, [[fire, *others], [risen]]))[:3] == ["i-7", "9", "1"]


async def test_a_selected_alert_beyond_what_is_listed_stands_there_once_though_its_incident_begins_below(run: Run):  # noqa: F811
    steps = """async (m, alerts) => {
        const { AlarmStore } = await import(m.base + "alarms.js");
        const s = new AlarmStore(); s.replace(alerts);
        return m.rowsOf(s.sorted(), new Map([["7", {}]]), new Set(), "1", { most: 2 }).map(({ id }) => id);
    }"""
    urgent = [alert(n, 2, minute=n) for n in (11, 12, 13)]
    members = [alert(1, 2, incident_id="7"), *(alert(n, 3, minute=n, incident_id="7") for n in (2, 3, 4))]
    found = await run("incidents.js", steps, [*urgent, *members])
    assert found == ["13", "12", "1", "more-2", "i-7"]


async def test_whatever_is_selected_its_rows_are_those_of_a_list_made_for_it(run: Run):  # noqa: F811
    """They are taken over from the list made for nobody where that is the same: of a folded, an unlisted and a plain
    alert, and of a headline, with groups unfolded and not."""
    steps = """async (m, [alerts, incidents]) => {
        const { AlarmStore } = await import(m.base + "alarms.js");
        const { Looking } = await import(m.base + "../app/looking.js");
        const desk = new Looking();
        desk.alarms = new AlarmStore(); desk.alarms.replace(alerts);
        desk.incidents.merge(incidents);
        desk.paint();
        const said = rows => JSON.stringify(rows.map(({ members, alert, ...row }) => row));
        const differs = [];
        for (const unfolded of [[], ["7"], ["7", "8", "10"]]) {
          desk.expanded.value = new Set(unfolded);
          for (const id of [null, "i-7", "i-8", "gone", ...alerts.map(one => one.id)]) {
            desk.select(id);
            const made = m.rowsOf(desk.alarms.sorted(), desk.incidents.open, new Set(unfolded), id);
            if (said(desk.rows.value) !== said(made)) differs.push([unfolded, id]);
          }
        }
        return [differs, desk.rows.value.length];
    }"""
    alerts = [
        alert(n, (1, 2, 3, 3)[n % 4], minute=n % 50, incident_id=("7", "8", "9", None)[n // 3 % 4])
        for n in range(1, 60)
    ]
    many = [alert(n, 3, minute=n % 50) for n in range(100, 1160)]  # more than are listed
    for one in alerts[:8]:
        one |= {"class": "fire", "priority": 1}
    alerts += [alert(n, 3, minute=n - 10, incident_id="10") for n in (61, 62)]  # nothing to fold once one is selected
    incidents = [{"id": name, "version": 1, "closed_at": None} for name in ("7", "8", "10")]
    differs, rows = await run("incidents.js", steps, [[*alerts, *many], incidents])
    assert (differs, rows > 1000) == ([], True)
