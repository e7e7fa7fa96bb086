"""`firetower rejects`: the reject ledger, listed and tried again."""

import asyncio
from typing import Annotated, Any

import typer

from firetower.core import logs
from firetower.core.clock import SystemClock, rfc3339
from firetower.core.config import load_settings
from firetower.options import ConfigFile, DataDirOption, with_pool
from firetower.terminal import printable

app = typer.Typer(
    help="The reject ledger: what could not be used, and why; tried again on request.",
    epilog="Example: firetower rejects list --unit mall-01",
    no_args_is_help=True,
)

_LOOK_S = 0.2
_NO_PROGRESS_S = 8.0


@app.command("list")
def rejects_list(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
    unit: Annotated[str | None, typer.Option(help="Only what came on this unit's topics.")] = None,
    config: ConfigFile = None,
    data_dir: DataDirOption = None,
) -> None:
    """Print the newest rejected messages: when, where from, why, and their bytes.

    Example: firetower rejects list --unit mall-01
    """
    from firetower.storage.rejects import Which, list_rejects

    logs.set_up("WARNING")
    settings = load_settings(config, data_dir=data_dir)
    page = with_pool(settings, lambda pool: list_rejects(pool, Which(unit=unit), limit=limit))
    for _, row in page.items:
        shown = printable(row.payload[:200].decode("utf-8", "backslashreplace"))
        more = f" ... ({len(row.payload)} bytes)" if len(row.payload) > 200 else ""
        typer.echo(
            f"{rfc3339(row.at)} {row.lane:<9} {row.reason:<16} {printable(row.topic)}\n"
            f"    {printable(row.detail)}\n    {shown}{more}"
        )
    if not page.items:
        typer.echo(f"The reject ledger holds nothing{'' if unit is None else f' on topics of unit {unit}'}.", err=True)


@app.command("replay")
def rejects_replay(
    unit: Annotated[str | None, typer.Option(help="Only what came on this unit's topics.")] = None,
    device: Annotated[str | None, typer.Option(help="Only what this device sent, itself or by its gateway.")] = None,
    reason: Annotated[str, typer.Option(help="What it was refused for.")] = "unknown_device",
    config: ConfigFile = None,
    data_dir: DataDirOption = None,
) -> None:
    """Have rejected messages tried again: a device registered later gets its readings back.

    The running service does it; what is still wrong stands in the ledger again. Alarms are not raised a second time.

    Example: firetower rejects replay --unit mall-01
    """
    logs.set_up("WARNING")
    asked, left = with_pool(
        load_settings(config, data_dir=data_dir), lambda pool: _replay(pool, unit=unit, device=device, reason=reason)
    )
    if asked == 0:
        typer.echo(f"No reject with reason {reason} is there to be tried again; firetower rejects list shows them.")
    elif left == 0:
        typer.echo(f"{asked} tried again; what is still wrong stands in the ledger: firetower rejects list")
    else:
        typer.echo(f"{asked} asked for, {left} wait: the service does them when it runs (firetower serve).")


async def _replay(pool: Any, *, unit: str | None, device: str | None, reason: str) -> tuple[int, int]:
    """Ask for the replay and wait while it goes on; return how many were asked for and how many still wait."""
    from firetower.storage.rejects import ask_replay, asked_count

    asked = await ask_replay(pool, SystemClock().now(), unit=unit, device=device, reason=reason)
    left, quiet = asked, 0.0
    while left and quiet < _NO_PROGRESS_S:
        await asyncio.sleep(_LOOK_S)
        now = await asked_count(pool)
        quiet = quiet + _LOOK_S if now >= left else 0.0
        left = now
    return asked, left
