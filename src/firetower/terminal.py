"""What the command line takes from a person and shows to one: names, passwords, a stranger's bytes."""

import sys

import typer

from firetower.core.errors import InvalidInput


def printable(text: str) -> str:
    """Return ``text`` with everything that steers a terminal written out, for example an escape as ``\\x1b``."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def ask_password() -> str:
    """Return a password asked for twice, or the first line of standard input when that is no terminal.

    Raises InvalidInput when there is none, or one that sign-in would not take.
    """
    from firetower.web.passwords import check_password

    if sys.stdin.isatty():
        given = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    else:
        try:
            given = sys.stdin.readline().rstrip("\r\n").encode().decode()
        except UnicodeError:  # bytes that are no UTF-8; some locales bring them as lone surrogates
            raise InvalidInput("the password on standard input is not UTF-8, which sign-in needs; encode it") from None
        if not given:
            raise InvalidInput("no password on standard input; pipe one in, or run in a terminal to be asked")
    check_password(given)
    return given
