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


async def test_no_piece_of_markup_is_kept_to_be_used_again(run: Run):  # noqa: F811
    """One that was kept would hold the panel it first stood in after that is closed."""
    steps = """async (m) => {
        const { html } = await import(m.base + "../ui/html.js");
        const made = () => html`<section><p>words <b>without values</b></p></section>`;
        const [one, other] = [made(), made()];
        return [one.props.children.type, one !== other, one.props.children !== other.props.children];
    }"""
    assert await run("alarms.js", steps, None) == ["p", True, True]
