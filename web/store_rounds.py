"""Asking the store the same thing again and again beside the feed: trouble is told once, and holds nobody up."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from firetower.core.errors import StoreUnavailable
from firetower.core.logs import logger
from firetower.core.patience import Patience

_log = logger("web.live")

Answer = TypeVar("Answer")


class StoreRounds:
    """``what`` is asked, in the words of the log."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._patience = Patience()
        self._trouble = False

    async def ask(self, call: Coroutine[Any, Any, Answer], seconds: float) -> Answer | None:
        """Return the answer; None where it did not come within ``seconds``, or failed."""
        try:
            answer = await self._patience.ask(call, seconds)
        except StoreUnavailable as err:
            if not self._trouble:
                _log.warning("%s: put off until the store answers: %s", self._what, err)
        except Exception:  # noqa: BLE001  # reason: the consoles' feed must outlive a bug here; it is logged
            if not self._trouble:
                _log.exception("%s: failed; tried again, and not told of again until it works", self._what)
        else:
            self._trouble = False
            return answer
        self._trouble = True
        return None
