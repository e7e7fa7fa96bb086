"""A rulebook is loaded again without a batch that no engine judged, and none is loaded that a fire forbids."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import numpy as np
import pytest
from alert_making import commit, fire
from waiting import until

from firetower.core.clock import SECOND, ManualClock, Micros
from firetower.devices.events import AlertClass, Event
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.quality import DeviceQuality
from firetower.devices.readings import Readings
from firetower.devices.registry import DeviceEntry, Registry
from firetower.ingest.rules_in_force import RulesInForce
from firetower.rules.book import rulebook as rulebooks
from firetower.rules.book.model import Rule
from firetower.rules.book.rulebook import Rulebook, RulebookError
from firetower.rules.engine import Engine
from firetower.rules.steps import Batch, Tick
from firetower.rules.verdicts import SubjectKind, VerdictKind
from firetower.rules_reload import RulesReload
from firetower.storage.burning_rules import gone_or_lowered, note_in_force, with_burning
from firetower.storage.burning_rules import in_force as stored_in_force

T0: Micros = 1_763_800_000 * SECOND


def city() -> Registry:
    registry = Registry()
    registry.add(DeviceEntry(number=1, unit="u1", device="s1", kind=DeviceKind.SMOKE, interval=10 * SECOND))
    return registry


def smoke(registry: Registry, at: Micros, value: float) -> Readings:
    metric = catalogue().by_name["smoke"]
    return Readings(
        series=np.array([registry.series(1, metric.number, 0)], np.int32),
        device=np.array([1], np.int32),
        metric=np.array([metric.number], np.int16),
        channel=np.array([0], np.int16),
        ts=np.array([at], np.int64),
        received=np.array([at], np.int64),
        value=np.array([value], np.float64),
        flags=np.array([0], np.int16),
    )


async def none(*_: object) -> dict[str, int]:
    return {}


class Store:
    """Warms engines from nothing, and has a reading of smoke judged while it does."""

    def __init__(self, registry: Registry, in_force: RulesInForce, meanwhile: list[Readings]) -> None:
        self.registry, self.in_force, self.meanwhile = registry, in_force, meanwhile
        self.judged: list[str] = []

    async def whole(self, rulebook: Rulebook, beside: Engine | None) -> Engine:
        return Engine(rulebook, self.registry)

    async def catch_up(self, engine: Engine, since: Micros) -> None:
        """Nothing was stored meanwhile; what is judged now comes after what could be read."""
        for batch in self.meanwhile:
            self.judged += [verdict.rule for verdict in self.in_force.evaluate(Batch(batch, T0))]

    async def settled(self) -> None:
        """Nothing waits to be committed."""


def reloading(in_force: RulesInForce, store: Store, on_loaded: Callable[[Rulebook], None]) -> RulesReload:
    nobody: Any = None  # neither store nor lease is asked
    return RulesReload(None, in_force, store, [store], nobody, lease=nobody, clock=ManualClock(), on_loaded=on_loaded)


async def test_what_is_judged_while_the_new_rulebook_is_warmed_is_known_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fire of two samples, the first during the reload and the second after it, is raised by the new rulebook."""

    monkeypatch.setattr("firetower.rules_reload.burning_rules", none)
    monkeypatch.setattr("firetower.rules_reload.note_in_force", none)
    monkeypatch.setattr("firetower.rules_reload.end_gone", none)
    registry = city()
    in_force = RulesInForce(Engine(rulebooks.load(), registry))
    store = Store(registry, in_force, [smoke(registry, T0, 0.5)])
    loaded: list[Rulebook] = []
    reload = reloading(in_force, store, loaded.append)
    before = in_force.rulebook
    await reload.load()
    assert store.judged == []
    assert in_force.rulebook is loaded[0] is not before
    raised = in_force.evaluate(Batch(smoke(registry, T0 + 10 * SECOND, 0.5), T0 + 10 * SECOND))
    assert "smoke-fire" in {verdict.rule for verdict in raised}


async def test_a_store_that_is_away_leaves_the_rulebook_in_force_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firetower.rules_reload.burning_rules", none)
    monkeypatch.setattr("firetower.rules_reload.note_in_force", none)
    monkeypatch.setattr("firetower.rules_reload.end_gone", none)
    registry = city()
    in_force = RulesInForce(Engine(rulebooks.load(), registry))

    class Away(Store):
        async def whole(self, rulebook: Rulebook, beside: Engine | None) -> Engine:
            raise ConnectionError

    store = Away(registry, in_force, [])
    before = in_force.rulebook
    with pytest.raises(ConnectionError):
        await reloading(in_force, store, lambda _: None).load()
    assert in_force.rulebook is before
    in_force.evaluate(Batch(smoke(registry, T0, 0.5), T0))
    assert in_force.tapped() is None, "nothing is kept any more"


def without(book: Rulebook, rule_id: str) -> Rulebook:
    return Rulebook(
        tuple(rule for rule in book.rules if rule.id != rule_id),
        book.where,
        {name: given for name, given in book.written.items() if name != rule_id},
    )


def as_hazard(book: Rulebook, rule_id: str) -> Rulebook:
    lowered = {"alert_class": AlertClass.HAZARD}
    return Rulebook(
        tuple(rule.model_copy(update=lowered) if rule.id == rule_id else rule for rule in book.rules),
        book.where,
        book.written,
    )


def refused(book: Rulebook, burning: str) -> list[str]:
    return [rule_id for rule_id, _ in gone_or_lowered(book, rulebooks.load().rules, [burning])]


def test_a_rule_with_an_open_fire_may_be_neither_removed_nor_made_less_than_a_fire() -> None:
    book = rulebooks.load()
    assert refused(book, "smoke-fire") == []
    assert refused(without(book, "heat-fire"), "smoke-fire") == []
    assert refused(without(book, "smoke-fire"), "smoke-fire") == ["smoke-fire"]
    assert refused(as_hazard(book, "smoke-fire"), "smoke-fire") == ["smoke-fire"]


def test_a_prealarm_that_a_person_found_to_be_a_fire_keeps_only_its_rule_in_the_book() -> None:
    book = rulebooks.load()
    assert refused(book, "smoke-prealarm") == []
    assert refused(without(book, "smoke-prealarm"), "smoke-prealarm") == ["smoke-prealarm"]


async def test_a_fire_that_is_raised_while_the_new_rulebook_is_warmed_refuses_it_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its alert may not be stored yet when the store is asked which rules are burning."""
    monkeypatch.setattr("firetower.rules_reload.burning_rules", none)
    whole = rulebooks.load()
    monkeypatch.setattr("firetower.rules_reload.rulebooks.load", lambda *_, **__: without(whole, "smoke-fire"))
    registry = city()
    in_force = RulesInForce(Engine(whole, registry))
    store = Store(registry, in_force, [smoke(registry, T0 + n * 10 * SECOND, 0.5) for n in range(3)])
    with pytest.raises(RulebookError, match="smoke-fire: is missing, but a fire of it is open"):
        await reloading(in_force, store, lambda _: None).load()
    assert "smoke-fire" in store.judged
    assert in_force.rulebook.rule("smoke-fire") is not None


async def test_a_start_keeps_the_rule_of_an_open_fire_that_the_rulebook_has_no_more(pool: asyncpg.Pool) -> None:
    """A start is never refused: the rule stays as it was until its fire has a verdict."""
    book = rulebooks.load()
    await note_in_force(pool, book)
    burning = fire(rule="smoke-fire", subject_kind=SubjectKind.DEVICE)
    await commit(pool, [burning])
    for less in (without(book, "smoke-fire"), as_hazard(book, "smoke-fire")):
        kept = (await with_burning(pool, less)).rule("smoke-fire")
        assert kept == book.rule("smoke-fire")
    started = await with_burning(pool, without(book, "smoke-fire"))
    await note_in_force(pool, started)
    shown = await stored_in_force(pool)
    assert shown is not None
    assert {rule.id for rule in shown.rules} == {rule.id for rule in book.rules}
    assert shown.where["smoke-prealarm"] == book.where["smoke-prealarm"]
    await pool.execute("UPDATE alert SET state = 'closed', disposition = 'false_alarm', condition = 'normal'")
    assert (await with_burning(pool, without(book, "smoke-fire"))).rule("smoke-fire") is None


class Alarmed(Store):
    """A panel says fire while the engine is brought up to date."""

    async def catch_up(self, engine: Engine, since: Micros) -> None:
        alarm = Event("u1", "s1", 1, "fire", True, "", "", T0, T0, "k")
        verdicts = self.in_force.evaluate(Batch(smoke(self.registry, T0, 0.0), T0, [alarm]))
        self.judged += [verdict.rule for verdict in verdicts]


async def test_a_rulebook_is_loaded_though_a_panel_says_fire_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device's own fire needs no rule, so that none can be taken from under it."""
    for name in ("burning_rules", "note_in_force", "end_gone"):
        monkeypatch.setattr(f"firetower.rules_reload.{name}", none)
    in_force = RulesInForce(Engine(rulebooks.load(), registry := city()))
    store = Alarmed(registry, in_force, [])
    loaded: list[Rulebook] = []
    await reloading(in_force, store, loaded.append).load()
    assert store.judged == ["event:fire"]
    assert len(loaded) == 1


async def test_the_state_is_made_whole_under_a_fire_whose_rule_nobody_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start goes on without it; what follows the start must not end the service over it, nor over a panel's fire."""

    async def burning(_pool: object) -> dict[str, int]:
        return {"of-an-older-release": 7}

    monkeypatch.setattr("firetower.rules_reload.burning_rules", burning)
    in_force = RulesInForce(Engine(rulebooks.load(), registry := city()), whole=False)
    running = asyncio.create_task(reloading(in_force, Alarmed(registry, in_force, []), lambda _: None).run())
    try:
        await until(lambda: in_force.whole or running.done())
        assert in_force.whole
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.wait({running})


async def test_what_the_old_engine_raises_meanwhile_the_new_one_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock found wrong between the look at the store and the swap: its finding is open, and must not stay so."""
    for name in ("burning_rules", "note_in_force", "end_gone"):
        monkeypatch.setattr(f"firetower.rules_reload.{name}", none)
    registry = city()
    quality = DeviceQuality(registry)
    quality.fit()

    def skewed(seconds: float) -> None:
        quality.restore(np.array([1]), missed=np.array([0]), repeated=np.array([0]), skew=np.array([seconds]))

    class Ticking(Store):
        async def whole(self, rulebook: Rulebook, beside: Engine | None) -> Engine:
            return Engine(rulebook, self.registry, quality=quality)

        async def catch_up(self, engine: Engine, since: Micros) -> None:
            skewed(3600.0)
            self.judged += [verdict.rule for verdict in self.in_force.evaluate(Tick(T0, None))]
            skewed(float("nan"))

    in_force = RulesInForce(Engine(rulebooks.load(), registry, quality=quality))
    store = Ticking(registry, in_force, [])
    await reloading(in_force, store, lambda _: None).load()
    assert store.judged == ["clock-wrong"]
    skewed(0.0)
    (ended,) = in_force.evaluate(Tick(T0 + SECOND, None))
    assert (ended.rule, ended.kind) == ("clock-wrong", VerdictKind.CLEAR)


async def test_a_rule_that_says_something_else_under_the_same_version_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Alerts name the version that raised them: two rules under one version could not be told apart afterwards."""
    for name in ("burning_rules", "note_in_force", "end_gone"):
        monkeypatch.setattr(f"firetower.rules_reload.{name}", none)
    whole = rulebooks.load()
    rule = whole.rule("gas-leak")
    assert rule is not None
    other = rule.model_copy(update={"title": rule.title.model_copy(update={"en": "Gas"})})
    risen = other.model_copy(update={"version": rule.version + 1})
    in_force = RulesInForce(Engine(whole, registry := city()))
    reload = reloading(in_force, Store(registry, in_force, []), lambda _: None)

    def loads(changed: Rule) -> None:
        rules = tuple(changed if each.id == rule.id else each for each in whole.rules)
        book = Rulebook(rules, whole.where, whole.written, whole.overrides, whole.calendar)
        monkeypatch.setattr("firetower.rules_reload.rulebooks.load", lambda *_, **__: book)

    loads(other)
    with pytest.raises(RulebookError, match=r"gas\.yaml:\d+: version: 1 for 'gas-leak', .* accepted: 2 or more"):
        await reload.load()
    loads(risen)
    await reload.load()
    assert in_force.rulebook.rule("gas-leak") == risen


class Committing(Store):
    """A store with a lane: what is judged is stored when the lane has settled, and stored readings warm engines."""

    def __init__(
        self, registry: Registry, in_force: RulesInForce, before: list[Readings], after: list[Readings]
    ) -> None:
        super().__init__(registry, in_force, after)
        self.before = before
        self.waiting: list[Readings] = []
        self.stored: list[Readings] = []
        self.alerts: list[str] = []

    def judge(self, readings: list[Readings]) -> None:
        for each in readings:
            self.judged += [verdict.rule for verdict in self.in_force.evaluate(Batch(each, T0))]
            self.waiting.append(each)

    async def whole(self, rulebook: Rulebook, beside: Engine | None) -> Engine:
        """Read the store, of which nothing is stored yet, while the lane goes on."""
        self.judge(self.before)
        return Engine(rulebook, self.registry)

    async def catch_up(self, engine: Engine, since: Micros) -> None:
        for each in self.stored:
            engine.warm(Batch(each, T0))
        self.judge(self.meanwhile)

    async def settled(self) -> None:
        self.stored, self.waiting, self.alerts = [*self.stored, *self.waiting], [], list(self.judged)


async def test_what_was_judged_and_not_yet_stored_when_the_store_was_read_is_known_to_the_new_rulebook(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first of a fire's two samples is on its way into the store: the store is read again once it is in there."""
    for name in ("burning_rules", "note_in_force", "end_gone"):
        monkeypatch.setattr(f"firetower.rules_reload.{name}", none)
    in_force = RulesInForce(Engine(rulebooks.load(), registry := city()))
    store = Committing(registry, in_force, [smoke(registry, T0, 0.5)], [])
    await reloading(in_force, store, lambda _: None).load()
    raised = in_force.evaluate(Batch(smoke(registry, T0 + 10 * SECOND, 0.5), T0 + 10 * SECOND))
    assert "smoke-fire" in {verdict.rule for verdict in raised}


async def test_alerts_of_a_removed_rule_are_ended_only_when_its_last_ones_are_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The old rulebook raised one just before the swap: looked for too early, it would stay open for ever."""
    whole = rulebooks.load()
    ended: list[str] = []

    async def end_gone(_pool: object, _lease: object, book: Rulebook, _now: Micros) -> int:
        ended.extend(rule for rule in store.alerts if book.rule(rule) is None)
        return len(ended)

    for name in ("burning_rules", "note_in_force"):
        monkeypatch.setattr(f"firetower.rules_reload.{name}", none)
    monkeypatch.setattr("firetower.rules_reload.end_gone", end_gone)
    monkeypatch.setattr("firetower.rules_reload.rulebooks.load", lambda *_, **__: without(whole, "smoke-prealarm"))
    in_force = RulesInForce(Engine(whole, registry := city()))
    hazy = [smoke(registry, T0 + n * 10 * SECOND, 0.12) for n in range(9)]
    store = Committing(registry, in_force, [], hazy)
    await reloading(in_force, store, lambda _: None).load()
    assert ended == ["smoke-prealarm"]
