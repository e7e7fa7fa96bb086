"""When the page paints in a storm: most of the time is left to the hand, and a fire waits the least."""

import pytest
from conftest import Open
from console_double import Double

pytestmark = pytest.mark.system


async def test_a_fire_is_put_off_by_another_fire_only_and_by_nothing_that_comes_after_it(
    double: Double, sit_down: Open
):
    """While painting is dear a fire is painted at once, one after a fire as long later as that took; the rest waits."""
    page = await sit_down()
    waits = await page.evaluate("""async () => {
      const main = document.querySelector('script[type=module]').src;
      const { Looking } = await import(main.replace('main.js', 'looking.js'));
      const seat = new Looking();
      const found = [];
      const [later, frame] = [globalThis.setTimeout, globalThis.requestAnimationFrame];
      globalThis.setTimeout = (run, ms) => found.push(ms) && 0;
      globalThis.requestAnimationFrame = () => found.push(0);
      const rested = (cost) => Object.assign(seat, { cost, rested: performance.now(), painting: false });
      rested(200);
      seat.requestPaint();
      seat.requestPaint(true);
      rested(200);
      seat.requestPaint(true);
      seat.requestPaint();
      Object.assign(globalThis, { setTimeout: later, requestAnimationFrame: frame });
      return found;
    }""")
    storm, fire, next_fire, after_it = waits
    assert storm > 500
    assert fire == 0
    assert 150 < next_fire <= 200
    assert after_it <= 200
