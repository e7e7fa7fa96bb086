"""Risk in words: bands, parts and reasons with their figures, in both languages."""

from collections.abc import Mapping
from typing import Any

_PER_KM = 1000

_REASONS: dict[str, tuple[str, str]] = {
    "open_gas": ("可燃气体隐患未消除 {n} 条", "open combustible-gas hazards: {n}"),
    "open_cable": ("线缆温度隐患未消除 {n} 条", "open cable-temperature hazards: {n}"),
    "open_electrical": ("电气隐患未消除 {n} 条", "open electrical hazards: {n}"),
    "recent_gas": ("近期可燃气体隐患 {n} 条", "recent combustible-gas hazards: {n}"),
    "recent_cable": ("近期线缆温度隐患 {n} 条", "recent cable-temperature hazards: {n}"),
    "recent_electrical": ("近期电气隐患 {n} 条", "recent electrical hazards: {n}"),
    "category": ("场所类别的固有危险", "the danger of such a place in itself"),
    "not_working": ("设备不能正常工作 {n}/{of}", "devices that do not work: {n} of {of}"),
    "key_down": ("控制器、网关或泵房失去监测 {n} 处", "panels, gateways or pump rooms down: {n}"),
    "water_limits": ("消防水位或水压异常 {n} 处", "water level or pressure out of limits: {n}"),
    "shielded_points": ("屏蔽点位 {n} 个", "shielded points: {n}"),
    "impaired": ("消防设施停用 {n} 项", "impairments in force: {n}"),
    "overdue": ("警情处置超时 {n} 条", "alerts overdue: {n}"),
    "unacknowledged": ("未受理 {n} 条", "alerts unacknowledged: {n}"),
    "repeated": ("重复出现的隐患 {n} 处", "hazards that keep coming back: {n}"),
    "test_failed": ("火警发送试验不合格", "the fire test failed"),
    "test_overdue": ("火警发送试验逾期", "the fire test is overdue"),
    "unmeasured": ("停用期间无临时防范措施 {n} 项", "out of use without a compensating measure: {n}"),
    "water": ("最近可用水源 {n} 米", "nearest working water at {n} m"),
    "station": ("最近微型消防站 {n} 米", "nearest micro fire station at {n} m"),
    "nobody": ("没有可联系的人", "nobody to call"),
    "nobody_now": ("此时无人可联系", "nobody can be called at this hour"),
}
_FAR = {
    "water": ("{reach} 公里内无可用水源", "no working water within {reach} km"),
    "station": ("{reach} 公里内无微型消防站", "no micro fire station within {reach} km"),
}
_HELD = {
    "fire": ("有未办结的火警，办结前按重大风险计", "an open fire: extreme until it is closed"),
    "weakest": ("受最薄弱一项限制", "held down by its weakest part"),
    "worst": ("受最差单位限制", "held down by its worst unit"),
}


def of_reason(reason: Mapping[str, Any], reach_m: int) -> tuple[str, str]:
    """Return a stored reason in words (Chinese, English); ``reach_m``: how far was looked for water and stations."""
    code, figures = str(reason["code"]), {"n": reason["n"], "of": reason.get("of")}
    zh, en = _FAR[code] if code in _FAR and reason["n"] is None else _REASONS.get(code, (code, code))
    figures["reach"] = f"{reach_m / _PER_KM:g}"
    return zh.format(**figures), en.format(**figures)


def of_held(held_by: str | None) -> tuple[str, str] | None:
    """Return what holds a score down in words, None where nothing does."""
    return None if held_by is None else _HELD[held_by]


CODES = frozenset(_REASONS)
"""Every reason that has words."""
