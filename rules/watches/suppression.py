"""Suppression by design 设计抑制: verdicts of some rules are held back while something else is active."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.events import AlertClass
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.registry import Registry
from firetower.rules.book.model import Rule
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.checkpoint import in_parts
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.rules.watches.points import Points
from firetower.rules.watches.together import SUBJECT_KIND

_EVENT = "event:"
_Alert = tuple[str, str, str]
"""Rule, subject, component."""
_Place = tuple[str, str]
"""The rule that is held back, and what it has in common with what holds it back (``Suppression.on``)."""


class SuppressionWatch:
    """Rules with ``suppressed``; fed with everything that was decided.

    What was raised before stays in view; what is raised, or rises, while something holds it back is held. A fire never
    is, nor does a rule on trial hold anything back that is not on trial itself, nor a device that is retired.
    """

    def __init__(self, rulebook: Rulebook, registry: Registry) -> None:
        self._registry = registry
        self._known = {rule.id: rule for rule in rulebook.rules}
        self._held_back = {
            rule.id: rule
            for rule in rulebook.rules
            if rule.suppressed is not None and rule.alert_class is not AlertClass.FIRE
        }
        self._sources: dict[str, list[Rule]] = {}
        for rule in self._held_back.values():
            assert rule.suppressed is not None  # chosen for it
            for source in (*rule.suppressed.rules, *(_EVENT + event for event in rule.suppressed.events)):
                if rule.shadow or source not in self._known or not self._known[source].shadow:
                    self._sources.setdefault(source, []).append(rule)
        self._points = Points()
        self._active: dict[_Place, dict[_Alert, Micros]] = {}
        self._where: dict[tuple[str, _Alert], _Place] = {}  # by rule that is held back, and what holds it back
        self._held: dict[_Place, dict[_Alert, Verdict]] = {}
        self._held_at: dict[_Alert, _Place] = {}
        self._loose: dict[_Alert, Verdict] = {}  # taken over as held, and nothing may hold them back
        self._unsure = False  # whether what is held may be held back by nothing, of all that was taken over
        self._revision = registry.revision

    def seed(
        self,
        rule: str,
        subject: str,
        device: int | None,
        component: str,
        active_since: Micros,
        *,
        priority: int,
        held: bool,
    ) -> None:
        """Take over an open alert; ``held``: it is held as suppressed by design at present.

        What nothing holds back when all is taken over is raised again at the next tick: the rulebook is another, or
        what held it back is over.
        """
        alert = (rule, subject, component)
        if device is not None and rule in self._sources and rule.startswith(_EVENT):
            self._points.said(device, (rule, component), active_since, active=True)
        for other in self._sources.get(rule, ()):
            self._begin(other, alert, device, active_since)
        known = self._known.get(rule)
        if not held or known is None or alert in self._held_at:
            return
        raised = self._raise_of(known, alert, device, priority, active_since)
        place = self._place(known, alert, device) if rule in self._held_back else None
        if place is None:
            self._loose[alert] = raised
        else:
            self._hold(place, alert, raised)
            self._unsure = True

    def step(self, verdicts: Sequence[Verdict], ticked: Micros | None = None) -> list[Verdict]:
        """Return the verdicts, those held back marked, and raises again of what is held back no longer.

        ``ticked``: the instant of a tick, which also finds what no verdict tells; None for readings and alarms.

        What holds back takes effect before what it holds back where both became true at one instant; where both are
        over at one instant, nothing is raised again.
        """
        if self._loose:
            for verdict in verdicts:
                if verdict.kind is not VerdictKind.RECORD and not verdict.historical:
                    self._loose.pop(_alert(verdict), None)
        out = self._judged(verdicts) if verdicts and self._held_back else list(verdicts)
        return out if ticked is None else out + self._tick(ticked)

    def _judged(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        out = list(verdicts)
        again: list[Verdict] = []
        concerned = [place for place, verdict in enumerate(out) if self._concerns(verdict)]
        concerned.sort(key=lambda place: (out[place].at, out[place].rule not in self._sources))
        for place in concerned:
            verdict = out[place]
            if verdict.rule in self._sources:
                again += self._turn(verdict)
            if verdict.rule in self._held_back:
                out[place] = self._marked(verdict)
        over = {(_alert(out[place]), out[place].at) for place in concerned if out[place].kind is VerdictKind.CLEAR}
        return out + [each for each in again if (_alert(each), each.at) not in over]

    def _tick(self, now: Micros) -> list[Verdict]:
        """Return raises again of what nothing holds back any more, though no verdict said so."""
        out = [_again(each, now) for each in self._loose.values()]
        self._loose = {}
        if self._revision != self._registry.revision:
            known, self._revision = self._revision, self._registry.revision
            for alert in self._retired_since(known):
                out += self._end(alert, now)
        if self._unsure:
            self._unsure = False
            for place in self._held.keys() - self._active.keys():
                out += self._released(place, now)
        out.sort(key=_alert)
        return out

    def _retired_since(self, revision: int) -> list[_Alert]:
        """Return what holds something back and is of a device retired since a revision of the registry."""
        registry = self._registry
        retired = np.flatnonzero((registry.changed > revision) & registry.retired) if self._where else ()
        names = {"/".join(registry.name(int(device))) for device in retired}
        return list(dict.fromkeys(alert for _, alert in self._where if alert[1] in names))

    def _concerns(self, verdict: Verdict) -> bool:
        """Say whether a verdict holds back or may be held back; an event that is no news does neither."""
        if verdict.kind is VerdictKind.RECORD or verdict.historical:
            return False
        if verdict.rule not in self._sources:
            return verdict.rule in self._held_back
        if verdict.event is None or verdict.device_number is None:
            return True
        point, active = (verdict.rule, verdict.component), verdict.kind is VerdictKind.RAISE
        return self._points.said(verdict.device_number, point, verdict.at, active=active)

    def _turn(self, verdict: Verdict) -> list[Verdict]:
        """Note that something that holds back begins or ends; return what is raised again."""
        alert = _alert(verdict)
        if verdict.kind is not VerdictKind.RAISE:
            return self._end(alert, verdict.at)
        for rule in self._sources[verdict.rule]:
            self._begin(rule, alert, verdict.device_number, verdict.at)
        return []

    def _end(self, alert: _Alert, at: Micros) -> list[Verdict]:
        """Note that something holds nothing back any more; return what is raised again."""
        out: list[Verdict] = []
        for rule in self._sources[alert[0]]:
            place = self._where.pop((rule.id, alert), None)
            if place is not None:
                del self._active[place][alert]
                if not self._active[place]:
                    del self._active[place]
                    out += self._released(place, at)
        return out

    def _released(self, place: _Place, at: Micros) -> list[Verdict]:
        """Return raises again of what is held in a place."""
        return [_again(one, at) for each in list(self._held.get(place, ())) for one in self._let_go(each)]

    def _begin(self, rule: Rule, alert: _Alert, device: int | None, at: Micros) -> None:
        if device is not None and self._registry.retired[device]:
            return
        place = self._place(rule, alert, device)
        if place is not None and (rule.id, alert) not in self._where:
            self._where[rule.id, alert] = place
            self._active.setdefault(place, {})[alert] = at

    def _marked(self, verdict: Verdict) -> Verdict:
        """Return a verdict that may be held back, marked where it is."""
        alert = _alert(verdict)
        if verdict.kind is VerdictKind.CLEAR:
            self._let_go(alert)
            return verdict
        place = self._place(self._held_back[verdict.rule], alert, verdict.device_number)
        active = None if place is None else self._active.get(place)
        if place is None or not active or verdict.alert_class is AlertClass.FIRE:
            return verdict
        source = min(active, key=lambda each: (active[each], each))[0]
        marked = replace(verdict, suppressed=source if source.startswith(_EVENT) else f"rule:{source}")
        self._let_go(alert)
        self._hold(place, alert, marked)
        return marked

    def _hold(self, place: _Place, alert: _Alert, verdict: Verdict) -> None:
        self._held.setdefault(place, {})[alert] = verdict
        self._held_at[alert] = place

    def _let_go(self, alert: _Alert) -> list[Verdict]:
        """Forget an alert that is held; return its raise, if there was one."""
        place = self._held_at.pop(alert, None)
        if place is None:
            return []
        held = self._held[place].pop(alert)
        if not self._held[place]:
            del self._held[place]
        return [held]

    def _place(self, held_back: Rule, alert: _Alert, device: int | None) -> _Place | None:
        """Return where an alert meets what it holds back, or is held back by; None where it cannot.

        An alert about a group is of that group, and of its unit.
        """
        assert held_back.suppressed is not None  # chosen for it
        on = held_back.suppressed.on
        if device is not None:
            group = self._registry.group_of(on, device)
            return None if group is None else (held_back.id, group)
        known = self._known.get(alert[0])
        combination = None if known is None else known.condition.combination
        if combination is None:
            return None
        if combination.group == on:
            return held_back.id, alert[1]
        return (held_back.id, alert[1].partition("/")[0]) if on == "unit" and combination.group != "main" else None

    def _raise_of(self, rule: Rule, alert: _Alert, device: int | None, priority: int, at: Micros) -> Verdict:
        """Return the raise an open alert began with, as far as the rulebook tells; its value is not known."""
        bands = () if rule.measured is None else rule.measured.bands
        band = next((band for band in bands if band.priority == priority), None)
        title = rule.title if band is None or band.title is None else band.title
        combination, event = rule.condition.combination, rule.condition.event
        subject_kind = SubjectKind.DEVICE if combination is None else SUBJECT_KIND[combination.group]
        if rule.condition.silence is not None and device is not None:
            gateway = self._registry.kind[device] == KIND_NUMBER[DeviceKind.GATEWAY]
            subject_kind = SubjectKind.GATEWAY if gateway else SubjectKind.DEVICE
        return Verdict(
            kind=VerdictKind.RAISE,
            rule=rule.id,
            rule_version=rule.version,
            subject_kind=subject_kind,
            subject=alert[1],
            component=alert[2],
            alert_class=rule.alert_class,
            priority=priority,
            latch=any(each.latch for each in (band, combination, event) if each is not None),
            at=at,
            title_zh=title.zh,
            title_en=title.en,
            device_number=device,
            metric=None if rule.metric is None else catalogue().by_name[rule.metric].number,
        )

    # checkpoint ------------------------------------------------------------------------------------

    def save(self) -> Iterator[Any]:
        """Yield the state, of JSON's types, in portions: first what was said, which would be no news afterwards."""
        for devices in in_parts(self._points.devices):
            yield {"points": self._points.save(devices), "active": [], "held": []}
        for places in in_parts(dict.fromkeys([*self._active, *self._held])):
            active = [[*place, *alert, at] for place in places for alert, at in self._active.get(place, {}).items()]
            held = [[*place, _written(each)] for place in places for each in self._held.get(place, {}).values()]
            yield {"points": [], "active": active, "held": held}

    def load(self, saved: Any) -> None:
        """Take over what ``save`` returned."""
        self._points.load(saved["points"])
        for rule, group, *alert, at in saved["active"]:
            source, subject, component = alert
            number = self._registry.number(*subject.split("/", 1)) if "/" in subject else None
            if number is not None and self._registry.retired[number]:
                continue
            self._where[rule, (source, subject, component)] = (rule, group)
            self._active.setdefault((rule, group), {})[source, subject, component] = at
        for rule, group, written in saved["held"]:
            verdict = _read(written)
            self._hold((rule, group), _alert(verdict), verdict)
        self._unsure = True


def _alert(verdict: Verdict) -> _Alert:
    return (verdict.rule, verdict.subject, verdict.component)


def _again(verdict: Verdict, at: Micros) -> Verdict:
    return replace(verdict, at=max(verdict.at, at), again=True, suppressed="")


def _written(verdict: Verdict) -> dict[str, Any]:
    written = {each.name: getattr(verdict, each.name) for each in fields(verdict)}
    return written | {
        "kind": verdict.kind.value,
        "subject_kind": verdict.subject_kind.value,
        "alert_class": verdict.alert_class.value,
        "flags": list(verdict.flags),
    }


def _read(written: dict[str, Any]) -> Verdict:
    kinds = {
        "kind": VerdictKind(written["kind"]),
        "subject_kind": SubjectKind(written["subject_kind"]),
        "alert_class": AlertClass(written["alert_class"]),
        "flags": tuple(written["flags"]),
    }
    return Verdict(**(written | kinds))
