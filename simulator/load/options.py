"""The options of ``firetower simulate`` that say how devices connect, and what load they are."""

from pathlib import Path
from typing import Annotated

import typer

from firetower.simulator.load.arrivals import ARRIVAL_NAMES, ArrivalName
from firetower.simulator.load.shapes import SHAPE_NAMES, ShapeName

_CONNECT = "How devices connect"
_LOAD = "Load"

ConnectionsOption = Annotated[
    str | None,
    typer.Option(
        "--connections", metavar="N|device", rich_help_panel=_CONNECT,
        help="Connections that devices share, or 'device' for one each; default: 4, or one a unit with --credentials.",
    ),
]  # fmt: skip
QosOption = Annotated[int, typer.Option("--qos", min=0, max=1, rich_help_panel=_CONNECT, help="QoS 0 or 1.")]
CaOption = Annotated[
    Path | None,
    typer.Option("--ca", rich_help_panel=_CONNECT, help="PEM file of the authority to trust, for mqtts://."),
]
CredentialsOption = Annotated[
    Path | None,
    typer.Option(
        "--credentials", rich_help_panel=_CONNECT,
        help="JSON or CSV file with unit, username and password: each unit's devices sign in with their own account.",
    ),
]  # fmt: skip
LoadOption = Annotated[
    ShapeName | None,
    typer.Option("--load", rich_help_panel=_LOAD, help=f"Measure under a load: {', '.join(SHAPE_NAMES)}."),
]
FindLimitOption = Annotated[
    bool,
    typer.Option("--find-limit", rich_help_panel=_LOAD, help="Find the highest rate that holds, from --rate on."),
]
ToOption = Annotated[
    float | None,
    typer.Option(
        "--to", rich_help_panel=_LOAD,
        help="Messages a second that ramp, step and spike rise to, and that --find-limit stops at.",
    ),
]  # fmt: skip
StepsOption = Annotated[int | None, typer.Option("--steps", rich_help_panel=_LOAD, help="Rises of step; default 4.")]
ArrivalOption = Annotated[
    ArrivalName | None,
    typer.Option("--arrival", rich_help_panel=_LOAD, help=f"{' or '.join(ARRIVAL_NAMES)}; default: each device's own."),
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", rich_help_panel=_LOAD, help="Processes that share devices and rate; default 1."),
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--report", rich_help_panel=_LOAD,
        help="Write the report as JSON, and beside it the percentile table (.hgrm).",
    ),
]  # fmt: skip
AllowLostOption = Annotated[
    int | None,
    typer.Option("--allow-lost", rich_help_panel=_LOAD, help="Messages that may be lost; with --load default 0."),
]
AllowP99Option = Annotated[
    float | None,
    typer.Option(
        "--allow-p99", rich_help_panel=_LOAD,
        help="Latency in ms that 99 % may not exceed; --find-limit takes 250 unless told otherwise.",
    ),
]  # fmt: skip
AllowLatenessOption = Annotated[
    float | None,
    typer.Option(
        "--allow-lateness", rich_help_panel=_LOAD,
        help="ms that 99 % of the messages may leave the generator late; beyond it there is no figure; default 50.",
    ),
]  # fmt: skip
