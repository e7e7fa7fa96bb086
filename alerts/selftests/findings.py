"""Self-tests that are overdue or failed, as alerts of Firetower's own: few units one by one, many as one alert."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from firetower.alerts.selftests.schedule import Kind, State
from firetower.core.clock import Micros
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind

RULE = "system_self_test"
MOST_ALONE = 5
"""More units than these that lack one kind are one alert, until none does: nobody reads a thousand."""
_NAMED = 10
"""Units that such an alert names."""
_SUBJECT = "firetower"  # as the ingest's own alerts
_YELLOW = 3

_TITLES = {
    Kind.LINK_119: ("自检未完成：与119的通信测试", "Self-test lacking: link to 119"),
    Kind.CLOCKS: ("自检未完成：时钟核对", "Self-test lacking: clocks"),
    Kind.UNIT_FIRE_TEST: ("自检未完成：联网单位火警发送试验", "Self-test lacking: fire test of a unit"),
    Kind.POWER_CHANGEOVER: ("自检未完成：主备电源切换", "Self-test lacking: power changeover"),
}
_STATES = {State.OVERDUE: ("逾期", "overdue"), State.FAILED: ("不合格", "failed")}


@dataclass(frozen=True, slots=True)
class Lacking:
    """A self-test that is overdue or failed. ``day``: of the last one, by the centre's calendar; None: never."""

    kind: Kind
    unit: str | None
    unit_name: str | None
    state: State
    day: str | None = None


@dataclass(frozen=True, slots=True)
class Lack:
    """All that lacks of one kind: ``count`` of them, of which ``first`` are named here."""

    kind: Kind
    count: int
    first: Sequence[Lacking]


def verdicts(lacks: Sequence[Lack], standing: Mapping[str, int], now: Micros) -> list[Verdict]:
    """Return what is to be raised and cleared, given the alerts that stand, by component with their counts.

    A component is the kind, of few units ``kind:unit``. An alert of many says anew how many as that changes.
    """
    wanted: dict[str, Verdict] = {}
    for lack in lacks:
        if not lack.count:
            continue
        if lack.kind is Kind.UNIT_FIRE_TEST and (lack.count > MOST_ALONE or lack.kind in standing):
            wanted[lack.kind] = _raise(lack.kind, lack.kind, lack.count, _of_many(lack), now)
            continue
        for each in lack.first:
            component = lack.kind.value if each.unit is None else f"{lack.kind}:{each.unit}"
            wanted[component] = _raise(lack.kind, component, 1, _of_one(each), now)
    over = [_clear(component, now) for component in sorted(standing.keys() - wanted.keys())]
    return [*(each for name, each in wanted.items() if standing.get(name) != each.value), *over]


def _of_one(each: Lacking) -> str:
    zh, en = _STATES[each.state]
    where = "" if each.unit is None else f"{_name(each)} "
    last_zh = "从未完成" if each.day is None else f"上次 {each.day}"
    last_en = "never done" if each.day is None else f"last on {each.day}"
    return f"{where}{zh}，{last_zh}；请完成后登记结果。 {where}{en}, {last_en}; do it and put the result on record."


def _of_many(lack: Lack) -> str:
    names = "、".join(_name(each) for each in lack.first[:_NAMED])
    more = lack.count - min(len(lack.first), _NAMED)
    rest_zh, rest_en = (f"等，另有 {more} 个", f" and {more} more") if more else ("", "")
    return (
        f"{lack.count} 个联网单位逾期或不合格：{names}{rest_zh}。 "
        f"{lack.count} units are overdue or failed: {names}{rest_en}."
    )


def _name(each: Lacking) -> str:
    return " ".join(filter(None, (each.unit, each.unit_name)))


def _raise(kind: Kind, component: str, count: int, text: str, now: Micros) -> Verdict:
    return _verdict(VerdictKind.RAISE, kind, component, now, value=float(count), text=text, again=True)


def _clear(component: str, now: Micros) -> Verdict:
    return _verdict(VerdictKind.CLEAR, Kind(component.partition(":")[0]), component, now)


def _verdict(
    what: VerdictKind,
    kind: Kind,
    component: str,
    now: Micros,
    *,
    value: float | None = None,
    text: str = "",
    again: bool = False,
) -> Verdict:
    title_zh, title_en = _TITLES[kind]
    return Verdict(
        kind=what,
        rule=RULE,
        rule_version=1,
        subject_kind=SubjectKind.SYSTEM,
        subject=_SUBJECT,
        component=component,
        alert_class=AlertClass.FAULT,
        priority=_YELLOW,
        latch=False,
        at=now,
        title_zh=title_zh,
        title_en=title_en,
        value=value,
        text=text,
        again=again,
    )
