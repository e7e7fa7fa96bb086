"""What goes on beside the desk's steps, look after look, whatever one look comes to."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from firetower.core.errors import LeaseLost, StoreUnavailable
from firetower.storage.pool import heed_cancellation


async def keep_looking(look: Callable[[], Awaitable[None]], every_s: float, what: str, log: logging.Logger) -> None:
    """``look`` every so many seconds until cancelled, over a store that is away and over faults of ours.

    ``what``: what a look is for, as it stands in the log, where each trouble stands once. Raises LeaseLost.
    """
    trouble = ""
    while True:
        words = ""
        try:
            await look()
        except LeaseLost:
            raise
        except StoreUnavailable as err:
            words = type(err).__name__
            if words != trouble:
                log.warning("%s: it is done when the store answers: %s", what, err)
        except Exception as err:  # reason: a look that fails on us must not end the desk
            heed_cancellation(err)
            words = f"{type(err).__name__}: {err}"
            if words != trouble:
                log.exception("%s: it failed, and is tried again", what)
        trouble = words
        await asyncio.sleep(every_s)
