"""When and where a message without a receipt is sent again: decided without I/O."""

from collections.abc import Mapping
from dataclasses import dataclass

from firetower.alerts.handover.model import Message, MessageState
from firetower.core.clock import SECOND, Micros


@dataclass(frozen=True, slots=True)
class Bounds:
    """``addresses``: how many. ``tries``: quick ones; then one every ``slow``, until ``within`` of the newest message
    of the hand-over, µs; what lasts (``Message.lasts``) is tried beyond, and never later than after ``slow``.
    """

    addresses: int
    tries: int
    slow: Micros
    within: Micros


@dataclass(frozen=True, slots=True)
class Next:
    """What becomes of a message after a try. ``next_try_at``: None when it is given up."""

    state: MessageState
    refused: int
    next_try_at: Micros | None


def address(message: Message, first: int, quiet_until: Mapping[int, Micros], bounds: Bounds, now: Micros) -> int:
    """Return the number of the address to try: in turn from ``first``, the one that last gave a receipt.

    One that refused the message, or asked to be left alone, is passed over while another is left.
    """
    turn = [(first + message.tries + n) % bounds.addresses for n in range(bounds.addresses)]
    usable = [each for each in turn if not message.refused >> each & 1]
    ready = [each for each in usable if quiet_until.get(each, 0) <= now]
    return (ready or usable or turn)[0]


def after_taken(message: Message, bounds: Bounds, now: Micros, asked: Micros | None) -> Next:
    """Return what becomes of a message that was taken without a receipt: it is asked for again after ``asked`` µs."""
    quick = min(SECOND * 2 ** min(message.tries, 10), 5 * SECOND)
    return _next(message, bounds, now, quick if asked is None else asked, message.refused)


def after_failure(
    message: Message,
    tried: int,
    bounds: Bounds,
    now: Micros,
    *,
    wait: Micros,
    quiet_until: Mapping[int, Micros],
    permanent: bool,
) -> Next:
    """Return what becomes of a message whose try at address ``tried`` failed; the other address is tried at once.

    ``wait``: before the next round of the addresses, µs. ``quiet_until``: of those that asked to be left alone.
    """
    refused = message.refused | (1 << tried if permanent else 0)
    left = [each for each in range(bounds.addresses) if not refused >> each & 1]
    others = [each for each in left if each != tried]
    round_is_over = (message.tries + 1) % bounds.addresses == 0 or not others
    quiet = min((max(quiet_until.get(each, 0) - now, 0) for each in left), default=0)
    return _next(message, bounds, now, max(wait if round_is_over else 0, quiet), refused)


def _next(message: Message, bounds: Bounds, now: Micros, wait: Micros, refused: int) -> Next:
    is_refused = refused == (1 << bounds.addresses) - 1
    slow = is_refused or message.tries + 1 >= bounds.tries
    state = MessageState.FAILED if slow else MessageState.WAITING
    if message.lasts:
        return Next(state, refused, now + (bounds.slow if slow else min(wait, bounds.slow)))
    if is_refused or now - message.newest_at >= bounds.within:
        return Next(MessageState.FAILED, refused, None)
    return Next(state, refused, now + (max(wait, bounds.slow) if slow else wait))
