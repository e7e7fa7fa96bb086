"""An alert's hand-over to 119, and its messages, as the API and the live feed write them."""

from typing import Literal

from pydantic import Field

from firetower.alerts.handover.model import Kind, MessageState, OnRecord, Signed
from firetower.alerts.model import Alert
from firetower.web.api_models import Answered, Instant, instant, instant_or_none


class ReceiptOut(Answered):
    """签收, as the command centre's interface gave it."""

    number: str = Field(description="the number it has at 119")
    person: str
    at: Instant = Field(description="by their clock")


class HandoverOut(Answered):
    """The newest report of an alert through the interface to 119 (转警)."""

    state: Literal["waiting", "received", "failed", "by_phone"] = Field(
        description="`failed`: refused, or tried often; one of an open fire is tried all the same. `by_phone`: a "
        "person recorded the receipt before the interface gave one"
    )
    since: Instant = Field(description="when it was written")
    due_at: Instant = Field(description="until when its receipt is expected: from then on seats are red")
    overdue: bool = Field(description="that passed without a receipt of any kind, and stands in the history")
    tries: int = Field(description="how often it was sent")
    trouble: str | None = Field(description="why the last try gave no receipt")
    receipt: ReceiptOut | None
    cancel: MessageState | None = Field(description="how far its cancellation (撤警) has come; null without one")
    unreceived: int = Field(description="messages without a receipt: the report, its follow-ups, its cancellation")
    follow_ups_failed: int = Field(description="follow-ups (续报) that were given up")


class MessageOut(Answered):
    """One message to 119."""

    key: str = Field(description="its Idempotency-Key, the same at every try")
    report_key: str = Field(description="of the report it belongs to, its own of a report")
    kind: Kind
    text: str = Field(description="of a follow-up, or why it was cancelled")
    actor: str
    state: MessageState
    created_at: Instant
    due_at: Instant
    missed_at: Instant | None = Field(description="when the missing receipt was recorded")
    first_sent_at: Instant | None
    last_sent_at: Instant | None
    next_try_at: Instant | None = Field(description="null: received, or given up")
    tries: int
    trouble: str | None
    received_at: Instant | None
    receipt: ReceiptOut | None


def handover_out(alert: Alert) -> HandoverOut | None:
    """Return an alert's hand-over as the API writes it; None where it has none."""
    found = alert.handover
    if found is None:
        return None
    taken = found.state is MessageState.RECEIVED
    by_phone = not taken and alert.receipted_at is not None
    return HandoverOut(
        state="by_phone" if by_phone else found.state.value,
        since=instant(found.since),
        due_at=instant(found.due_at),
        overdue=found.missed and alert.is_forwarded and not taken and not by_phone,
        tries=found.tries,
        trouble=found.trouble,
        receipt=_receipt_out(found.receipt),
        cancel=found.cancel,
        unreceived=found.unreceived,
        follow_ups_failed=found.follow_ups_failed,
    )


def message_out(stored: OnRecord) -> MessageOut:
    """Return a message as the API writes it."""
    return MessageOut(
        key=stored.key,
        report_key=stored.report_key,
        kind=stored.kind,
        text=stored.text,
        actor=stored.actor,
        state=stored.state,
        created_at=instant(stored.created_at),
        due_at=instant(stored.due_at),
        missed_at=instant_or_none(stored.missed_at),
        first_sent_at=instant_or_none(stored.first_sent_at),
        last_sent_at=instant_or_none(stored.last_sent_at),
        next_try_at=instant_or_none(stored.next_try_at),
        tries=stored.tries,
        trouble=stored.trouble,
        received_at=instant_or_none(stored.received_at),
        receipt=_receipt_out(stored.receipt),
    )


def _receipt_out(signed: Signed | None) -> ReceiptOut | None:
    return None if signed is None else ReceiptOut(number=signed.number, person=signed.person, at=instant(signed.at))
