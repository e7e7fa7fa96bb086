"""A letter as the API writes it: who was told of an alert, over what, and what became of it."""

from pydantic import Field

from firetower.alerts.notify.letters import Letter, LetterState
from firetower.alerts.notify.ports import ChannelFigures
from firetower.web.api_models import Answered, Instant, instant, instant_or_none


class LetterOut(Answered):
    """One letter 通知. Sent, delivered, read and acted on are facts of their own; null: nobody has told that."""

    id: str
    reference: str = Field(description="what its receiver knows it by: the key in the message, the same in a repeat")
    alert_id: str
    policy: str
    level: int
    reason: str = Field(description="raised, unacknowledged, unverified, unreceipted, …")
    channel: str
    address: str
    name: str
    role: str
    language: str
    state: LetterState
    tries: int = Field(description="how often it was handed to its channel")
    trouble: str | None = Field(
        description="why the last try failed; of a cancelled one `handled` or `superseded`", examples=["handled"]
    )
    created_at: Instant
    due_at: Instant
    next_try_at: Instant | None = Field(description="null unless it waits")
    sent_at: Instant | None = Field(description="the channel has taken it")
    delivered_at: Instant | None = Field(description="the gateway says it has arrived")
    read_at: Instant | None = Field(description="it was opened")
    acted_at: Instant | None = Field(description="a key was pressed, or that account has acknowledged the alert")
    undelivered: bool = Field(description="the gateway took it and says now that it did not arrive")


class ChannelOut(Answered):
    """A channel of the duty plan, and how it did in the last 24 hours."""

    name: str
    kind: str = Field(description="apprise, webhook, voice or http")
    dead: bool = Field(description="its alert stands: nothing gets through, or it refuses Firetower")
    waiting: int
    sent: int
    failed: int
    cancelled: int
    trouble: str | None = Field(description="why a try failed, the newest")
    trouble_at: Instant | None


def channel_out(name: str, kind: str, figures: ChannelFigures | None, *, dead: bool) -> ChannelOut:
    """Return a channel as the API writes it; ``figures`` None: it had no letters."""
    known = figures or ChannelFigures({})
    counts = {state.value: known.by_state.get(state, 0) for state in LetterState}
    trouble_at = instant_or_none(known.trouble_at)
    return ChannelOut(name=name, kind=kind, dead=dead, trouble=known.trouble, trouble_at=trouble_at, **counts)


def letter_out(letter: Letter) -> LetterOut:
    """Return a letter as the API writes it."""
    new = letter.new
    return LetterOut(
        id=str(letter.id),
        reference=letter.reference or "",
        alert_id=str(new.alert_id),
        policy=new.policy,
        level=new.level,
        reason=new.reason,
        channel=new.channel,
        address=new.address,
        name=new.name,
        role=new.role,
        language=new.language,
        state=letter.state,
        tries=letter.tries,
        trouble=letter.trouble,
        created_at=instant(letter.created_at),
        due_at=instant(new.due_at),
        next_try_at=instant(letter.next_try_at) if letter.state is LetterState.WAITING else None,
        sent_at=instant_or_none(letter.sent_at),
        delivered_at=instant_or_none(letter.delivered_at),
        read_at=instant_or_none(letter.read_at),
        acted_at=instant_or_none(letter.acted_at),
        undelivered=letter.facts.get("undelivered") is True,
    )
