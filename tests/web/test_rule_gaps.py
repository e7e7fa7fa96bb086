"""What the rulebook in force leaves unprotected stands on the board: loosened fires, rules off, rules on trial."""

from firetower.rules.book import rulebook
from firetower.rules.book.rulebook import Rulebook, rebuild
from firetower.storage.protection import Gap
from firetower.web.protection_routes import out
from firetower.web.rule_gaps import rule_gaps

SIGNED = {"by": "li", "approved_by": "wang", "backtest": "bt-1", "reason": "kitchen"}


def own(*overrides: dict[str, object], trial: str = "") -> Rulebook:
    """The shipped rulebook, with overrides of one's own beside its own, and perhaps one rule on trial."""
    book = rulebook.shipped()
    written = {name: given | ({"shadow": True} if name == trial else {}) for name, given in book.written.items()}
    return rebuild(written, [*book.written_overrides, *overrides], book.written_calendar, book.where)


def new(book: Rulebook) -> list[Gap]:
    """What stands there beyond the shipped rulebook's."""
    shipped = {(gap.kind, gap.rule, gap.scope) for gap in rule_gaps(rulebook.shipped())}
    return [gap for gap in rule_gaps(book) if (gap.kind, gap.rule, gap.scope) not in shipped]


def smoke_fire() -> float:
    rule = rulebook.shipped().rule("smoke-fire")
    assert rule is not None
    assert rule.condition.limit is not None
    return rule.condition.limit.bands[0].limit.value


def test_nothing_that_is_shipped_is_loosened_or_off() -> None:
    """Where the shipped rulebook turns a rule off for another, nothing is unprotected."""
    assert [gap.kind for gap in rule_gaps(rulebook.shipped()) if gap.kind != "on_trial"] == []


def test_a_loosened_fire_rule_stands_there_with_both_persons_in_its_scope_and_what_changed() -> None:
    """Of a device, by its unit and name, so that the board shows it in its place; of a district by the scope."""
    looser = {"rule": "smoke-fire", "reason": "kitchen", "source": "J, us", "loosened": SIGNED}
    looser["bands"] = [{"priority": 1, "limit": f"{smoke_fire() + 1} dB/m"}]
    (gap,) = new(own(looser | {"scope": {"device": "u1/smk-1"}}))
    assert (gap.kind, gap.rule, gap.unit, gap.device, gap.width) == ("loosened", "smoke-fire", "u1", "smk-1", 3)
    assert (gap.by, gap.approved_by, gap.reason) == ("li", "wang", "kitchen")
    assert f"{smoke_fire() + 1} dB/m" in gap.changes[0]
    written = out(gap).model_dump(mode="json")
    assert written["scope"] == {"level": "device", "value": "u1/smk-1"}
    assert (written["kind"], written["since"], written["approved_by"]) == ("loosened", None, "wang")
    (wide,) = new(own(looser | {"scope": {"district": "east"}}))
    assert wide.scope is not None
    assert (wide.scope.level, wide.scope.value, wide.unit, wide.width) == ("district", "east", None, 0)


def test_a_rule_that_is_off_somewhere_stands_there_once_with_its_reason() -> None:
    (gap,) = new(
        own({"rule": "battery-low", "scope": {"unit": "u1"}, "reason": "mains", "source": "J, us", "off": True})
    )
    assert (gap.kind, gap.rule, gap.unit, gap.reason) == ("rule_off", "battery-low", "u1", "mains")


def test_a_shipped_prealarm_on_trial_stands_there_once() -> None:
    (gap,) = new(own(trial="smoke-prealarm"))
    assert (gap.kind, gap.rule, gap.scope and gap.scope.level) == ("on_trial", "smoke-prealarm", "city")
