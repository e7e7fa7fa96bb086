"""What the command line takes from a person and shows to one: names, passwords, a stranger's bytes."""

import sys

import typer

from firetower.core.errors import InvalidInput

USERNAME_LIMIT = 64
"""Characters of the longest username; as many as sign-in takes."""


def printable(text: str) -> str:
    """Return ``text`` with everything that steers a terminal written out, for example an escape as ``\\x1b``."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def check_username(given: str) -> None:
    """Raise InvalidInput for a name nobody could sign in with, or mistake for another one."""
    if not (1 <= len(given) <= USERNAME_LIMIT and given.isprintable() and not any(map(str.isspace, given))):
        raise InvalidInput(f"username {given!r} is not 1 to {USERNAME_LIMIT} printable characters without spaces")


def ask_password() -> str:
    """Return a password asked for twice, or the first line of standard input when that is no terminal.

    Raises InvalidInput when there is none, or one that sign-in would not take.
    """
    from firetower.web.passwords import LEAST_LENGTH, MOST_LENGTH

    if sys.stdin.isatty():
        given = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    else:
        try:
            given = sys.stdin.readline().rstrip("\r\n").encode().decode()
        except UnicodeError:  # bytes that are no UTF-8; some locales bring them as lone surrogates
            raise InvalidInput("the password on standard input is not UTF-8, which sign-in needs; encode it") from None
        if not given:
            raise InvalidInput("no password on standard input; pipe one in, or run in a terminal to be asked")
    if not LEAST_LENGTH <= len(given) <= MOST_LENGTH:
        raise InvalidInput(f"the password has {len(given)} characters; take {LEAST_LENGTH} to {MOST_LENGTH}")
    return given
