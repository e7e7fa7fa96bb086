"""What the page keeps by changes, order, counts, provisional alarms, places, is what making it anew gives."""

from pathlib import Path

import pytest
from test_core import Run, run, sign_in_page  # noqa: F401  # reason: fixtures of the parts without a page

pytestmark = pytest.mark.system

STORM = (Path(__file__).parent / "storm_of_changes.js").read_text()


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_in_a_storm_of_changes_nothing_that_is_kept_falls_behind(run: Run, seed: int):  # noqa: F811
    raised, left = await run("alarms.js", f"({STORM.split(chr(10), 1)[1].strip()})", [seed, 400])
    assert raised > left > 0
