"""Passwords: argon2id off the event loop, and the brake on guessing."""

import asyncio
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from firetower.core.clock import MINUTE, SECOND, Micros
from firetower.core.config import LEAST_PASSWORD
from firetower.core.errors import InvalidInput

LEAST_LENGTH = LEAST_PASSWORD
"""Characters of the shortest password taken for an account."""
MOST_LENGTH = 1024
"""Characters of the longest; the same at sign-in."""


def check_password(given: str) -> None:
    """Raise InvalidInput for a password that is too short, or longer than sign-in takes."""
    if not LEAST_LENGTH <= len(given) <= MOST_LENGTH:
        raise InvalidInput(
            f"the password has {len(given)} characters; take {LEAST_LENGTH} to {MOST_LENGTH}", {"field": "password"}
        )


@cache
def _nobodys_hash() -> str:
    return hash_password("nobody signs in with this")


def hash_password(password: str) -> str:
    """Return the argon2id hash of ``password``. Takes a tenth of a second and 64 MiB: call it in a thread."""
    # RFC 9106's low-memory profile, 64 MiB and 3 passes, in one lane: with several, two checks at a time stand still
    # for ever (seen with cryptography 50.0.2: its lanes are OpenSSL threads, waiting for one another).
    argon2id = Argon2id(salt=secrets.token_bytes(16), length=32, iterations=3, lanes=1, memory_cost=64 * 1024)
    return argon2id.derive_phc_encoded(password.encode())


def _matches(stored: str | None, password: str) -> bool:
    try:
        Argon2id.verify_phc_encoded(password.encode(), stored if stored is not None else _nobodys_hash())
    except InvalidKey:
        return False
    return stored is not None


def fits(stored: str, password: str) -> bool:
    """Say whether ``password`` belongs to the hash ``stored``. Takes as long as ``hash_password``."""
    return _matches(stored, password)


class Verifier:
    """Checks passwords in threads, ``at_once`` at a time: each check takes 64 MiB for its duration.

    The others wait; ``is_full`` once 32 do, and the caller turns further ones away.
    """

    MOST_WAITING = 32

    def __init__(self, at_once: int = 2) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._asked = 0

    @property
    def is_full(self) -> bool:
        """Whether nobody else should be made to wait."""
        return self._asked >= self.MOST_WAITING

    async def matches(self, stored: str | None, password: str) -> bool:
        """Say whether ``password`` belongs to ``stored``; None (nobody by that name) takes as long and is False."""
        self._asked += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(_matches, stored, password)
        finally:
            self._asked -= 1


@dataclass(slots=True)
class _Count:
    failures: int
    last: Micros


class Throttle:
    """Makes guessing slow without letting a stranger lock an operator out.

    Three counts of failures: the account from one address (5 free), the address (20 free), the account from
    anywhere (50 free). Past the free ones each failure doubles the wait from 1 s: to 60 s at most for an address,
    10 s for an account from anywhere, so that its owner still gets in. A count is forgotten after 15 quiet minutes.
    At most ``keep`` counts; when full the one untouched longest is forgotten.
    """

    FORGET: Micros = 15 * MINUTE

    def __init__(self, keep: int = 10_000) -> None:
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()
        self._keep = keep

    def attempt(self, account: str, address: str, now: Micros) -> int:
        """Return whole seconds to wait, 0 for "try now"; what is tried counts as failed until it succeeded."""
        rules = self._rules(account, address)
        waits = [self._wait(key, free, most, now) for key, free, most in rules]
        if any(waits):
            return -(-max(waits) // SECOND)
        for key, _, _ in rules:
            count = self._counts.pop(key, None)
            if count is None or now - count.last > self.FORGET:
                count = _Count(0, now)
            count.failures += 1
            count.last = now
            self._counts[key] = count
        while len(self._counts) > self._keep:
            self._counts.popitem(last=False)
        return 0

    def succeeded(self, account: str, address: str) -> None:
        """Forget the failures of this account from this address, and take the attempt off the other counts."""
        for key, free, _ in self._rules(account, address):
            count = self._counts.get(key)
            if count is None:
                continue
            count.failures -= 1
            if free == 5 or count.failures <= 0:
                del self._counts[key]

    @staticmethod
    def _rules(account: str, address: str) -> tuple[tuple[tuple[str, str], int, Micros], ...]:
        return (
            ((account, address), 5, 60 * SECOND),
            (("", address), 20, 60 * SECOND),
            ((account, ""), 50, 10 * SECOND),
        )

    def _wait(self, key: tuple[str, str], free: int, most: Micros, now: Micros) -> Micros:
        count = self._counts.get(key)
        if count is None or count.failures < free or now - count.last > self.FORGET:
            return 0
        pause = min(SECOND << min(count.failures - free, 10), most)
        return max(0, count.last + pause - now)
