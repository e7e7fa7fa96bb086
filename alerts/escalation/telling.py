"""Which steps of which policies are due for an alert, and what telling them comes to.

A step is due ``after`` the beginning of what its policy is of, and again ``every`` so long after it was last told, as
often as its plan says. What was told is told once, whoever asks again: it stands with the alert (``Progress``), and a
letter's key names alert, period, policy, step, how many times, channel and address. After a pause of the service each
step that fell due meanwhile is told once, not once for each repetition missed.

Where a step reaches nobody of one of its roles, the step after it is told at once, and that stands in the history.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from firetower.alerts.ahead import Ahead
from firetower.alerts.contacts import Contact
from firetower.alerts.deadlines import TIMER
from firetower.alerts.duty.policies import Of, Policy, Step, Until
from firetower.alerts.escalation.people import Reached, Ways, reached
from firetower.alerts.escalation.ports import Case, Progress, Told
from firetower.alerts.escalation.situations import began, is_for
from firetower.alerts.lifecycle import Trigger, following
from firetower.alerts.model import Transition
from firetower.alerts.notify.letters import NewLetter
from firetower.core.clock import Micros

NOBODY = "nobody_to_tell"
"""The reason of the history entry where a step reaches nobody of one of its roles."""


@dataclass(frozen=True, slots=True)
class Due:
    """A step that is to be told. ``number``: which of its policy's, from 1; ``times``: how often it was told before."""

    policy: Policy
    number: int
    since: Micros
    times: int
    at: Micros

    @property
    def step(self) -> Step:
        """What the plan says of it."""
        return self.policy.steps[self.number - 1]


def pending(case: Case, policies: Sequence[Policy], ahead: Ahead, now: Micros) -> Iterator[Due]:
    """Yield every step that is to be told of an alert as it stands, now or later."""
    alert = case.alert
    for policy in policies:
        since = began(policy, alert) if is_for(policy, case) else None
        if since is None:
            continue
        done = {each.step: each for each in case.progress if each.policy == policy.name and each.since == since}
        for number, step in enumerate(policy.steps, 1):
            before = done.get(number)
            if before is None:
                yield Due(policy, number, since, 0, ahead.began(alert.id, since, now) + step.after)
            elif step.repeat is not None and before.times < step.most:
                told_at = ahead.began(alert.id, before.told_at, now)
                yield Due(policy, number, since, before.times, told_at + step.repeat.every)


def told_of(case: Case, told: Told) -> Case:
    """Return ``case`` after ``told`` was written."""
    steps = {(each.policy, each.step): each for each in (*case.progress, *told.progress)}
    return replace(case, progress=tuple(steps.values()))


def tell(case: Case, contacts: Sequence[Contact], dues: Sequence[Due], ways: Ways, now: Micros) -> Told:
    """Return what telling ``dues``, those of ``pending`` whose time has come, comes to.

    ``contacts``: everybody who may be called for the place.
    """
    letters: list[NewLetter] = []
    entries: list[Transition] = []
    progress: list[Progress] = []
    waiting = list(dues)
    since = {due.policy.name: due.since for due in dues}
    told = {(due.policy.name, due.number) for due in dues}
    told |= {(each.policy, each.step) for each in case.progress if since.get(each.policy) == each.since}
    while waiting:
        due = waiting.pop(0)
        found = reached(due.step, contacts, ways, now, case.failed)
        letters += _letters(case, due, found, now)
        progress.append(Progress(due.policy.name, due.number, due.since, due.times + 1, now))
        if not found.nobody or due.times:
            continue
        hastened = due.number < len(due.policy.steps) and (due.policy.name, due.number + 1) not in told
        if hastened:
            told.add((due.policy.name, due.number + 1))
            waiting.insert(0, Due(due.policy, due.number + 1, due.since, 0, now))
        entries.append(_nobody(case, due, found, now, hastened=hastened))
    return Told(tuple(letters), tuple(entries), tuple(progress))


def _letters(case: Case, due: Due, found: Reached, now: Micros) -> Iterator[NewLetter]:
    alert, policy = case.alert, due.policy
    begin = f"{alert.id}:{due.since}:{policy.name}:{due.number}:{due.times}"
    for each in found.people:
        yield NewLetter(
            key=f"{begin}:{each.channel}:{each.address}",
            alert_id=alert.id,
            policy=policy.name,
            level=due.number,
            reason=_reason(due),
            channel=each.channel,
            address=each.address,
            name=each.contact.name,
            role=each.contact.role.value,
            language=each.contact.language,
            due_at=now,
            contact_id=each.contact.id,
        )


def _reason(due: Due) -> str:
    """Return why a letter is written: what its policy is of, but to be told again is a reminder of what is missing."""
    is_reminder = due.policy.of is Of.RAISED and due.times > 0 and due.policy.ends is Until.ACKNOWLEDGED
    return Of.UNACKNOWLEDGED.value if is_reminder else due.policy.of.value


def _nobody(case: Case, due: Due, found: Reached, now: Micros, *, hastened: bool) -> Transition:
    alert = case.alert
    evidence = {
        "policy": due.policy.name,
        "of": due.policy.of.value,
        "step": due.number,
        "roles": {role.value: why.value for role, why in found.nobody.items()},
        "told_instead": due.number + 1 if hastened else None,
    }
    said = {name: value for name, value in evidence.items() if value is not None}
    return Transition(alert.state, following(alert, Trigger.NOTE), now, TIMER, NOBODY, said)
