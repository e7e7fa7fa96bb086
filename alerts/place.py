"""位置不一致: whether a panel's own words and the registry certainly name different places.

Doubt is no contradiction. Floors are compared as the span of all that is said ("3-5层" says 3 to 5), buildings as what
they are called (A座, 2号楼, Tower A), letters with letters and numbers with numbers. Words that leave open which floor
is meant (夹层, 3层以上, between floors) say none.
"""

import re
import unicodedata
from functools import lru_cache

_DIGITS = "一二三四五六七八九"
_COUNT = rf"(?:\d{{1,3}}|[{_DIGITS}十]{{1,3}})"
_TO = r"\s*[-~–—至到、,/&和及]\s*"  # as written on panels
_ALONE = r"(?![A-Za-z0-9.])"
_HIGHEST, _DEEPEST = 200, 20

# ASCII, so that a word ends where Chinese begins.
_OPEN = re.compile(
    r"夹层|以上|以下|之间|上方|下方|上层|下层|楼上|楼下"
    r"|(?i:\b(?:mezzanine|above|below|between|lower ground|upper ground|half)\b)",
    re.ASCII,
)
"""With one of these the floor that is named may not be the one that is meant."""
_UNDERGROUND = re.compile(r"地下|地库|(?i:\b(?:basement|underground)\b)", re.ASCII)
_NUMBERED_THING = re.compile(
    r"(?i:\b(?:zone|area|room|gate|loop|panel|block|building|bldg|tower|line|module|unit|riser|stairs?|lift|door|pump"
    r"|cabinet|no)\.?\s*[:#-]?\s*$)",
    re.ASCII,
)
_OF_THINGS = r"\s*(?:区|栋|座|幢|号|#|门|口|梯|柜|回路|机)"

_BUILDING = re.compile(
    rf"(?<![A-Za-z0-9.{_DIGITS}十百第-])(?P<zh>[A-Z]\d?|{_COUNT})\s*"
    r"(?:(?:号|#)(?:楼(?![梯层宇])|[栋幢座])|[栋幢]|座(?![位椅])|(?<=[A-Z])楼(?![梯层宇]))"
    r"|\b(?i:tower|building|block|bldg)\.?\s*(?:(?i:no)\.?\s*|#\s*)?(?P<en>[A-Z]|\d{1,3})"
    r"(?![A-Za-z0-9])(?!\s*(?:(?i:floor|fl\b)|[层楼]))",
    re.ASCII,
)
_BELOW = re.compile(
    rf"(?P<word>地下室?第?|负)\s*(?P<from>{_COUNT})(?:{_TO}(?:负|地下)?(?P<to>{_COUNT}))?\s*(?:[层楼]|F{_ALONE})"
    rf"|(?<![A-Za-z0-9.-])-(?P<minus>\d{{1,2}})(?:[层楼]|F{_ALONE})"
    rf"|(?P<b>(?<![A-Za-z0-9.])B(?P<basement>[1-9])(?:F|[层楼](?!梯))?{_ALONE}(?!-\d|{_OF_THINGS}))"
    rf"|\b(?i:basement|underground)\s+(?:(?i:level|floor)\s+)?(?P<en>\d{{1,2}}){_ALONE}"
    r"|(?<![A-Za-z0-9.])(?P<nth>\d{1,2})(?i:st|nd|rd|th)\s+(?i:basement)\b",
    re.ASCII,
)
_FLOOR = re.compile(
    rf"(?<![A-Za-z0-9.{_DIGITS}十百共总高有每同各隔某另这那上下几])(?:(?P<from>{_COUNT}){_TO})?(?P<zh>{_COUNT})\s*"
    rf"(?:层(?!楼(?![道梯面板层]))|楼(?![梯宇]|\s*{_COUNT}\s*(?:单元|门)))"
    rf"|(?<![A-Za-z0-9.])(?:(?P<first>\d{{1,3}})F?{_TO})?(?P<f>\d{{1,3}})F{_ALONE}"
    rf"|(?P<coded>(?<![A-Za-z0-9.#-])F(?P<code>[1-9]\d?){_ALONE}(?!-\d|{_OF_THINGS}))"
    rf"|\b(?i:floors?|fl\.)\s*(?:(?i:no\.?)|[#:])?\s*(?:(?P<low>\d{{1,3}}){_TO})?(?P<en>\d{{1,3}}){_ALONE}"
    r"|(?<![A-Za-z0-9.])(?P<nth>\d{1,3})(?i:st|nd|rd|th)\s+(?i:floor|fl|storey|story)\b"
    r"|(?<![A-Za-z0-9.])(?P<plain>\d{1,3})\s+(?i:floor)\b"
    r"|(?P<ground>首层|\b(?i:ground\s+floor)\b)",
    re.ASCII,
)


def disagree(text: str, place: str, level: int | None) -> bool:
    """Say whether a panel's ``text`` and the registry's ``place`` words, or the ``level`` of its floor, contradict.

    ``level``: 1 for the ground floor, negative below ground; None where no floor is registered.
    """
    said, known = _span(text), _span(place)
    if level is not None:
        known = (level, level) if known is None else (min(known[0], level), max(known[1], level))
    if said is not None and known is not None and (said[1] < known[0] or known[1] < said[0]):
        return True
    here, there = _buildings(text), _buildings(place)
    return any(kind in there and there[kind].isdisjoint(names) for kind, names in here.items())


@lru_cache(4096)
def _span(words: str) -> tuple[int, int] | None:
    """Return the lowest and the highest floor that ``words`` say for certain; None when they say none."""
    said = _floors(words)
    return (min(said), max(said)) if said else None


def _floors(words: str) -> set[int]:
    words = unicodedata.normalize("NFKC", words)
    if _OPEN.search(words):
        return set()
    rest = _BUILDING.sub(" | ", words)
    said: set[int] = set()
    for found in _BELOW.finditer(rest):
        said.update(_below(found))
    rest = _BELOW.sub(" | ", rest)
    if _UNDERGROUND.search(rest):
        return {floor for floor in said if floor < 0}
    for found in _FLOOR.finditer(rest):
        said.update(_above(found))
    return said


def _below(found: re.Match[str]) -> set[int]:
    if found["b"] and _NUMBERED_THING.search(found.string[: found.start()]):
        return set()
    numbers = _numbers(found, "from", "to", "minus", "basement", "en", "nth")
    said = {-number for number in numbers if number <= _DEEPEST}
    if (found["word"] == "负" and found["to"]) or (found["minus"] and found.start()):
        said |= numbers  # 负一至三层 may reach above ground, and in "A座-3F" the minus may be a dash
    return said


def _above(found: re.Match[str]) -> set[int]:
    if found["ground"]:
        return {1}
    if found["coded"] and _NUMBERED_THING.search(found.string[: found.start()]):
        return set()
    return {
        number
        for number in _numbers(found, "from", "zh", "first", "f", "code", "low", "en", "nth", "plain")
        if number <= _HIGHEST
    }


def _numbers(found: re.Match[str], *groups: str) -> set[int]:
    return {number for group in groups if found[group] for number in _count(found[group])}


def _count(word: str) -> set[int]:
    """Return the number a word is, both of 一二 (层), nothing for what is no number of a floor."""
    if word.isdigit():
        return {int(word)} - {0}
    tens, ten, ones = word.partition("十")
    if not ten:
        return {_DIGITS.index(digit) + 1 for digit in word}
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return set()
    return {10 * (_DIGITS.index(tens) + 1 if tens else 1) + (_DIGITS.index(ones) + 1 if ones else 0)}


@lru_cache(4096)
def _buildings(words: str) -> dict[str, frozenset[str]]:
    """Return the buildings that ``words`` name, by what they are called by: letters, numbers, both."""
    named: dict[str, set[str]] = {}
    for found in _BUILDING.finditer(unicodedata.normalize("NFKC", words)):
        word = found["zh"] or found["en"]
        if word[0] in _DIGITS or word[0] == "十" or word.isdigit():
            numbers = _count(word)
            if len(numbers) == 1:
                named.setdefault("number", set()).add(str(numbers.pop()))
        else:
            named.setdefault("letter" if word.isalpha() else "both", set()).add(word)
    return {kind: frozenset(names) for kind, names in named.items()}
