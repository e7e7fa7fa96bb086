"""What people write to an alert: trimmed, held to a limit, and something the database can hold."""

from firetower.core.errors import InvalidInput

NOTE_LIMIT = 2000
"""Characters of a note, and of what a caller reports."""
CAUSE_LIMIT = 200
"""Characters of a cause, a reason or a place."""
NAME_LIMIT = 100
"""Characters of a person's name, a number or a reference."""


def words(field: str, given: str | None, limit: int) -> str | None:
    """Return ``given`` without space around it, None when nothing is left; too long or unstorable is InvalidInput."""
    kept = (given or "").strip()
    if len(kept) > limit:
        raise InvalidInput(
            f"{field} has {len(kept)} characters, at most {limit} are kept; shorten it or add a second note",
            {"field": field},
        )
    if not storable(kept):
        raise InvalidInput(
            f"{field} holds a NUL or half a character (a lone surrogate), which cannot be stored; remove it",
            {"field": field},
        )
    return kept or None


def storable(text: str) -> bool:
    """Say whether the database can hold ``text``: no NUL, no lone surrogate."""
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def needed(what: str, field: str, given: str | None, limit: int, remedy: str) -> str:
    """Return ``given`` as ``words`` does; nothing left is InvalidInput: ``what`` needs it, and ``remedy``."""
    kept = words(field, given, limit)
    if kept is None:
        raise InvalidInput(f"{what} needs {_article(field)} {field}; {remedy}", {"field": field})
    return kept


def _article(field: str) -> str:
    return "an" if field[0] in "aeiou" else "a"
