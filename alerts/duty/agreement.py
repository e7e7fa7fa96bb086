"""What the sections of a duty plan must agree on, and what a policy must be so that nobody waits for it in vain."""

from collections.abc import Iterator

from firetower.alerts.duty.channels import Channel
from firetower.alerts.duty.policies import OWN, UNTIL, Of, Policy
from firetower.rules.book.quantities import duration_text

Path = tuple[str | int, ...]
Problem = tuple[Path, str]


def problems(channels: tuple[Channel, ...], policies: tuple[Policy, ...]) -> Iterator[Problem]:
    """Yield what is wrong with ``policies``, and where."""
    known = [each.name for each in channels]
    names: set[str] = set()
    for number, policy in enumerate(policies):
        at = ("policies", number)
        if policy.name in names:
            yield (*at, "name"), "is the name of another policy, too; letters name their policy, give each its own"
        names.add(policy.name)
        yield from _of_covered(policy, at)
        yield from _of_steps(policy, at, known)


def _of_covered(policy: Policy, at: Path) -> Iterator[Problem]:
    until = UNTIL[policy.of]
    if policy.until not in {None, until} and policy.of is not Of.RAISED:
        yield (*at, "until"), f"a policy of {policy.of} ends when it is {until}; leave it out, or write {until}"
    if policy.of in OWN:
        for name in ("units", "grids", "categories"):
            if getattr(policy.covered, name):
                yield (*at, "for", name), f"{policy.of} is of no unit, so this would never be told; leave it out"


def _of_steps(policy: Policy, at: Path, known: list[str]) -> Iterator[Problem]:
    accepted = ", ".join(known) or "none is described; describe one under channels"
    earlier = 0
    for number, step in enumerate(policy.steps):
        here = (*at, "steps", number)
        if step.after < earlier:
            yield (*here, "after"), f"is before the step above it ({duration_text(earlier)}); put steps in order"
        earlier = max(earlier, step.after)
        for place, name in enumerate(step.channels):
            if name not in known:
                yield (*here, "channels", place), f"there is no such channel; accepted: {accepted}"
            elif name in step.channels[:place]:
                yield (*here, "channels", place), "stands here twice; keep one"
        for place, role in enumerate(step.to):
            if role in step.to[:place]:
                yield (*here, "to", place), "stands here twice; keep one"
    if policy.takes_fires and policy.steps[-1].repeat is None:
        yield (
            (*at, "steps", len(policy.steps) - 1),
            (
                "is the last step of a policy for fires and does not repeat: whoever misses it is not told again; add"
                " repeat: {every: 2min, at_most: 30}, or name classes without fire under for"
            ),
        )
