"""Errors a person can act on: each names the thing, the value, the limit and the remedy."""


class FiretowerError(Exception):
    """An error whose text tells the reader what is wrong and what to do next.

    ``code`` is the stable machine word used in the API's error shape and in the reject ledger.
    """

    code = "error"


class ConfigError(FiretowerError):
    """A setting, a file or the machine does not allow the service to start."""

    code = "config"


class InvalidInput(FiretowerError):
    """A caller's value was refused; ``details`` says where."""

    code = "invalid"

    def __init__(self, message: str, details: object = None) -> None:
        super().__init__(message)
        self.details = details


class NotFound(FiretowerError):
    """There is nothing by that name."""

    code = "not_found"


class Conflict(FiretowerError):
    """The thing has changed, or its state does not allow the act; ``current`` is how it stands now."""

    code = "conflict"

    def __init__(self, message: str, current: object = None) -> None:
        super().__init__(message)
        self.current = current


class StoreUnavailable(FiretowerError):
    """The database cannot be reached or cannot commit right now; the same act may succeed later."""

    code = "store_unavailable"


class LeaseLost(FiretowerError):
    """Another instance has taken over what this one was doing; it must end, and acknowledge nothing more."""

    code = "lease_lost"
