"""A unit of work cut in two, for the one that a store refuses for its content: the good part must not stay behind."""

from dataclasses import replace

import numpy as np

from firetower.ingest.ports import Work
from firetower.rules.verdicts import Verdict


def size(work: Work) -> int:
    """Return how many separate things ``work`` holds; the verdicts of an event belong to it."""
    return sum(len(part) for part in (work.readings, work.events, _free(work), work.rejects, work.seen, work.liveness))


def halves(work: Work) -> tuple[Work, Work]:
    """Return two smaller works that hold together what ``work`` of more than one thing held.

    Kinds of things are parted first, then the things of a kind halved; an event's verdicts stay with it. What leaves
    the ledger goes before or with the rejects that stand in it anew, which are the last kind; the rest of the
    bookkeeping is the last piece's.
    """
    free = _free(work)
    bound = [verdict for verdict in work.verdicts if not any(verdict is other for other in free)]
    empty = Work(work.lane)
    kinds = [
        replace(empty, readings=work.readings),
        replace(empty, events=work.events, verdicts=bound),
        replace(empty, verdicts=free),
        replace(empty, seen=work.seen),
        replace(empty, liveness=work.liveness),
        replace(empty, rejects=work.rejects),
    ]
    if sum(size(kind) > 0 for kind in kinds) > 1:
        first = next(kind for kind in kinds if size(kind))
        if len(work.readings):
            return first, replace(work, readings=empty.readings)
        if work.events:
            return first, replace(work, events=[], verdicts=free)
        if free:
            return first, replace(work, verdicts=[])
        if work.seen:
            return first, replace(work, seen=[])
        return first, replace(work, liveness=[])
    return _half(work, bound, first=True), _half(work, bound, first=False)


def _half(work: Work, bound: list[Verdict], *, first: bool) -> Work:
    cut = size(work) // 2
    part = slice(None, cut) if first else slice(cut, None)
    events = work.events[part]
    mine = {id(event) for event in events}
    return Work(
        lane=work.lane,
        readings=work.readings.take(np.arange(len(work.readings))[part]),
        events=events,
        verdicts=[verdict for verdict in bound if id(verdict.event) in mine] if events else _free(work)[part],
        rejects=work.rejects[part],
        seen=work.seen[part],
        liveness=work.liveness[part],
        replayed=work.replayed if first == bool(work.rejects) else [],
        canary=None if first else work.canary,
        brought_back=[] if first else work.brought_back,
    )


def _free(work: Work) -> list[Verdict]:
    own = {id(event) for event in work.events}
    return [verdict for verdict in work.verdicts if id(verdict.event) not in own]
