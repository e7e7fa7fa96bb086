"""The tester's guide names every effect, fault, model's radio and metric of the simulated city."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from firetower.simulator import faults
from firetower.simulator.faults.payloads import DAMAGE
from firetower.simulator.physics.effects import EFFECTS
from firetower.simulator.signals import SHAPES

GUIDE = (Path(__file__).parents[2] / "docs" / "tester.md").read_text("utf-8")


def test_every_effect_stands_in_the_table_with_its_usual_size() -> None:
    rows = [line for line in GUIDE.splitlines() if line.startswith("| `")]
    for name, meaning in EFFECTS.items():
        row = next((line for line in rows if f"`{name}`" in line), None)
        assert row is not None, name
        assert re.search(rf"(?<![\d.]){meaning.usual:g}(?!\d)", row.replace("−", "-")), (name, meaning.usual)


def test_every_fault_stands_in_the_guide() -> None:
    missing = []
    for module in pkgutil.iter_modules(faults.__path__):
        content = vars(importlib.import_module(f"{faults.__name__}.{module.name}"))
        missing += [
            name
            for name, thing in content.items()
            if isinstance(thing, type)
            and thing.__module__.endswith(f".{module.name}")
            and any(hasattr(thing, act) for act in ("spoil", "carry", "speak"))
            and not name.endswith("Fault")
            and f"`{name}`" not in GUIDE
        ]
    assert missing == []
    assert len(DAMAGE) == 9  # as many as the guide's last row tells


@pytest.mark.parametrize("metric", sorted({name.split(".")[0] for shape in SHAPES for name in shape.metrics}))
def test_every_metric_a_device_reports_stands_in_the_guide(metric: str) -> None:
    assert f"`{metric}`" in GUIDE
