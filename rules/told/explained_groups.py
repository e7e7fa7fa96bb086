"""Why the clauses of a combination hold or do not in a group of devices, in words."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil

from firetower.devices.kinds import DeviceKind
from firetower.devices.registry import Registry
from firetower.rules.book.conditions import Clause, CombinationCondition
from firetower.rules.book.model import Rule
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.measured.off import Off
from firetower.rules.measured.scopes import Scopes
from firetower.rules.told.explain import Speaker
from firetower.rules.told.explained_silence import Silences
from firetower.rules.told.heard import Standing
from firetower.rules.verdicts import Verdict
from firetower.rules.watches.clauses import Members, differ, followed

_NAMED = 5
_EVENT = "event:"
_KINDS = tuple(DeviceKind)


@dataclass(slots=True)
class _Counted:
    """What a clause finds in a group. ``aside``: alarms that stand and do not count, and why."""

    members: Members
    needed: int
    of_all: int = 0
    named: dict[str, str] = field(default_factory=dict)
    aside: list[str] = field(default_factory=list)

    @property
    def met(self) -> bool:
        return self.members.near and len(self.members) >= self.needed


class Groups:
    """Says of combinations of ``book`` what ``standing`` makes of them."""

    def __init__(
        self,
        book: Rulebook,
        registry: Registry,
        standing: Standing,
        speaker: Speaker,
        *,
        scopes: Scopes,
        silences: Silences,
    ) -> None:
        self._known = {rule.id: rule for rule in book.rules}
        self._registry = registry
        self._standing = standing
        self._speaker = speaker
        self._scopes = scopes
        self._silences = silences

    def told(self, rule: Rule, subject: str) -> str:
        """Return a sentence for each clause of a combination, of the group that an alert would be about."""
        condition = rule.condition.combination
        assert condition is not None  # only combinations are asked about
        said, parts = [], []
        for clause in condition.all:
            counted = self._counted(rule, condition, clause, subject)
            parts.append(counted.members)
            said.append(f"{'met' if counted.met else 'not met'}: {self._sentence(clause, counted)}")
        for clause in condition.none:
            counted = self._counted(rule, condition, clause, subject)
            said.append(f"{'not met' if counted.met else 'met'}: there must not be: {self._sentence(clause, counted)}")
        if any(clause.classes for clause in condition.all) and all(parts) and not differ(parts):
            said.append("not met: one alarm is of several of these, and counts for one only")
        within = condition.followed_within
        if within is not None and all(parts) and not followed(parts, within):
            said.append(f"not met: they began neither in this order nor within {self._speaker.span(within)}")
        if condition.on_delay:
            said.append(f"it must hold for {self._speaker.span(condition.on_delay)}")
        return f"{subject}: " + "; ".join(said)

    def _counted(self, rule: Rule, condition: CombinationCondition, clause: Clause, subject: str) -> _Counted:
        found = _Counted(Members(clause.devices, clause.within), clause.devices)
        here = {"/".join(self._registry.name(each)): each for each in self._of_group(rule, condition, subject)}
        sources = _sources(clause)
        rules = [self._known[each] for each in clause.rules if each in self._known]
        kinds = {kind for each in rules if each.condition.silence is None for kind in each.kinds}
        for (source, about, point), (since, verdict) in self._standing.items():
            number = here.get(about)
            if number is None or not (source in sources or self._is_of(verdict, clause)):
                continue
            of = f"{about} ({source} since {self._speaker.time(since)})"
            if not counts(rule, self._known.get(source)):
                found.aside.append(f"{of} is on trial and does not count")
            elif clause.priority is not None and verdict.priority > clause.priority:
                found.aside.append(f"{of} is of priority {verdict.priority} and does not count")
            else:
                begin = since if clause.priority is None else verdict.at
                if verdict.since is not None:
                    begin = verdict.since
                doubt = 0 if verdict.since is None else self._registry.interval.item(number)
                found.members.add(number, (source, point), begin, doubt=doubt)
                found.named.setdefault(about, of)
                if source not in clause.rules:
                    kinds.add(_KINDS[int(self._registry.kind[number])])
        if clause.share is not None:
            found.of_all = sum(
                _KINDS[int(self._registry.kind[each])] in kinds or self._is_watched(each, clause)
                for each in here.values()
            )
            found.needed = max(clause.devices, ceil(clause.share * found.of_all - 1e-9))
        return found

    def _is_watched(self, number: int, clause: Clause) -> bool:
        """Say whether one of the clause's rules judges the silence of a device."""
        judge = self._silences.judge(number, spoke=bool(self._registry.last_seen[number]))
        return judge is not None and judge.id in clause.rules

    def _is_of(self, verdict: Verdict, clause: Clause) -> bool:
        known = self._known.get(verdict.rule)
        return verdict.alert_class in clause.classes and (known is None or known.condition.combination is None)

    def _sentence(self, clause: Clause, found: _Counted) -> str:
        count = len(found.members)
        devices = {0: "no device", 1: "1 device"}.get(count, f"{count} devices")
        needed = f"{found.needed} needed"
        if clause.share is not None:
            needed += f" ({clause.share:.0%} of the {found.of_all} there, at least {clause.devices})"
        if clause.within is not None:
            apart = "" if found.members.near or found.members.too_few else ", but they began further apart"
            needed += f" that begin within {self._speaker.span(clause.within)}{apart}"
        named = list(found.named.values())
        more = [f"{len(named) - _NAMED} more"] if len(named) > _NAMED else []
        names = ", ".join(named[:_NAMED] + more)
        said = f"{devices} with {' or '.join(_sources(clause))}, {needed}" + (f": {names}" if names else "")
        return ", but ".join([said, *found.aside[:_NAMED]])

    def _of_group(self, rule: Rule, condition: CombinationCondition, subject: str) -> Iterator[int]:
        if condition.group == "device":
            unit, _, device = subject.partition("/")
            number = self._registry.number(unit, device)
            if number is not None:
                yield number
        else:
            of_rule = self._registry.members(condition.group, subject, rule.kinds)
            yield from of_rule[~Off([rule], self._scopes).of_many(0, of_rule)].tolist()


def counts(rule: Rule, source: Rule | None) -> bool:
    """Say whether alarms of ``source`` (None: an event's) count in a combination, ``rule``."""
    return rule.shadow or source is None or not source.shadow


def _sources(clause: Clause) -> list[str]:
    return [*clause.rules, *(_EVENT + name for name in clause.events), *(f"any {name}" for name in clause.classes)]
