"""Secrets that cameras are asked with: kept in the duty plan, so that no registry file holds any."""

from typing import Annotated, Literal

from pydantic import Field

from firetower.alerts.duty.section import Section


class CameraSecret(Section):
    """How a camera, or the recorder before it, knows us. ``digest`` and ``basic``: HTTP; ``bearer``: ``password`` is
    the token.
    """

    kind: Literal["digest", "basic", "bearer"] = "digest"
    username: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f:]*$")] = ""
    password: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f]*$")]

    def __repr__(self) -> str:
        """Return it without what is secret in it."""
        return f"CameraSecret({self.kind!r})"

    __str__ = __repr__


CameraSecrets = dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")], CameraSecret]
"""By the name that a camera's ``secret`` gives."""
