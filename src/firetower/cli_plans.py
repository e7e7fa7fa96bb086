"""`firetower devices plan`: the floor plan of a floor, from a file."""

from pathlib import Path
from typing import Annotated

import typer

from firetower.core import logs
from firetower.core.clock import SystemClock
from firetower.core.config import load_settings
from firetower.core.errors import InvalidInput
from firetower.devices.plan_images import MOST_BYTES, read_image
from firetower.options import ConfigFile, DataDirOption, with_pool

BY = "import"


def plan(  # noqa: PLR0917 - the words of the command line
    unit: Annotated[str, typer.Argument(help="Code of the unit.")],
    building: Annotated[str, typer.Argument(help="Code of the building.")],
    floor: Annotated[str, typer.Argument(help="Code of the floor.")],
    file: Annotated[Path, typer.Argument(help="PNG, JPEG or WebP, at most 8 MiB.")],
    config: ConfigFile = None,
    data_dir: DataDirOption = None,
) -> None:
    """Make an image the plan of a floor; the one before stays as history, the same one again changes nothing.

    Example: firetower devices plan mall-01 A 3F tower-a-3f.png
    """
    from firetower.storage import floor_plans

    logs.set_up("WARNING")
    try:
        data = file.read_bytes()
    except OSError as err:
        raise InvalidInput(f"file {file} cannot be read: {err.strerror}; give the path of an image") from None
    if len(data) > MOST_BYTES:
        raise InvalidInput(f"file {file} is {len(data)} bytes; at most {MOST_BYTES} (8 MiB) are taken: make it smaller")
    try:
        image = read_image(data)
    except InvalidInput as err:
        raise InvalidInput(f"file {file}: {err}") from None
    where = floor_plans.Where(unit, building, floor)
    became, _ = with_pool(
        load_settings(config, data_dir=data_dir),
        lambda pool: floor_plans.put(pool, where, image, data, by=BY, at=SystemClock().now()),
    )
    typer.echo(f"plan of {unit} {building}/{floor}: {became}, {image.width} × {image.height} pixels")
