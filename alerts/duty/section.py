"""The base of every part of the duty plan."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the plan: unknown names are refused, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
