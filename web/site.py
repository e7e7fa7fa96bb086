"""What every handler of one application shares: its dependencies, its guard, its live hub."""

from dataclasses import dataclass

from aiohttp import web

from firetower.web.deps import Deps
from firetower.web.guard import Guard
from firetower.web.live import Hub


@dataclass(frozen=True, slots=True)
class Site:
    """One running application."""

    deps: Deps
    guard: Guard
    hub: Hub


SITE: web.AppKey[Site] = web.AppKey("firetower", Site)
