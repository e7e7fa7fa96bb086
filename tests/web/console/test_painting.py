"""When the page paints in a storm: most of the time is left to the hand, and a fire waits the least."""

import pytest
from conftest import Open
from console_double import Double

pytestmark = pytest.mark.system


async def test_a_fire_is_not_put_off_by_what_comes_after_it(double: Double, sit_down: Open):
    """While painting is dear a fire waits as long as one painting took, and each frame of a storm leaves it at that."""
    page = await sit_down()
    waits = await page.evaluate("""async () => {
      const main = document.querySelector('script[type=module]').src;
      const { Looking } = await import(main.replace('main.js', 'looking.js'));
      const seat = new Looking();
      const found = [];
      const real = globalThis.setTimeout;
      globalThis.setTimeout = (run, ms) => found.push(ms) && 0;
      seat.cost = 200;
      seat.rested = performance.now();
      seat.requestPaint();
      seat.requestPaint(true);
      seat.requestPaint();
      globalThis.setTimeout = real;
      return found;
    }""")
    assert waits[0] > 500
    assert waits[1] <= 200
    assert waits[2] <= 200
