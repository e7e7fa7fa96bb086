"""The telephone script 119 话术: what an operator reads out when the command centre has to be called."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from firetower.alerts.flags import MANUAL, PLACE_MISMATCH
from firetower.alerts.handover.facts import Facts, Water, point
from firetower.alerts.handover.words import Language, word
from firetower.alerts.model import Verification
from firetower.core.clock import to_datetime

_LABELS = {
    "who": ("报警", "Reporting"),
    "place": ("地点", "Place"),
    "burns": ("情况", "What burns"),
    "signals": ("其他信号", "Other signals"),
    "contacts": ("现场联系人", "Contacts"),
    "access": ("到达", "Access"),
    "water": ("最近水源", "Nearest water"),
    "ask": ("请问", "Ask"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: ``part`` names it, ``label`` is what stands before it on the screen, ``text`` is read out."""

    part: str
    label: str
    text: str


def script(facts: Facts, language: Language, zone: ZoneInfo) -> list[Line]:
    """Return the lines in the order in which they are read; ``zone``: whose clock times are said by.

    What nobody registered is said to be unknown: a line never silently stays away.
    """
    zh = language == "zh"
    parts = {
        "who": "您好，这里是城市消防远程监控中心，向119报警。"
        if zh
        else "This is the fire monitoring centre, calling 119.",
        "place": _place(facts, zh=zh),
        "burns": _burns(facts, language, zone),
        "signals": _signals(facts, language),
        "contacts": _contacts(facts, language),
        "access": _access(facts, zh=zh),
        "water": _water(facts, language),
        "ask": "请告知您的姓名和警情编号，通话已录音。" if zh else "Please give your name and the incident number.",
    }
    return [Line(part, _LABELS[part][0 if zh else 1], _one_line(text)) for part, text in parts.items()]


def text_of(lines: list[Line]) -> str:
    """Return the lines as one text, ready to read."""
    return "\n".join(f"{line.label}: {line.text}" for line in lines)


def _place(facts: Facts, *, zh: bool) -> str:
    alert, premises = facts.alert, facts.premises
    name = alert.unit_name or alert.unit or ("未登记单位" if zh else "unregistered unit")
    said = [f"{name}{f'（{premises.address}）' if zh else f' ({premises.address})'}" if premises.address else name]
    said += [each for each in (premises.building, _floor(facts, zh=zh), premises.zone) if each]
    if alert.place and alert.place not in said:
        said.append(alert.place)
    if component := point(alert):
        said.append(f"部位 {component}" if zh else f"point {component}")
    text = ("，" if zh else ", ").join(said)
    if PLACE_MISMATCH in alert.flags:
        text += "。注意：控制器显示的位置与登记不一致" if zh else ". Beware: the panel names another place"
    return text


def _floor(facts: Facts, *, zh: bool) -> str:
    floor, level = facts.premises.floor, facts.premises.level
    if level is None or str(abs(level)) in floor:
        return floor
    if zh:
        told = f"地下{-level}层" if level < 0 else f"{level}层"
    else:
        told = f"basement {-level}" if level < 0 else f"floor {level}"
    return f"{floor} ({told})" if floor else told


def _burns(facts: Facts, language: Language, zone: ZoneInfo) -> str:
    alert, zh = facts.alert, language == "zh"
    since = to_datetime(alert.device_at).astimezone(zone)
    said = [
        f"{word('class', alert.alert_class, language)}：{alert.title_zh}"
        if zh
        else f"{word('class', alert.alert_class, language)}: {alert.title_en}",
        word("kind", alert.device_kind, language),
        f"{since:%H:%M:%S} 起" if zh else f"since {since:%H:%M:%S}",
    ]
    if alert.text:
        whose = ("来电称", "the caller says") if MANUAL in alert.flags else ("控制器显示", "the panel says")
        said.append(f"{whose[0]}“{alert.text}”" if zh else f'{whose[1]} "{alert.text}"')
    said.append(_verified(facts, language))
    return ("，" if zh else ", ").join(each for each in said if each)


def _verified(facts: Facts, language: Language) -> str:
    alert, zh = facts.alert, language == "zh"
    if alert.verification is not Verification.REAL:
        return "尚未核实" if zh else "not verified"
    how = word("method", alert.verify_method, language)
    return f"已核实为真实火警（{how}）" if zh else f"verified as real {how}"


def _signals(facts: Facts, language: Language) -> str:
    zh = language == "zh"
    if not facts.signals:
        return "无" if zh else "none"
    near = sum(each.is_near for each in facts.signals)
    said = [
        f"{each.title_zh if zh else each.title_en} {each.place or ''} {each.component}" for each in facts.signals[:5]
    ]
    count = (
        f"同一单位另有{len(facts.signals)}处报警，其中同一分区{near}处"
        if zh
        else f"{len(facts.signals)} more in the unit, {near} of them in the same zone"
    )
    return f"{count}{'：' if zh else ': '}{('；' if zh else '; ').join(said)}"


def _contacts(facts: Facts, language: Language) -> str:
    zh = language == "zh"
    if not facts.persons:
        return "没有登记联系人" if zh else "none registered"
    said = []
    for each in facts.persons[:5]:
        later = "" if each.is_reachable else "（非值守时间）" if zh else " (off hours)"
        said.append(f"{word('role', each.role, language)} {each.name} {each.phone}{later}")
    return ("；" if zh else "; ").join(said)


def _access(facts: Facts, *, zh: bool) -> str:
    premises, found = facts.premises, facts.coordinates
    said = []
    if premises.address:
        said.append(premises.address)
    if premises.building or premises.floor:
        said.append(" ".join(each for each in (premises.building, _floor(facts, zh=zh)) if each))
    if found is not None:
        said.append(f"{'坐标' if zh else 'coordinates'} {found[0]:.6f}, {found[1]:.6f} (WGS-84)")
    if not said:
        return "没有登记地址，请向现场联系人询问" if zh else "no address is registered; ask the contact on site"
    said.append("进入路线请向现场联系人询问" if zh else "ask the contact on site which entrance to take")
    return ("，" if zh else ", ").join(said)


def _water(facts: Facts, language: Language) -> str:
    zh = language == "zh"
    if not facts.water:
        return "附近没有登记的水源" if zh else "none registered near it"
    return ("；" if zh else "; ").join(_of_water(each, language) for each in facts.water[:3])


def _of_water(water: Water, language: Language) -> str:
    zh = language == "zh"
    where = (
        f"{word('bearing', water.bearing, language)}{'侧' if zh else ''} {water.distance_m:.0f} {'米' if zh else 'm'}"
    )
    faulty = "" if not water.faulty else "（可能无水）" if zh else " (may give no water)"
    return f"{word('kind', water.kind, language)} {water.place or water.name} {where}{faulty}"


def _one_line(text: str) -> str:
    """Return ``text`` without line breaks and control characters: a panel's words must not make lines of their own."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
