"""Telling people by the policies of the duty plan 逐级上报: a step of the desk, which writes letters into the outbox.

What is announced of an alert, in the transaction that changes it, is the entry by which this step finds it, from a
stored position; where that is not known it looks at everything open. Whom to tell is decided here, not in the
transaction of a batch of messages (docs/decisions/0019-the-outbox.md).
"""

from collections.abc import Iterable, Iterator, Sequence

from firetower.alerts.ahead import SET_BACK, Ahead
from firetower.alerts.contacts import Contact
from firetower.alerts.duty.policies import Policy
from firetower.alerts.escalation.agenda import Agenda
from firetower.alerts.escalation.people import Ways
from firetower.alerts.escalation.ports import Case, CaseStore, Told
from firetower.alerts.escalation.telling import Due, pending, tell, told_of
from firetower.core.clock import Micros
from firetower.storage.alert_moves import BATCH
from firetower.storage.alert_rows import chunks

_ROUNDS = 5
"""Most transactions of one call: a thousand alerts."""


class Telling:
    """Step ``telling``. What is to be told when is kept between calls; what was told stands in the store."""

    name = "telling"

    def __init__(self, store: CaseStore, policies: Sequence[Policy], ways: Ways) -> None:
        self._store = store
        self._policies = policies
        self._ways = ways
        self._agenda = Agenda()
        self._ahead = Ahead()
        self._now: Micros = 0

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:
        """Tell what is due, fires first. Raises LeaseLost, StoreUnavailable."""
        if not self._policies:
            return
        is_set_back = now <= self._now - SET_BACK
        self._now = now
        if changed is None or is_set_back:
            self._agenda.clear()
            changed = await self._store.open_cases()
        for chunk in chunks(changed):
            await self._look(chunk)
        for _ in range(_ROUNDS):
            ids = self._agenda.ready(now, BATCH)
            if not ids:
                break
            await self._tell(ids, now)

    async def _tell(self, alert_ids: Sequence[int], now: Micros) -> None:
        after: list[Case] = []

        def decide(case: Case, contacts: Sequence[Contact]) -> Told:
            dues = [due for due in self._pending(case) if due.at <= now]
            told = tell(case, contacts, dues, self._ways, now)
            after.append(told_of(case, told))
            return told

        await self._store.tell(alert_ids, decide, now)
        self._note(alert_ids, after)

    async def _look(self, alert_ids: Sequence[int]) -> None:
        self._note(alert_ids, await self._store.cases(alert_ids))

    def _note(self, alert_ids: Sequence[int], cases: Iterable[Case]) -> None:
        """Note when each of ``alert_ids`` is to be told of next, as ``cases`` stand; what is none of them never is."""
        gone = set(alert_ids)
        for case in cases:
            at = min((due.at for due in self._pending(case)), default=None)
            self._agenda.note(case.alert, at)
            if at is not None:
                gone.discard(case.alert.id)
        for alert_id in gone:
            self._agenda.forget(alert_id)
            self._ahead.forget(alert_id)

    def _pending(self, case: Case) -> Iterator[Due]:
        return pending(case, self._policies, self._ahead, self._now)
