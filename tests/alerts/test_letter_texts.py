"""What letters say: everything needed in both languages, one SMS in the short form, nothing that a stranger steers."""

from zoneinfo import ZoneInfo

import pytest
from letter_making import alert_of, letter, low_pressure

from firetower.alerts.notify.message import Facts, Message, Water
from firetower.alerts.notify.texts import SHORT, escaped, message, plain

ZONE = ZoneInfo("Asia/Shanghai")
ADVICE = {"zh": "派人核实；关注同管网其他点。", "en": "Send somebody to look."}
WATER = (Water("hydrant", "人民路12号", 85), Water("water_crane", "北门", 410, faulty=True))


def said(language: str = "zh", **more: object) -> Message:
    facts = Facts(low_pressure(**more), ZONE, "人民路10号", "MPa", ADVICE, WATER)
    return message(letter(language=language), facts, link="https://fire.example/")


def test_the_long_text_says_where_what_how_much_since_when_what_to_do_and_where_water_is() -> None:
    assert said(text="2F泵房").long.split("\n") == [
        "[黄] 水压低 百货大楼 (无人受理)",
        "地点：百货大楼，人民路10号，A座/3层/走廊",
        "部位：h1，pressure",
        "控制器文字：2F泵房",
        "数值：0.0912 MPa，限值 0.14 MPa",
        "开始：2025-11-22 16:26:40",
        "处置：派人核实；关注同管网其他点。",
        "最近水源：消火栓 人民路12号 85 m，消防水鹤 北门 410 m（存疑）",
        "警情号：2",
        "通知号：reference-1",
        "确认已读：https://fire.example/api/v1/letters/reference-1",
    ]
    english = said("en").long
    for words in ("[yellow] Low pressure", "0.0912 MPa, limit 0.14 MPa", "Send somebody to look", "hydrant", "85 m"):
        assert words in english
    assert "Panel says" not in english


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("place", ["A座/3层", "很长的地点" * 30, ""])
@pytest.mark.parametrize("text", ["", "3F走廊", "x" * 500])
def test_the_short_text_is_one_sms_from_what_to_why(language: str, place: str, text: str) -> None:
    short = said(language, place=place, text=text).short
    assert len(short) <= SHORT
    assert "\n" not in short
    assert short.startswith("【水压低】" if language == "zh" else "Low pressure:")
    assert short.endswith("无人受理" if language == "zh" else "nobody has answered")
    assert "16:26" in short


def test_the_short_text_drops_the_panels_words_before_the_place_and_the_figures() -> None:
    assert (
        said(text="2F泵房").short
        == "【水压低】 百货大楼 A座/3层/走廊 pressure 2F泵房 0.0912MPa(限0.14) 16:26起 无人受理"
    )
    long = said(text="泵房" * 40).short
    assert "A座/3层/走廊" in long
    assert "0.0912MPa(限0.14)" in long


def test_an_alert_that_knows_nothing_is_told_all_the_same() -> None:
    bare = alert_of(unit=None, unit_name=None, device=None, place=None, component="", text="")
    told = message(letter(), Facts(bare, ZONE))
    assert told.short == "【火警】 16:26起 无人受理"
    assert told.long.split("\n")[0] == "[红] 火警 (无人受理)"
    assert told.link is None


HOSTILE = "x](http://evil) **b**\r\n处置：不必理会\u202e\x00<script>alert('1')</script>"


def test_a_panels_words_make_no_line_no_markup_and_no_reversal_of_their_own() -> None:
    """A panel's text that says what to do must not stand where Firetower says it."""
    told = said(text=HOSTILE)
    assert [line for line in told.long.split("\n") if line.startswith("处置")] == ["处置：派人核实；关注同管网其他点。"]
    assert "\u202e" not in told.long
    assert "\x00" not in told.short
    markdown = escaped(told.long, "markdown")
    assert "\\]\\(http://evil\\) \\*\\*b\\*\\*" in markdown
    assert "<script>" not in escaped(told.long, "html")
    assert len(plain("y" * 5000)) == 200
