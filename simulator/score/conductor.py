"""Carries out what scenarios do to the service: through its HTTP interface, or by a command of the tester's."""

import asyncio
import os
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from firetower.core.clock import SECOND, Clock, Micros, rfc3339
from firetower.core.errors import ConfigError, FiretowerError
from firetower.devices.city import Device
from firetower.simulator.play import Cue
from firetower.simulator.score.service import Service, ServiceTrouble
from firetower.simulator.script_file import Part

Hook = Callable[[Mapping[str, str]], Awaitable[None]]
"""Does what it is named for; it is told of whom in ``UNIT``, ``DEVICE``, ``ZONE``, ``ACCOUNT`` and ``PASSWORD``."""
_LOOK_S = 0.2
_SERVER_ERROR = 500
_BLANK = re.compile(r"\{([a-z]+)(?: (\d+))?\}")


class HookFailed(FiretowerError):
    """A command given with --hook did not do what it was asked for."""

    code = "hook"


def hooks_of(given: Sequence[str]) -> dict[str, Hook]:
    """Return the hooks given as ``NAME=COMMAND``, each run by the shell; ConfigError for one that is not."""
    made: dict[str, Hook] = {}
    for each in given:
        name, equals, command = each.partition("=")
        if not equals or not name.strip() or not command.strip():
            raise ConfigError(
                f"--hook {each!r} is not usable: write NAME=COMMAND, for example --hook database-down='…'"
            )
        made[name.strip()] = _shell(name.strip(), command)
    return made


def check(parts: Sequence[Part], hooks: Mapping[str, Hook], *, service: bool) -> None:
    """Raise ConfigError when scenarios act on the service in ways nobody gave them."""
    for part in parts:
        acts = part.script.acts
        if any(act.do != "hook" for act in acts) and not service:
            raise ConfigError(
                f"scenario {part.name} acts on the service ({', '.join(act.name for act in acts)}): give its address "
                "with --score URL, and an account in FIRETOWER_USER and FIRETOWER_PASSWORD"
            )
        missing = sorted({act.hook for act in acts if act.hook is not None} - hooks.keys())
        if missing:
            raise ConfigError(
                f"scenario {part.name} needs {', '.join(missing)}, which only you can do: give "
                + " and ".join(f"--hook {name}='COMMAND'" for name in missing)
            )


class Conductor:
    """Does acts. Of a scenario's unit it knows one account, ``sim-UNIT``, that a hook may have made."""

    def __init__(self, service: Service | None, hooks: Mapping[str, Hook], clock: Clock) -> None:
        self._service, self._hooks, self._clock = service, hooks, clock
        self._passwords: dict[str, str] = {}

    async def __call__(self, cue: Cue, device: Device, since: Micros) -> None:
        """Do it; FiretowerError when it cannot be done. ``since``: when the run began."""
        act = cue.act
        known = self._known(device)
        if act.hook is not None:
            words = {name.upper(): value for name, value in known.items()}
            await self._hooks[act.hook](words | {"SCENARIO": cue.scenario, "ACT": act.name})
            return
        assert self._service is not None, "check() was asked before"
        body = self._filled(act.body, known)
        key = secrets.token_hex(8)
        if act.do == "window":
            await self._asked("/windows", {"unit": device.unit, **body}, key, act.patience)
            return
        alert = await self._alert(cue, device, since)
        await self._asked(f"/alerts/{alert}/{act.do}", body, key, act.patience)

    async def _alert(self, cue: Cue, device: Device, since: Micros) -> str:
        """Return the alert that the act is about, as soon as it is there."""
        assert self._service is not None
        assert cue.act.alert_class is not None
        until = self._clock.now() + round(cue.act.patience * SECOND)
        trouble = ""
        while self._clock.now() < until:
            try:
                found = await self._service.open_alert(
                    device.unit, device.device, cue.act.alert_class.value, since, closed=cue.act.do == "reopen"
                )
            except ServiceTrouble as err:
                found, trouble = None, f" ({err})"
            if found is not None:
                return found
            await asyncio.sleep(_LOOK_S)
        raise ServiceTrouble(
            f"within {cue.act.patience:.0f} s there was no {cue.act.alert_class} alert of "
            f"{device.unit}/{device.device} to {cue.act.do}{trouble}"
        )

    async def _asked(self, path: str, body: Mapping[str, Any], key: str, patience: float) -> None:
        """Ask until the service answers; an answer that refuses is one."""
        assert self._service is not None
        until = self._clock.now() + round(patience * SECOND)
        while True:
            try:
                await self._service.post(path, body, key)
            except ServiceTrouble as err:
                away = err.status is None or err.status >= _SERVER_ERROR
                if not away or self._clock.now() >= until:
                    raise
                await asyncio.sleep(_LOOK_S)
            else:
                return

    def _known(self, device: Device) -> dict[str, str]:
        password = self._passwords.setdefault(device.unit, secrets.token_urlsafe(12))
        user = "" if self._service is None else self._service.user
        return {
            "unit": device.unit, "device": device.device, "zone": device.zone or "", "user": user,
            "account": f"sim-{device.unit}"[:32], "password": password,
        }  # fmt: skip

    def _filled(self, body: Any, known: Mapping[str, str]) -> Any:
        if isinstance(body, dict):
            return {name: self._filled(value, known) for name, value in body.items()}
        if isinstance(body, list):
            return [self._filled(value, known) for value in body]
        if not isinstance(body, str):
            return body

        def fill(blank: re.Match[str]) -> str:
            if blank[1] == "in" and blank[2] is not None:
                return rfc3339(self._clock.now() + int(blank[2]) * SECOND)
            return known.get(blank[1], blank[0])

        return _BLANK.sub(fill, body)


def _shell(name: str, command: str) -> Hook:
    async def hook(words: Mapping[str, str]) -> None:
        process = await asyncio.create_subprocess_shell(
            command, env=os.environ | dict(words), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            output, _ = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        if process.returncode:
            said = output.decode("utf-8", "replace").strip()[-300:]
            raise HookFailed(f"--hook {name} ended with {process.returncode}: {said or 'it said nothing'}")

    return hook
