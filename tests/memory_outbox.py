"""The outbox in memory: what the SQL store does, for tests in virtual time. Both pass tests/storage/test_outbox.py."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from firetower.alerts.model import Alert
from firetower.alerts.notify.letters import Letter, LetterState, NewLetter
from firetower.alerts.notify.ports import ChannelFigures, Claimed, Fact, Outcome
from firetower.alerts.notify.wanted import Candidate, sort_out
from firetower.core.clock import Micros
from firetower.core.errors import NotFound


class MemoryOutbox:
    """``alerts``: as they stand now, by id; the test changes them."""

    def __init__(self, alerts: dict[int, Alert]) -> None:
        self.alerts = alerts
        self.letters: dict[int, Letter] = {}
        self._claimed: set[int] = set()
        self._tried: dict[int, Micros] = {}

    async def put(self, letters: Sequence[NewLetter], now: Micros) -> int:
        known = {letter.new.key for letter in self.letters.values()}
        new = [each for each in {each.key: each for each in letters}.values() if each.key not in known]
        for each in new:
            number = len(self.letters) + 1
            self.letters[number] = Letter(
                number, each, LetterState.WAITING, now, each.due_at, reference=f"reference-{number}"
            )
        return len(new)

    async def begin(self, channels: Sequence[str]) -> Sequence[str]:
        for letter in list(self.letters.values()):
            if letter.state is LetterState.WAITING and letter.new.channel not in channels:
                why = f"the duty plan has no channel {letter.new.channel} any more"
                self._set(letter.id, state=LetterState.FAILED, trouble=why)
        return ()

    async def claim(self, channel: str, most: int, in_hand: Collection[int], now: Micros) -> Claimed:
        due = [
            Candidate(letter, self.alerts[letter.new.alert_id])
            for letter in self.letters.values()
            if letter.state is LetterState.WAITING and letter.new.channel == channel and letter.id not in in_hand
            and (letter.next_try_at <= now or letter.id in self._claimed
                 or self._tried.get(letter.id, letter.created_at) > now)
        ]  # fmt: skip
        done = sort_out(due, most)
        for letter, why in done.cancel:
            self._set(letter.id, state=LetterState.CANCELLED, trouble=why)
        for each in done.send:
            self._claimed.add(each.letter.id)
            self._tried[each.letter.id] = now
            self._set(each.letter.id, tries=each.letter.tries + 1)
        return Claimed(tuple(each.in_hand() for each in done.send), Counter(why for _, why in done.cancel))

    async def record(self, letter: Letter, outcome: Outcome, now: Micros) -> None:
        stored = self.letters[letter.id]
        self._claimed.discard(letter.id)
        sent = outcome.state is LetterState.SENT and stored.sent_at is None
        self._set(
            letter.id,
            facts={**stored.facts, **outcome.facts},
            next_try_at=outcome.next_try_at or stored.next_try_at,
            sent_at=now if sent else stored.sent_at,
        )
        if stored.state is LetterState.WAITING:
            self._set(letter.id, state=outcome.state, trouble=outcome.trouble)

    async def note(self, reference: str, fact: Fact | None, at: Micros, facts: Mapping[str, Any]) -> bool:
        letter = next((each for each in self.letters.values() if each.reference == reference), None)
        if letter is None:
            raise NotFound("there is no letter by that reference; use the key that came with it")
        known = facts.items() <= letter.facts.items() if fact is None else getattr(letter, f"{fact}_at") is not None
        if known:
            return False
        state = LetterState.SENT if letter.state is LetterState.WAITING else letter.state
        self._set(letter.id, facts={**facts, **letter.facts}, sent_at=letter.sent_at or at, state=state)
        if fact is not None:
            self._set(letter.id, **{f"{fact}_at": at})
        return True

    async def asked_about(self, channel: str, since: Micros, most: int) -> list[Letter]:
        return [
            letter for letter in self.letters.values()
            if letter.new.channel == channel and letter.sent_at is not None and letter.sent_at >= since
            and letter.acted_at is None and "undelivered" not in letter.facts
        ][:most]  # fmt: skip

    async def of_alert(self, alert_id: int) -> list[Letter]:
        return [letter for letter in self.letters.values() if letter.new.alert_id == alert_id]

    async def figures(self, since: Micros) -> dict[str, ChannelFigures]:
        letters = [letter for letter in self.letters.values() if letter.created_at >= since]
        found: dict[str, ChannelFigures] = {}
        for channel in {letter.new.channel for letter in letters}:
            mine = [letter for letter in letters if letter.new.channel == channel]
            told = [
                (self._tried[letter.id], letter.trouble) for letter in mine
                if letter.trouble and letter.state is not LetterState.CANCELLED and letter.id in self._tried
            ]  # fmt: skip
            at, trouble = max(told, default=(None, None))
            found[channel] = ChannelFigures(Counter(letter.state for letter in mine), trouble, at)
        return found

    def _set(self, number: int, **changes: Any) -> None:
        self.letters[number] = replace(self.letters[number], **changes)
