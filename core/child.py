"""A server as a child process that never outlives us, and the ports such servers listen on."""

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from firetower.core.datadir import Account
from firetower.core.errors import ConfigError
from firetower.core.logs import logger

log = logger("child")

START_SECONDS = 60
STOP_SECONDS = 20
LOOK_SECONDS = 0.25
STEADY_SECONDS = 30.0
LONGEST_WAIT_SECONDS = 10.0


class Child:
    """A child process that ends with us: started, watched, stopped in order or killed."""

    def __init__(
        self,
        name: str,
        command: list[str],
        account: Account,
        *,
        cwd: Path,
        log_file: Path,
        stop_signal: signal.Signals,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._command = command
        self._account = account
        self._cwd = cwd
        self._log_file = log_file
        self._stop_signal = stop_signal
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; the engine must have been started."""
        assert self._process is not None
        return self._process.pid

    @property
    def ended(self) -> int | None:
        """Its exit status once it is over (negative: the signal that ended it); None while it runs."""
        return None if self._process is None else self._process.poll()

    def start(self, is_ready: Callable[[], bool]) -> None:
        """Start and wait until ``is_ready``; ConfigError with the end of its log when it ends or takes too long."""
        self.spawn()
        deadline = time.monotonic() + START_SECONDS
        while not is_ready():
            if self.ended is not None:
                raise ConfigError(f"{self.name} ended at start (status {self.ended}): {self._tail()}")
            if time.monotonic() > deadline:
                self.stop()
                raise ConfigError(f"{self.name} was not ready within {START_SECONDS} s: {self._tail()}")
            time.sleep(0.02)
        log.info("%s runs as process %d", self.name, self.pid)

    def spawn(self) -> None:
        """Start without waiting. To be called from the main thread: when the calling thread ends, so does the child."""
        parent, stop = os.getpid(), self._stop_signal

        def end_with_parent() -> None:
            _set_parent_death_signal(stop)
            if os.getppid() != parent:  # the parent was gone before the request was in
                os.kill(os.getpid(), signal.SIGKILL)

        with self._log_file.open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603 - programs of our own choice
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self._cwd,
                env={**os.environ, **self._environment},
                user=self._account.uid,
                group=self._account.gid,
                extra_groups=None if self._account.uid is None else [],
                start_new_session=True,  # Ctrl-C reaches us alone; we stop the engines in order
                preexec_fn=end_with_parent,  # noqa: PLW1509 - called from the main thread
            )

    def stop(self) -> None:
        """Stop in order, and by force when that takes more than STOP_SECONDS."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(self._stop_signal)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("%s did not stop within %d s and is killed", self.name, STOP_SECONDS)
            process.kill()
            process.wait()

    def kill(self) -> None:
        """SIGKILL: for tests that break things on purpose."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _tail(self) -> str:
        lines = self._log_file.read_text("utf-8", "replace").strip().splitlines()
        return " | ".join(lines[-6:]) or "its log is empty"


async def keep_running(children: Sequence[Child]) -> None:
    """Start again, until cancelled, whichever child ended by itself; ever slower one that ends at once."""
    waits = dict.fromkeys(children, LOOK_SECONDS)
    started = dict.fromkeys(children, time.monotonic())
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        for child in children:
            now = time.monotonic()
            if child.ended is None:
                if now - started[child] > STEADY_SECONDS:
                    waits[child] = LOOK_SECONDS
            elif now - started[child] >= waits[child]:
                log.error("%s ended by itself (status %d) and is started again", child.name, child.ended)
                child.spawn()
                started[child], waits[child] = now, min(2 * waits[child], LONGEST_WAIT_SECONDS)


def _set_parent_death_signal(number: int) -> None:
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, number)


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def check_port(host: str, port: int, what: str, setting: str) -> None:
    """Raise ConfigError when ``port`` cannot be listened on; names who wants it and the setting that moves it."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as err:
            raise ConfigError(
                f"port {port} on {host}, wanted for {what}, cannot be used: {err.strerror}; "
                f"stop what listens there or choose another with {setting}"
            ) from err


def accepts(host: str, port: int) -> bool:
    """Say whether something listens on ``host``:``port``."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False
