"""The folder of one running instance, held by a lock, and the account its child processes run as."""

import contextlib
import fcntl
import json
import os
import pwd
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from firetower.core.errors import ConfigError

LEAST_FREE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Account:
    """The account engines run as: None for one's own."""

    uid: int | None
    gid: int | None
    name: str


def service_account() -> Account:
    """Return ``nobody`` for root, one's own account for everybody else."""
    if os.geteuid() != 0:
        return Account(None, None, pwd.getpwuid(os.geteuid()).pw_name)
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid, "nobody")


class DataDir:
    """The folder of one instance: locked while it runs, with the generated passwords in it."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self._lock: int | None = None

    @contextlib.contextmanager
    def held(self) -> Iterator["DataDir"]:
        """Create the folder where needed and hold it; ConfigError when another instance does."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as err:
            raise ConfigError(
                f"data directory {self.path} cannot be used: {err.strerror}; "
                "choose another with --data-dir or FIRETOWER_DATA_DIR"
            ) from err
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as err:
                owner = os.read(lock, 32).decode("ascii", "replace").strip() or "unknown"
                raise ConfigError(
                    f"data directory {self.path} belongs to a running instance (process {owner}); "
                    "stop that one, or choose another with --data-dir or FIRETOWER_DATA_DIR"
                ) from err
            os.ftruncate(lock, 0)
            os.write(lock, f"{os.getpid()}\n".encode())
            free = shutil.disk_usage(self.path).free
            if free < LEAST_FREE_BYTES:
                raise ConfigError(
                    f"the disk of data directory {self.path} has {free // 2**20} MiB free, "
                    f"at least {LEAST_FREE_BYTES // 2**20} MiB are needed; make room or choose another with --data-dir"
                )
            yield self
        finally:
            os.close(lock)

    def passwords(self) -> dict[str, str]:
        """Return the generated passwords, the same ones at every start."""
        file = self.path / "credentials.json"
        if file.exists():
            known: dict[str, str] = json.loads(file.read_text("utf-8"))
            return known
        made = {name: secrets.token_urlsafe(18) for name in ("postgres", "service", "device")}
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            json.dump(made, out)
        return made

    def folder(self, name: str, account: Account) -> Path:
        """Return a private sub-folder owned by ``account``; ConfigError when the account cannot reach it."""
        path = self.path / name
        path.mkdir(exist_ok=True, mode=0o700)
        if account.uid is not None and account.gid is not None:
            closed = closed_parent(path)
            if closed is not None:
                raise ConfigError(
                    f"PostgreSQL does not run as root, and the account {account.name} it runs as cannot reach {path}: "
                    f"{closed} is closed to others; choose a folder that others may pass through with --data-dir or "
                    "FIRETOWER_DATA_DIR, for example /var/lib/firetower, or start Firetower as an ordinary user"
                )
            os.chown(path, account.uid, account.gid)
        return path


def closed_parent(path: Path) -> Path | None:
    """Return the nearest parent folder that other accounts may not pass through, if any."""
    return next((parent for parent in path.parents if not parent.stat().st_mode & 0o001), None)
