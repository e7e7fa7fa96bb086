"""Whose alarms count in a combination: rules and events by their name, or by their class."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from firetower.devices.events import AlertClass, meaning
from firetower.rules.book.conditions import Clause
from firetower.rules.book.model import Rule
from firetower.rules.book.rulebook import Rulebook

EVENT = "event:"
"""What an event's own verdicts are called by, before its name."""
Clauses = Mapping[int, Sequence[int]]
"""By the index of a combination: the numbers of its clauses."""


class Sources:
    """In which clauses of which combinations the alarms of a rule, or of ``event:<name>``, count.

    ``clauses``: of each of the combinations ``rules``. What is on trial counts only in combinations on trial.
    """

    def __init__(self, rulebook: Rulebook, rules: Sequence[Rule], clauses: Sequence[Sequence[Clause]]) -> None:
        known = {rule.id: rule for rule in rulebook.rules if rule.condition.combination is None}
        self._named: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._of_class: dict[AlertClass, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        named = {name for each in clauses for clause in each for name in _names(clause)}
        for index, rule in enumerate(rules):
            for number, clause in enumerate(clauses[index]):
                for name in sorted(named | known.keys()):
                    source = known.get(name)
                    if source is not None and source.shadow and not rule.shadow:
                        continue
                    if name in _names(clause) or _class(name, known) in clause.classes:
                        self._named[name][index].append(number)
                for alert_class in clause.classes:
                    self._of_class[alert_class][index].append(number)
        self._known = frozenset(named | known.keys())

    def of(self, name: str) -> Clauses:
        """Return the clauses in which alarms of a rule or event count."""
        if name in self._known or not name.startswith(EVENT):
            return self._named.get(name, _NOWHERE)
        alert_class = _class(name, {})
        return _NOWHERE if alert_class is None else self._of_class.get(alert_class, _NOWHERE)


_NOWHERE: Clauses = {}


def _names(clause: Clause) -> list[str]:
    return [*clause.rules, *(EVENT + event for event in clause.events)]


def _class(name: str, known: Mapping[str, Rule]) -> AlertClass | None:
    """Return the class of what a rule or event raises; None where it raises nothing."""
    if name.startswith(EVENT):
        return meaning(name[len(EVENT) :]).alert_class
    return known[name].alert_class if name in known else None
