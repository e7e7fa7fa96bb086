"""Batches that fail as a whole are split; what is split loses nothing."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from waiting import until

sys.path.insert(0, str(Path(__file__).parent))
from lane_city import CLOCK
from quiet_session import heard, lanes_running, ms, quiet_city, quiet_lane
from test_fairness import MemoryBacklog

from firetower.core.mqtt import Incoming
from firetower.devices.readings import Mark
from firetower.ingest.fairness import Sender
from firetower.ingest.pieces import halves, size
from firetower.ingest.ports import Liveness, Reject, Seen, Work


async def test_two_values_under_one_key_survive_a_batch_that_has_to_be_split() -> None:
    """What fails together is prepared one by one; the second value of a standing clock still sees the first."""
    city = quiet_city()
    lane, session = quiet_lane(city, "telemetry")
    together = lane._processing.prepare

    async def prepare(batch: Sequence[Incoming]) -> Any:
        if len(batch) > 1:
            raise RuntimeError("together they fail")
        return await together(batch)

    lane._processing.prepare = prepare  # type: ignore[method-assign]
    at = ms(-1000)
    async with lanes_running(lane):
        session.say(
            heard("smk-1/telemetry", {"ts": at, "smoke": 0.01}), heard("smk-1/telemetry", {"ts": at, "smoke": 0.5})
        )
        await until(lambda: len(session.acked) == 2)
    assert city.values() == [0.01, 0.5]
    assert [bool(flags & Mark.CLOCK_STUCK) for value, flags in sorted(city.store.readings.values())] == [False, True]


@pytest.mark.parametrize("order", [("good", "refused"), ("refused", "good"), ("refused",)])
async def test_an_alarm_of_the_backlog_that_the_store_refuses_leaves_it_with_its_place_in_the_ledger(
    order: tuple[str, ...],
) -> None:
    """Wherever it stands in its batch: it does not come back for ever, and its neighbour is stored once."""
    backlog = MemoryBacklog()
    city = quiet_city(backlog=backlog)
    sender = str(Sender("mall-01", urgent=False))
    await backlog.put([(sender, heard("p/alarm", {"event": "fault", "component": point})) for point in order])
    plain = city.store.commit

    async def commit(work: Work) -> Any:
        if any(event.component == "refused" for event in work.events):
            raise ValueError("refused content")
        done = await plain(work)
        backlog.forget(work)
        return done

    city.store.commit = commit  # type: ignore[method-assign]
    lane, _ = quiet_lane(city, "alarm")
    async with lanes_running(lane):
        await until(lambda: city.store.rejects and not backlog.rows, seconds=15)
        await until(lambda: lane.lag(CLOCK.now()) == 0)
    assert [event.component for event in city.store.events] == [point for point in order if point == "good"]
    assert [reject.reason for reject in city.store.rejects] == ["internal_error"]


def test_what_leaves_the_ledger_is_in_no_piece_behind_one_that_writes_it_anew() -> None:
    """A message tried again that is still wrong stands in the ledger anew; a later piece must not take that out."""
    again = [Reject(n, "telemetry", "t", "unknown_metric", "detail", b"") for n in range(4)]
    gone = Work("telemetry", rejects=again, replayed=[1, 2], liveness=[Liveness(1, online=True, at=1)])
    gone.seen = [Seen(1, 1, b"", 1), Seen(1, 2, b"", 1)]
    pieces = _all_pieces(gone)
    forgetting = [place for place, piece in enumerate(pieces) if piece.replayed]
    assert len(forgetting) == 1
    assert not any(piece.rejects for piece in pieces[: forgetting[0]])
    assert [len(piece.seen) + len(piece.liveness) for piece in pieces[forgetting[0] :]] == [0] * 4


def _all_pieces(work: Work) -> list[Work]:
    return [work] if size(work) == 1 else [piece for half in halves(work) for piece in _all_pieces(half)]
