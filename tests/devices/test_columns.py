"""Columns grow without being copied, however large they begin."""

import numpy as np
import pytest

from firetower.devices.columns import SMALL, Column


@pytest.mark.parametrize("first", [SMALL + 1, 1_000_000])
def test_a_large_column_grows_in_place(first):
    """Whoever holds the rows of before sees what is written later; new rows hold the fill."""
    column: Column[np.int8] = Column(np.int8, 7)
    before = column.fit(first)
    after = column.fit(first + 500_000)
    after[first - 1] = 1
    assert before[first - 1] == 1
    assert len(after) >= first + 500_000
    assert after[first:].min() == after[first:].max() == 7


def test_a_million_wide_rows_at_once_ask_for_little_more_address_space_than_they_may_grow_into():
    """A checkpoint is restored in one go: 64 times a million rows of a pattern would be refused."""
    column: Column[np.int8] = Column(np.int8, 0, (4,))
    column.fit(1_000_000)
    base = column.rows.base
    assert base is not None
    assert base.nbytes <= 5 * column.rows.nbytes
