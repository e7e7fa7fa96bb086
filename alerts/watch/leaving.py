"""Who may leave the watch: it is never without an owner at a seat that sounds."""

from collections.abc import Sequence
from dataclasses import dataclass

from firetower.core.errors import Conflict

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Watchers:
    """Who is there. ``on_duty``: accounts; ``remaining``: of those, who has a live, sound-armed seat without the seat
    that is about to leave; ``seated``: others who may act, at a live seat; ``able``: everybody else who may act.
    """

    on_duty: Sequence[str]
    remaining: Sequence[str]
    seated: Sequence[str]
    able: Sequence[str]


def check_may_leave(account: str, watchers: Watchers) -> None:
    """Raise Conflict, naming who could take over and how, where nobody on duty would be left at a seat that sounds."""
    if account not in watchers.on_duty or watchers.remaining:
        return
    others = [name for name in watchers.on_duty if name != account]
    if others:
        why = f"{_names(others)} {'is' if len(others) == 1 else 'are'} on duty, but at no live seat whose sound works"
        how = "let them open the console and switch its sound on"
    elif watchers.seated:
        why = "nobody else is on duty"
        how = (
            f"{_names(watchers.seated)} could take over: sign on (POST /api/v1/watch/on), or hand over"
            " (POST /api/v1/watch/handovers)"
        )
    else:
        why = "nobody else is on duty, and nobody else who may act sits at a seat"
        who = f" ({_names(watchers.able)})" if watchers.able else ""
        how = f"let somebody who may act{who} sign in at a seat that sounds and take over by a handover"
    raise Conflict(
        f"{account} cannot leave: the watch is never without an owner, and {why}; {how}. An admin may force it with a"
        " reason",
        current={"on_duty": list(watchers.on_duty), "could_take_over": list(watchers.seated or watchers.able)},
    )


def check_has_nothing_open(account: str, alerts: Sequence[int], others: Sequence[str]) -> None:
    """Raise Conflict where open alerts are still assigned to somebody who leaves without a handover."""
    if alerts:
        named = ", ".join(map(str, alerts[:_NAMED])) + (" …" if len(alerts) > _NAMED else "")
        whom = [name for name in others if name != account]
        raise Conflict(
            f"{account} still has {len(alerts)} open alerts ({named}): hand over, or assign them"
            f" (POST /api/v1/alerts/{{id}}/assign) to {_names(whom) or 'somebody on duty'}",
            current={"alerts": [str(each) for each in alerts]},
        )


def _names(names: Sequence[str]) -> str:
    kept = list(names[:_NAMED])
    more = len(names) - len(kept)
    return ", ".join(kept) + (f" and {more} more" if more else "")
