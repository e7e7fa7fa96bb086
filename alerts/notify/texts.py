"""What letters say, in Chinese and English: a short line for SMS and voice, and a long text. No I/O, nothing invented.

Words of panels and registries are strangers' text: on one line, bounded, without anything that steers a display.
"""

import unicodedata
from collections.abc import Sequence
from datetime import datetime

from firetower.alerts.model import Alert
from firetower.alerts.notify.letters import Letter
from firetower.alerts.notify.message import Facts, Message, Water
from firetower.core.clock import to_datetime

SHORT = 70
"""Characters of the short text: one SMS of Chinese."""
_LONGEST = 200
"""Characters of one stranger's text in the long form."""

_COLOURS = {"zh": ("红", "橙", "黄", "蓝"), "en": ("red", "orange", "yellow", "blue")}
_WHY = {
    "zh": {
        "raised": "新警情",
        "unacknowledged": "无人受理",
        "unshown": "未在席位显示",
        "unverified": "未核实",
        "unforwarded": "未转警",
        "unreceipted": "119未签收",
        "unattended": "无人值守",
        "uncovered": "无人覆盖",
        "presence": "查岗未应答",
        "self_test": "自检逾期",
        "channel": "通知通道中断",
    },
    "en": {
        "raised": "new",
        "unacknowledged": "nobody has answered",
        "unshown": "shown at no seat",
        "unverified": "not verified",
        "unforwarded": "not passed to 119",
        "unreceipted": "no receipt from 119",
        "unattended": "nobody on watch",
        "uncovered": "in nobody's scope",
        "presence": "no answer to the duty check",
        "self_test": "self-test overdue",
        "channel": "a channel takes no letters",
    },
}
_WATER = {
    "zh": {"hydrant": "消火栓", "water_crane": "消防水鹤", "water_point": "取水点"},
    "en": {"hydrant": "hydrant", "water_crane": "water crane", "water_point": "water point"},
}
_LABELS = {
    "zh": {
        "place": "地点", "point": "部位", "text": "控制器文字", "value": "数值", "limit": "限值", "since": "开始",
        "do": "处置", "water": "最近水源", "who": "通知对象", "key": "通知号", "read": "确认已读", "sep": "：",
        "and": "，", "alert": "警情号",
    },
    "en": {
        "place": "Place", "point": "Point", "text": "Panel says", "value": "Value", "limit": "limit", "since": "Since",
        "do": "To do", "water": "Nearest water", "who": "To", "key": "Letter", "read": "Confirm reading", "sep": ": ",
        "and": ", ", "alert": "Alert",
    },
}  # fmt: skip


def message(letter: Letter, facts: Facts, *, link: str | None = None) -> Message:
    """Return what ``letter`` says, in its language. ``link``: where the service is reached from outside."""
    language = "en" if letter.new.language == "en" else "zh"
    reference = letter.reference or letter.new.key
    read = None if link is None else f"{link.rstrip('/')}/api/v1/letters/{reference}"
    return Message(
        letter=letter,
        facts=facts,
        reference=reference,
        title=_title(letter, facts, language),
        short=_short(letter, facts, language),
        long=_long(letter, facts, language, read),
        link=read,
    )


def _headline(alert: Alert, language: str) -> str:
    return plain(alert.title_en if language == "en" else alert.title_zh)


def _why(letter: Letter, language: str) -> str:
    return _WHY[language].get(letter.new.reason, plain(letter.new.reason))


def _title(letter: Letter, facts: Facts, language: str) -> str:
    colour = _COLOURS[language][facts.alert.priority - 1]
    headline = _headline(facts.alert, language)
    unit = plain(facts.alert.unit_name or facts.alert.unit or "")
    return " ".join(part for part in (f"[{colour}] {headline}", unit, f"({_why(letter, language)})") if part)


def _short(letter: Letter, facts: Facts, language: str) -> str:
    """Return one line: what, where, how much, since when, why; the least needed is left out, the rest cut, to fit."""
    alert = facts.alert
    what = f"【{_headline(alert, language)}】" if language == "zh" else f"{_headline(alert, language)}:"
    where = [
        plain(alert.unit_name or alert.unit or ""),
        plain(alert.place or facts.address),
        plain(alert.component),
        plain(alert.text),
    ]
    since = _local(facts, "%H:%M") + ("起" if language == "zh" else "")
    parts = [what, *where, _amount(facts, language, short=True), since, _why(letter, language)]
    for dropped in (4, 3, 5):  # the panel's words, the point, the figures
        line = " ".join(part for part in parts if part)
        if len(line) <= SHORT:
            return line
        parts[dropped] = ""
    room = SHORT - len(" ".join(part for part in (parts[0], *parts[5:]) if part)) - 1
    place = " ".join(part for part in parts[1:5] if part)
    parts[1:5] = [_cut(place, room)] if room > 4 else []
    return _cut(" ".join(part for part in parts if part), SHORT)


def _long(letter: Letter, facts: Facts, language: str, read: str | None) -> str:
    alert, say = facts.alert, _LABELS[language]

    def line(label: str, *values: str) -> str:
        return say[label] + say["sep"] + say["and"].join(value for value in values if value)

    lines = [_title(letter, facts, language)]
    place = (alert.unit_name or alert.unit or "", facts.address, alert.place or "")
    if any(place):
        lines.append(line("place", *(plain(each) for each in place)))
    if alert.component or alert.device:
        lines.append(line("point", plain(alert.device or ""), plain(alert.component)))
    if alert.text:
        lines.append(line("text", plain(alert.text)))
    if alert.value is not None:
        lines.append(line("value", _amount(facts, language)))
    lines.append(line("since", _local(facts, "%Y-%m-%d %H:%M:%S")))
    advice = (facts.advice or {}).get(language)
    if advice:
        lines.append(line("do", plain(advice)))
    if facts.water:
        lines.append(line("water", *_waters(facts.water, language)))
    lines.append(line("alert", str(alert.id)))
    lines.append(line("key", letter.reference or letter.new.key))
    if read is not None:
        lines.append(line("read", read))
    return "\n".join(lines)


def _waters(water: Sequence[Water], language: str) -> list[str]:
    doubt = " (in doubt)" if language == "en" else "（存疑）"
    named = _WATER[language]
    return [
        f"{named.get(each.kind, each.kind)} {plain(each.name)} {each.distance_m} m{doubt if each.faulty else ''}"
        for each in water
    ]


def _amount(facts: Facts, language: str, *, short: bool = False) -> str:
    alert = facts.alert
    if alert.value is None:
        return ""
    value = f"{alert.value:.4g}{'' if short else ' '}{facts.uom}".rstrip()
    if alert.limit_value is None:
        return value
    limit = f"{alert.limit_value:.4g}"
    if short:
        return f"{value}(限{limit})" if language == "zh" else f"{value} (limit {limit})"
    say = _LABELS[language]
    return f"{value}{say['and']}{say['limit']} {limit} {facts.uom}".rstrip()


def _local(facts: Facts, shape: str) -> str:
    at: datetime = to_datetime(facts.alert.condition_at).astimezone(facts.zone)
    return at.strftime(shape)


def plain(text: str) -> str:
    """Return a stranger's words on one line, without control and format characters, at most 200 of them."""
    kept = "".join(" " if char in "\r\n\t\u2028\u2029" else char for char in text)
    kept = "".join(char for char in kept if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co"})
    return _cut(" ".join(kept.split()), _LONGEST)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: max(0, most - 1)] + "…"


_MARKDOWN = str.maketrans({char: f"\\{char}" for char in "\\`*_{}[]()<>#+-!|~&@"})
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


def escaped(text: str, markup: str) -> str:
    """Return plain text so that a channel that shows ``markdown`` or ``html`` shows just that; ``none``: as it is."""
    if markup == "markdown":
        return "\n".join(line.translate(_MARKDOWN) for line in text.split("\n"))
    return text.translate(_HTML) if markup == "html" else text
