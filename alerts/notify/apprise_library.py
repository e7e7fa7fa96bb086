"""The library ``apprise`` as it is used here: loaded when first needed, silent, without redirects, bounded in time."""

import logging
import warnings
from functools import cache
from typing import Any
from urllib.parse import quote

_SAMPLES = ("someone@example.org", "+8613800138000", "sample")
"""Addresses as services take them, to try a URL with."""


@cache
def library() -> Any:
    """Return the module; loading every service takes a third of a second, once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the standard library, for what is looked for in vain
        import apprise

        apprise.Apprise.instantiate("json://localhost")  # has the services loaded
    own_log = logging.getLogger("apprise")
    own_log.addHandler(logging.NullHandler())
    own_log.propagate = False  # what it says of a failure is told with the letter
    return apprise


def service_of(url: str, address: str) -> Any:
    """Return the service of ``url`` with ``address`` put in, None where that is no address of it."""
    service = library().Apprise.instantiate(url.replace("{address}", quote(address, safe="")), asset=_asset())
    if "{address}" in url and getattr(service, "targets", True) in ([], (), set()):
        return None  # some tell whoever sends where nobody is left to tell
    return service


def known(url: str) -> bool:
    """Say whether ``url`` is of a service that apprise knows, with some address."""
    return any(service_of(url, sample) is not None for sample in _SAMPLES)


def shows_markdown(service: Any) -> bool:
    """Say whether ``service`` shows plain text as markdown. (HTML it makes of it itself.)"""
    return bool(service.resolve_format(library().NotifyFormat.TEXT) is library().NotifyFormat.MARKDOWN)


def notify(service: Any, title: str, text: str, within_s: float) -> str | None:
    """Have ``service`` send text, in this thread; return None when it took it, else what it says of it.

    The text is plain, or markdown where it ``shows_markdown``. ``within_s``: seconds of each wait for its answer. May
    raise anything a service raises.
    """
    service.socket_connect_timeout = service.socket_read_timeout = within_s
    sender = library().Apprise(asset=service.asset)
    sender.add(service)
    result = sender.notify(body=text, title=title, body_format="markdown" if shows_markdown(service) else "text")
    if result:
        return None
    return " ".join(entry.message for entry in result.logs()) or "it was not taken"


def _asset() -> Any:
    # without a limit of its own it works in our thread: its own pool would hold up the end of the process
    return library().AppriseAsset(
        app_id="Firetower", async_mode=False, http_redirects=False, service_timeout=0, storage_mode="memory"
    )
