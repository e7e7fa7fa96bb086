"""Who may come in: sessions by cookie or bearer token, same-origin checks, the sign-in brake."""

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import replace
from urllib.parse import urlsplit

from aiohttp import web

from firetower.core.clock import HOUR, SECOND, Clock, Micros
from firetower.core.errors import StoreUnavailable
from firetower.core.patience import Patience
from firetower.storage import accounts, watch
from firetower.storage.pool import Pool
from firetower.web.deps import ACTS_LATE, Person
from firetower.web.errors import Refused
from firetower.web.passwords import Throttle, Verifier

COOKIE = "firetower_session"
SESSION_LASTS: Micros = 12 * HOUR

_TRUSTED_FOR: Micros = 10 * SECOND  # a session ended on another node may live this much longer here
_LOOKUP_S = 2.0  # a store that takes longer to find a session counts as away
_KEEP = 10_000
_ALWAYS = {  # what a seat of the watch may do though its session is over for everything else
    ("DELETE", "/api/v1/session"),
    ("POST", "/api/v1/watch/presence"),
}

_ROLES = {  # who has which access; what is not named here is refused
    "signed_in": {"admin", "operator", "viewer"},
    "operator": {"admin", "operator"},
    "admin": {"admin"},
    "everybody": {"admin", "operator", "viewer", "unit"},
    "asking": {"admin", "operator", "unit"},
}


class Guard:
    """Admits requests and remembers sessions for ten seconds, so that a busy seat costs no lookup a request.

    While the store is away, or takes longer than two seconds, a session that was good when last looked up stays good
    until it expires (12 h at most, a seat of the watch 12 h from then), also for a page that is loaded anew: a control
    room is not signed out by its database. At most 10,000 sessions are remembered; the one unused longest is looked up
    again.
    """

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[Person, Micros]] = OrderedDict()
        self._patience = Patience()
        self._throttle = Throttle()
        self._verifier = Verifier()

    # requests -----------------------------------------------------------------------------------

    async def admit(self, request: web.Request, access: str, *, unsafe: bool, socket: bool) -> Person | None:
        """Return who is asking (None only on an open route); raises Refused 401 or 403."""
        if access == "open":
            if unsafe:
                self._same_origin(request, required=False)
            return None
        token, by_cookie = _token_of(request)
        if by_cookie and (unsafe or socket):
            self._same_origin(request, required=True)
        person = None if token is None else await self.whose(_digest(token))
        if person is None:
            raise Refused(
                401,
                "unauthenticated",
                "no session, or it has ended: sign in with POST /api/v1/session",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if unsafe and not person.acts(self._clock.now()) and (request.method, request.path) not in _ALWAYS:
            raise Refused(
                401,
                "session_expired",
                f"{person.username} signed in more than {(SESSION_LASTS + ACTS_LATE) // HOUR} hours ago: sign in again"
                " to act; this seat goes on showing and sounding meanwhile",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if person.role not in _ROLES[access]:
            raise Refused(403, "forbidden", _why_not(person, access))
        return replace(person, by_cookie=by_cookie)

    async def whose(self, digest: bytes) -> Person | None:
        """Return whose session has this token digest, None when it has ended; raises StoreUnavailable."""
        now = self._clock.now()
        known = self._known.get(digest)
        if known is not None and now - known[1] < _TRUSTED_FOR:
            return known[0] if known[0].shows(now) else None
        try:
            found = await self._patience.ask(accounts.find_session(self._pool, digest, now), _LOOKUP_S)
        except StoreUnavailable:
            if known is not None and known[0].shows(now):
                self._known[digest] = (known[0], now)  # not asked again for ten seconds: a hung store costs two each
                return known[0]
            raise
        if found is None:
            self._known.pop(digest, None)
            return None
        person = _person(found.account, found.expires_at, digest, found.shows_until)
        self._known[digest] = (person, now)
        self._known.move_to_end(digest)
        while len(self._known) > _KEEP:
            self._known.popitem(last=False)
        return person

    def forget(self, username: str) -> None:
        """Look the sessions of an account up again: what it may do has changed."""
        for digest in [digest for digest, (person, _) in self._known.items() if person.username == username]:
            del self._known[digest]

    @staticmethod
    def _same_origin(request: web.Request, *, required: bool) -> None:
        site = request.headers.get("Sec-Fetch-Site")
        origin = request.headers.get("Origin")
        if origin is not None:
            good = urlsplit(origin).netloc.lower() == request.host.lower()
        else:
            good = site == "same-origin" or not required
        if site not in {None, "same-origin"}:
            good = False
        if not good:
            raise Refused(
                403,
                "cross_origin",
                f"a request with the session cookie must come from this console (Origin {origin!r}, Host "
                f"{request.host!r}); scripts send Authorization: Bearer <token> instead",
            )

    # signing in and out -------------------------------------------------------------------------

    async def sign_in(self, username: str, password: str, address: str) -> tuple[Person, str]:
        """Return who signed in and the new session's token; raises Refused 401 or 429."""
        account = await self._known_by(username, password, address)
        if account is None:
            raise Refused(401, "wrong_credentials", "the username or the password is wrong")
        token = secrets.token_urlsafe(32)
        digest = _digest(token)
        now = self._clock.now()
        await accounts.open_session(
            self._pool, account.id, digest, at=now, expires_at=now + SESSION_LASTS, client=address
        )
        person = _person(account, now + SESSION_LASTS, digest)
        self._known[digest] = (person, now)
        return person, token

    async def vouch(self, username: str, password: str, unit: str, address: str) -> None:
        """Make sure that ``password`` (口令) is that of ``username``, an account of ``unit``, as somebody read it out.

        Raises Refused: 403 where it is not, without saying what of it is wrong, and 429 as for a sign-in.
        """
        if await self._known_by(username, password, address, unit) is None:
            raise Refused(
                403,
                "wrong_credentials",
                f"no account {username!r} of unit {unit} has that password (口令); nothing was announced",
            )

    async def confirm(self, person: Person, password: str, address: str) -> None:
        """Make sure that ``password`` is that of whoever is signed in; raises Refused 403 where not, 429 as above."""
        if await self._known_by(person.username, password, address) is None:
            raise Refused(403, "wrong_credentials", "the present password is wrong; nothing was changed")

    async def _known_by(
        self, username: str, password: str, address: str, unit: str | None = None
    ) -> accounts.Account | None:
        """Return the account the password belongs to, of ``unit`` if given; None when wrong; raises Refused 429."""
        now = self._clock.now()
        wait = 2 if self._verifier.is_full else self._throttle.attempt(username, address, now)
        if wait:
            what = "too many sign-ins failed, or are being checked"
            if unit is not None:
                what = f"too many passwords (口令) for {username!r} were wrong, or are being checked"
                what += "; nothing was announced"
            raise Refused(
                429,
                "too_many_attempts",
                f"{what}; try again in {wait} s",
                headers={"Retry-After": str(wait)},
            )
        account = await accounts.find(self._pool, username)
        usable = account is not None and account.disabled_at is None and (unit is None or account.unit == unit)
        stored = account.password_hash if account is not None and usable else None
        if not await self._verifier.matches(stored, password):
            return None
        self._throttle.succeeded(username, address)
        return account

    async def sign_out(self, person: Person, reason: str | None = None) -> None:
        """End the session; raises Conflict for the last seat of the watch, unless an admin gives a ``reason``."""
        await watch.sign_out(self._pool, person.username, person.digest, self._clock.now(), reason=reason)
        self._known.pop(person.digest, None)


def _person(account: accounts.Account, expires_at: Micros, digest: bytes, shows_until: Micros | None = None) -> Person:
    name, role, unit = account.username, account.role, account.unit
    return Person(name, role, expires_at, digest, by_cookie=False, unit=unit, shows_until=shows_until)


def _why_not(person: Person, access: str) -> str:
    if person.unit is not None:
        return (
            f"{person.username} is an account of unit {person.unit}: it sees what is that unit's and asks for windows"
            " (POST /api/v1/windows); the centre acknowledges, verifies, shelves and closes: call it"
        )
    takes = "an admin" if access == "admin" else "an operator or an admin"
    return f"{person.username} is of role {person.role}; this takes {takes}"


def _token_of(request: web.Request) -> tuple[str | None, bool]:
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        return (token.strip() if scheme.lower() == "bearer" else None), False
    cookie = request.cookies.get(COOKIE)
    return cookie, cookie is not None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def came_by_https(request: web.Request) -> bool:
    """Say whether the browser's own connection is https, also behind a proxy that ends TLS (by its Origin)."""
    return request.secure or request.headers.get("Origin", "").startswith("https://")
