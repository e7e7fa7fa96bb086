"""The options of ``firetower simulate`` that say what is played, and how the service is scored."""

from pathlib import Path
from typing import Annotated

import typer

_PLAY = "Scenarios"
_SCORE = "The score"

ScenarioOption = Annotated[
    list[str],
    typer.Option(
        "--scenario", rich_help_panel=_PLAY,
        help="A shipped scenario (docs/tester.md), or the path of a file; several run side by side.",
    ),
]  # fmt: skip
TruthOption = Annotated[
    Path | None,
    typer.Option(
        "--truth", rich_help_panel=_PLAY,
        help="Write what should be alarmed, and what not, to this file, one JSON object a line.",
    ),
]  # fmt: skip
SpeedOption = Annotated[
    float,
    typer.Option(
        "--speed", rich_help_panel=_PLAY,
        help="So many times as fast as time: the run begins in the past and has caught up with it at its end.",
    ),
]  # fmt: skip
CamerasOption = Annotated[
    int | None,
    typer.Option(
        "--cameras", min=1, max=65535, metavar="PORT", rich_help_panel=_PLAY,
        help="Serve pictures of the city's cameras on this port of 127.0.0.1; with --write they stand in city.json.",
    ),
]  # fmt: skip
HookOption = Annotated[
    list[str] | None,
    typer.Option(
        "--hook", metavar="NAME=COMMAND", rich_help_panel=_PLAY,
        help="What a scenario asks for and only you can do, for example database-down='systemctl stop postgresql'.",
    ),
]  # fmt: skip
ScoreOption = Annotated[
    str | None,
    typer.Option(
        "--score", metavar="URL", rich_help_panel=_SCORE,
        help="Compare the alerts of the service at this address with the truth; an account is needed.",
    ),
]  # fmt: skip
UserOption = Annotated[
    str | None,
    typer.Option(
        "--user", envvar="FIRETOWER_USER", rich_help_panel=_SCORE,
        help="The account for --score; its password stands in FIRETOWER_PASSWORD.",
    ),
]  # fmt: skip
JudgeOption = Annotated[
    Path | None,
    typer.Option(
        "--judge", metavar="FILE", rich_help_panel=_SCORE,
        help="Play nothing: score the run whose truth was written to this file.",
    ),
]  # fmt: skip
AllowMissedOption = Annotated[int, typer.Option(min=0, rich_help_panel=_SCORE, help="Alerts that may be missed.")]
AllowFalseOption = Annotated[int, typer.Option(min=0, rich_help_panel=_SCORE, help="Alerts that nothing explains.")]
AllowDuplicateOption = Annotated[int, typer.Option(min=0, rich_help_panel=_SCORE, help="Alerts one too many.")]
AllowLateOption = Annotated[int, typer.Option(min=0, rich_help_panel=_SCORE, help="Alerts that may come late.")]
GraceOption = Annotated[
    float,
    typer.Option(
        min=0, rich_help_panel=_SCORE,
        help="Seconds that the way through network and service may take, on top of what the truth allows.",
    ),
]  # fmt: skip
SettleOption = Annotated[
    float,
    typer.Option(min=0, rich_help_panel=_SCORE, help="Seconds waited at the end for what is due and not there yet."),
]
