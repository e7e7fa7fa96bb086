"""Alerts whose rule the rulebook in force has no more: plain ones are over, the others say so and stay."""

from dataclasses import replace
from typing import Any

from alert_making import T0, hazard
from desk_city import NOW

from firetower.alerts.judge import judge
from firetower.alerts.rule_gone import gone
from firetower.core.clock import HOUR, SECOND
from firetower.devices.events import AlertClass
from firetower.rules.book.rulebook import Rulebook, load
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.storage.rule_gone import end_gone

SHIPPED = load()
KEPT = SHIPPED.rules[0]
BOOK = Rulebook((KEPT,))
LATER = NOW + HOUR


def said(device: str = "h1", rule: str = "gone-rule", **more: Any) -> Verdict:
    return hazard(device, rule=rule, **more)


def burning(device: str = "h9") -> Verdict:
    return said(device, alert_class=AlertClass.FIRE, priority=1, latch=True)


async def test_a_plain_alert_of_a_removed_rule_returns_to_normal_and_what_latches_stays_and_says_so(
    city: Any, pool: Any, lease: Any
) -> None:
    """Unacknowledged it waits for somebody to take note, acknowledged it is over. A second call changes nothing."""
    fresh, taken, latched, fire = await city.raised(said("h1"), said("h2"), said("h3", latch=True), burning())
    await pool.execute("UPDATE alert SET state = 'acknowledged', acknowledged_by = 'li' WHERE id = $1", taken)
    before = await city.seq()
    assert await end_gone(pool, lease, BOOK, NOW) == 4
    assert await city.seen(fresh, taken) == [("returned", "none"), ("closed", "none")]
    assert await city.seen(latched, fire) == [("unacknowledged", "none")] * 2
    assert [(await city.alert(each)).condition for each in (fresh, taken, latched)] == ["normal", "normal", "active"]
    assert [(await city.alert(each)).flags for each in (fresh, latched, fire)] == [(), ("rule_gone",), ("rule_gone",)]
    for each in (fresh, taken, latched, fire):
        assert (await city.told(each))[-1] == ("rulebook", "rule_gone")
    assert await city.seq() == before + 1
    assert await end_gone(pool, lease, BOOK, LATER) == 0
    assert await city.seq() == before + 1


async def test_alerts_of_rules_in_force_of_devices_people_and_firetower_itself_are_left_alone(
    city: Any, pool: Any, lease: Any
) -> None:
    lag = said("lag", rule="system_lag", subject_kind=SubjectKind.SYSTEM)
    all_of_them = [said(rule=KEPT.id), said(rule="event:fault"), said(rule="manual:report"), lag]
    ids = await city.raised(*all_of_them)
    assert await end_gone(pool, lease, BOOK, NOW) == 0
    assert await city.seen(*ids) == [("unacknowledged", "none")] * 4


async def test_what_was_held_ends_and_what_was_closed_while_it_stood_gives_its_key_back(
    city: Any, pool: Any, lease: Any
) -> None:
    """The rule, should it come back, then raises a new alert; who closed the old one stands on it still."""
    held, closed = await city.raised(said("h1", suppressed="rule:other"), said("h2"))
    await pool.execute(
        "UPDATE alert SET state = 'closed', closed_by = 'li', closed_at = raised_at WHERE id = $1", closed
    )
    await end_gone(pool, lease, BOOK, NOW)
    assert await city.seen(held, closed) == [("closed", "none"), ("closed", "none")]
    assert (await city.alert(closed)).closed_by == "li"
    (anew,) = await city.raised(said("h2", at=T0 + 9 * SECOND), at=LATER)
    assert anew not in {held, closed}


async def test_a_rule_on_trial_raises_no_alerts_so_its_old_ones_end_and_say_why(
    city: Any, pool: Any, lease: Any
) -> None:
    (old,) = await city.raised(said(rule=KEPT.id))
    await end_gone(pool, lease, Rulebook((KEPT.model_copy(update={"shadow": True}),)), NOW)
    assert (await city.alert(old)).condition == "normal"
    evidence = await pool.fetchval("SELECT evidence ->> 'on_trial' FROM alert_history WHERE reason = 'rule_gone'")
    assert evidence == "true"


async def test_a_rule_that_is_back_takes_the_word_off_its_alerts(city: Any, pool: Any, lease: Any) -> None:
    (latched,) = await city.raised(said(rule=KEPT.id, latch=True))
    await end_gone(pool, lease, Rulebook(()), NOW)
    assert (await city.alert(latched)).flags == ("rule_gone",)
    assert await end_gone(pool, lease, BOOK, LATER) == 1
    assert (await city.alert(latched)).flags == ()
    assert (await city.told(latched))[-1] == ("rulebook", "rule_back")


async def test_many_are_ended_in_bounded_transactions(city: Any, pool: Any, lease: Any) -> None:
    """Each of 200 at the most, each announced."""
    count = 450
    await city.raised(*(said(f"h{n}") for n in range(count)))
    before = await city.seq()
    assert await end_gone(pool, lease, BOOK, NOW) == count
    assert await city.seq() == before + 3
    assert await pool.fetchval("SELECT count(*) FROM alert WHERE state = 'returned'") == count


async def test_what_a_rule_no_more_on_trial_would_have_raised_ends(city: Any, pool: Any, lease: Any) -> None:
    await pool.execute(
        "INSERT INTO shadow_alert (rule, rule_version, subject_kind, subject, alert_class, priority, title_zh,"
        " title_en, raised_at, last_at) VALUES ('gone-rule', 1, 'device', 'u1/h1', 'hazard', 3, '', '', now(), now())"
    )
    await end_gone(pool, lease, BOOK, NOW)
    assert await pool.fetchval("SELECT count(*) FROM shadow_alert WHERE cleared_at IS NULL") == 0


def test_a_clear_of_the_rule_after_all_changes_nothing_more() -> None:
    """What was on its way when the rule went finds its alert as it is."""
    begun = judge(None, said(latch=True), NOW).alert
    assert begun is not None
    marked = gone(replace(begun, id=1), NOW)
    assert marked is not None
    after = judge(marked[0], said(latch=True, kind=VerdictKind.CLEAR, at=T0 + SECOND), LATER).alert
    assert after is not None
    assert (after.state, after.condition, after.flags) == ("unacknowledged", "normal", ("rule_gone",))
