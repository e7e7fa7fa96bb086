"""The handover 交接班 on two seats: every open alarm accepted by name, live on both, kept over a reload."""

import pytest
from conftest import Open, until_page
from console_double import Double
from waiting import until

pytestmark = pytest.mark.system


async def test_a_handover_between_two_seats_takes_every_alarm_by_name_also_one_that_arrives(
    double: Double, sit_down: Open
):
    """By keyboard: fires one by one, others ticked and together; both seats see it; a reload loses nothing."""
    fires = [double.raise_alert("fire", 1, ago=n)["id"] for n in (9, 8)]
    fault = double.raise_alert("fault", 3, assignee="wang")["id"]
    double.announce_window("impairment", measure="每小时巡查")
    double.lack("link_119")
    double.put_on("wang", ago=40_000)
    leaves, comes = await sit_down(), await sit_down(who="li")
    await leaves.keyboard.press("KeyI")
    await leaves.fill("[data-form=relief] input[name=to]", "li")
    await leaves.fill("[data-form=relief] textarea", "2 号泵停用")
    await leaves.click("[data-form=relief] .primary")
    await leaves.wait_for_selector("[data-accepted='0'][data-open-alarms='3']")
    assert await leaves.locator("[data-take]").count() == 0  # whoever leaves accepts nothing

    await comes.wait_for_selector("[data-banner=relief]:has-text('wang → li')")
    await comes.focus("#queue-list")
    await comes.keyboard.press("KeyI")
    await comes.wait_for_selector("#relief:has-text('2 号泵停用')")
    await until_page(comes, "document.querySelectorAll('[data-passing-window], [data-passing-test]').length === 2")
    await until_page(comes, f"document.activeElement?.dataset.take === '{fires[0]}'")
    await comes.keyboard.down("KeyA")
    await comes.keyboard.down("KeyA")  # held: it repeats, and takes nothing more
    await comes.keyboard.up("KeyA")
    await comes.wait_for_selector(f"[data-passing='{fires[0]}'][data-taken=true]")
    assert await comes.evaluate("document.activeElement.dataset.take") == fires[0]  # the row keeps place and focus
    await leaves.wait_for_selector(f"[data-passing='{fires[0]}'][data-taken=true]")  # live on the other seat
    await comes.keyboard.press("KeyJ")
    await comes.keyboard.press("Enter")
    await comes.wait_for_selector(f"[data-passing='{fires[1]}'][data-taken=true]")
    await comes.keyboard.press("ArrowDown")
    await comes.keyboard.press("KeyA")
    assert double.accepted == set(fires)  # a tick is not yet an acceptance
    await comes.reload()
    await comes.wait_for_selector("[data-accepted='2'][data-open-alarms='3']")  # the panel stands in the address
    await comes.keyboard.press("Space")  # turns the sound on, whatever has the focus, and ticks nothing
    await comes.wait_for_selector("[data-sound=armed]")
    await comes.wait_for_selector("[data-relief=complete]:disabled")
    await until_page(comes, f"document.activeElement?.dataset.take === '{fault}'")  # the first that is left
    await comes.keyboard.press("KeyA")
    await comes.click("[data-accept-ticked]")
    await comes.wait_for_selector("[data-relief=complete]:not(:disabled)")

    late = double.raise_alert("fire", 1)
    await comes.click("[data-relief=complete]")  # before this seat was told
    await comes.wait_for_selector(f"[data-passing='{late['id']}']:has-text('新到')")
    assert "1 open alarms are not accepted" in await comes.inner_text("#relief .outcome.refused")
    assert [each["account"] for each in double.duty] == ["wang"]
    await comes.click(f"[data-take='{late['id']}']")
    await comes.wait_for_selector("[data-relief=complete]:not(:disabled)")
    await comes.click("[data-relief=complete]")
    await comes.wait_for_selector("[data-relief-ended=completed]")
    await leaves.wait_for_selector("[data-relief-ended=completed]:has-text('wang → li')")
    await leaves.wait_for_selector("[data-on-duty=li]")
    assert [each["account"] for each in double.duty] == ["li"]
    assert double.acts == []  # nothing in the queue was acknowledged by it
    await leaves.click(".switches button >> nth=-1")
    await leaves.wait_for_selector("input[name=username]")


async def test_whoever_comes_begins_it_both_write_notes_and_giving_it_up_takes_two_steps(
    double: Double, sit_down: Open
):
    double.raise_alert("fault", 3)
    double.put_on("wang")
    leaves, comes = await sit_down(lang="en"), await sit_down(who="li", lang="en")
    await comes.keyboard.press("KeyI")
    await comes.click("[data-relieve=wang]")
    await comes.wait_for_selector("[data-passing]")
    assert double.handovers[0]["incoming"] == "li"
    await leaves.click("[data-banner=relief] button")
    await leaves.fill("textarea[name=relief-notes]", "the lift of B is stuck")
    await leaves.click("#relief form button")
    await comes.wait_for_selector("#relief:has-text('the lift of B is stuck')")
    await comes.click("#relief .form-end >> nth=-1 >> button >> nth=0")
    assert double.handovers[0]["state"] == "open"
    await comes.click("[data-relief=cancel]")
    await comes.wait_for_selector("[data-relief-ended=cancelled]")
    await leaves.wait_for_selector("[data-relief-ended=cancelled]:has-text('given up by li')")
    await leaves.click("[data-relief-ended] button")
    await until_page(leaves, "!document.querySelector('[data-relief-ended]')")
    await until(lambda: [each["account"] for each in double.duty] == ["wang"])
