"""What every handler of one application shares: its dependencies, its guard, its live hub, its rates."""

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

from firetower.web.deps import Deps
from firetower.web.guard import Guard
from firetower.web.live import Hub
from firetower.web.rate_view import RateView


@dataclass(frozen=True, slots=True)
class Site:
    """One running application."""

    deps: Deps
    guard: Guard
    hub: Hub
    rates: RateView
    press: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by whoever has a document with pictures drawn: their megabytes are in memory once."""


SITE: web.AppKey[Site] = web.AppKey("firetower", Site)
