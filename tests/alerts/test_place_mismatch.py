"""位置不一致: a panel's words against the registry's, marked only where they certainly contradict each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firetower.alerts.place import disagree

SAME = [
    ("3F corridor", "A座 / 3层 / 东区", 3),
    ("三层走廊烟感", "A座 / 3F / 走廊", None),
    ("第十二层电井", "12F", 12),
    ("B1车库", "地下一层 / 车库", -1),
    ("地下2层水泵房", "", -2),
    ("负一楼配电室", "", -1),
    ("1号楼3层", "1号楼 / 3层", 3),
    ("2号楼2楼梯间", "2号楼 / 5层", 5),  # a stairwell's number
    ("3rd floor, east wing", "Tower A / 3F", 3),
    ("floor 12 lobby", "12层", None),
    ("Basement 1 pump room", "B1", -1),
    ("３Ｆ　走廊", "3层", 3),
    ("首层大厅", "1F", 1),
    ("3-5层电井", "4层", 4),
    ("B1至3层扶梯", "2层", 2),
    ("地下1-2层车库", "地下二层", -2),
    ("A座-1F", "A座 / 1层", 1),
    ("2-3-017", "5层", 5),  # loop and point
    ("L3-017", "5层", 5),
    ("12楼3单元", "5层", 5),  # the twelfth building
    ("3层以上", "7层", 7),
    ("3层夹层", "4层", 4),
    ("地下车库3F入口", "地下一层", -1),
    ("12A层", "13层", 13),
    ("共3层", "5层", 5),
    ("Zone B1", "3层", 3),
    ("F3区", "1层", 1),
    ("B1栋2层", "2层", 2),
    ("1号楼", "A座", None),  # may be called both
    ("water level 3 m", "1层", 1),
    ("smoke in building a", "B座", None),
    ("走廊", "A座 / 3层", 3),
    ("3F", "走廊", None),
    ("15层", "A座 / 15层", 13),  # without a 4th and a 13th
    ("", "", None),
]
OTHER = [
    ("5F corridor", "A座 / 3层 / 东区", 3),
    ("三层走廊", "A座 / 走廊", 2),
    ("F3", "", 4),
    ("B1", "1层", 1),
    ("1楼", "地下一层", None),
    ("负一层", "", -2),
    ("-1F 车库", "1层", 1),
    ("地下一层", "一层", 1),
    ("二十三楼", "22层", None),
    ("3rd floor", "Tower A / 4F", None),
    ("floor 3", "", 13),
    ("ground floor", "", 2),
    ("3-5层电井", "", 6),
    ("A座大厅", "B座 / 大厅", None),
    ("1号楼3层", "2号楼 / 3层", 3),
    ("二号楼", "1号楼", None),
    ("Tower A lobby", "B座", None),
    ("Building 2, 3rd floor", "1号楼 / 3层", 3),
    ("B1栋", "B2栋", None),
]


@pytest.mark.parametrize(("text", "place", "level"), SAME)
def test_words_that_may_mean_the_same_place_are_no_mismatch(text: str, place: str, level: int | None) -> None:
    """Doubt is no contradiction: an operator who sees the mark too often looks at none."""
    assert not disagree(text, place, level)


@pytest.mark.parametrize(("text", "place", "level"), OTHER)
def test_words_that_certainly_name_another_floor_or_building_are_a_mismatch(
    text: str, place: str, level: int | None
) -> None:
    """Somebody would be sent to the wrong floor."""
    assert disagree(text, place, level)


DIGITS = "零一二三四五六七八九"


def in_chinese(n: int) -> str:
    tens, ones = divmod(n, 10)
    return (("" if tens == 1 else DIGITS[tens]) + "十" if tens else "") + (DIGITS[ones] if ones or not tens else "")


def ordinal(n: int) -> str:
    return f"{n}{'th' if n % 100 in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')} floor"


ABOVE = ("{}F", "{}层", "第{}层", "{}楼", "F{}", "floor {}", "A座{}层东侧", "1号楼 {}F corridor")
BELOW = ("B{}", "B{}层", "地下{}层", "负{}层", "-{}F", "basement {}")
SAID = st.one_of(
    st.tuples(st.integers(1, 99), st.sampled_from(ABOVE)).map(lambda of: (of[0], of[1].format(of[0]))),
    st.tuples(st.integers(1, 9), st.sampled_from(BELOW)).map(lambda of: (-of[0], of[1].format(of[0]))),
    st.integers(1, 99).map(lambda n: (n, f"{in_chinese(n)}层")),
    st.integers(1, 99).map(lambda n: (n, ordinal(n))),
    st.integers(1, 9).map(lambda n: (-n, f"地下{in_chinese(n)}层")),
)


@given(SAID, SAID, st.sampled_from(["", " 走廊", " corridor", "烟感"]))
def test_floors_are_compared_however_they_are_written(one: tuple[int, str], other: tuple[int, str], more: str) -> None:
    """Two ways of writing agree exactly when they mean one floor, as words and as the registry's level."""
    (here, text), (there, place) = one, other
    assert disagree(text + more, "", there) == (here != there)
    if "座" not in text + place and "号楼" not in text + place:
        assert disagree(text + more, place, None) == disagree(place, text + more, None) == (here != there)


@given(st.text("A座B1号楼2层F3-地下负一二十 /floor基ment.", max_size=30), st.text("AB座号楼层F1230负一 ", max_size=30))
def test_nothing_disagrees_with_itself_and_who_is_compared_with_whom_does_not_matter(text: str, place: str) -> None:
    """Whatever a panel sends is compared, and no words stop the ingest."""
    assert not disagree(text, text, None)
    assert disagree(text, place, None) == disagree(place, text, None)
