"""The incident record 警情处置单: everything that stands on record of one alert, as a sheet to print."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from firetower.alerts.calls import Call
from firetower.alerts.handover import pictures as on_sheet
from firetower.alerts.handover.facts import Premises, point
from firetower.alerts.handover.model import OnRecord
from firetower.alerts.handover.pictures import PictureLine, Printed
from firetower.alerts.handover.words import Language, word
from firetower.alerts.model import Alert
from firetower.alerts.ports import Entry
from firetower.core.clock import Micros, to_datetime

CLOCKS = (
    "device_at", "received_at", "raised_at", "shown_at", "acknowledged_at", "verified_at", "forwarded_at",
    "receipted_at", "closed_at",
)  # fmt: skip
MOST_ENTRIES = 400
"""History entries that are printed: of more, the first and the newest half of them."""
_CELL = 2000
"""Characters of one cell; the JSON has all of them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the device measured. ``metric``: with its channel; ``uom``: the metric's unit of measure."""

    at: Micros
    metric: str
    value: float
    uom: str
    quality: str


@dataclass(frozen=True, slots=True)
class LetterLine:
    """Who was told over which channel, and what became of it; times are µs, None for what has not happened."""

    created_at: Micros
    channel: str
    role: str
    name: str
    reason: str
    state: str
    sent_at: Micros | None
    delivered_at: Micros | None
    read_at: Micros | None
    acted_at: Micros | None
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Seal:
    """Number and hash (hex) of the history's last sealed entry ``seq`` in the chain, and when it was sealed, µs."""

    n: int
    seq: int
    hash: str
    sealed_at: Micros


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """All of it. ``entries``: the whole history."""

    alert: Alert
    premises: Premises
    entries: Sequence[Entry]
    messages: Sequence[OnRecord]
    calls: Sequence[Call]
    letters: Sequence[LetterLine]
    readings: Sequence[Reading]
    seal: Seal | None
    pictures: Sequence[PictureLine] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A table with heads, or without heads one of names and values."""

    title: str
    rows: tuple[tuple[str, ...], ...]
    heads: tuple[str, ...] = ()
    note: str = ""
    pictures: tuple[Printed, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is printed."""

    title: str
    subtitle: str
    language: Language
    sections: tuple[Section, ...]


class _Writer:
    """Writes a record in one language, by one clock."""

    def __init__(self, record: IncidentRecord, language: Language, zone: ZoneInfo) -> None:
        self._record = record
        self._language: Language = language
        self._zone = zone

    def sections(self) -> Iterable[Section]:
        """Yield the sections, those without a row left out but for the hand-over, whose absence is news."""
        yield self._alert()
        yield self._clocks()
        yield self._handover()
        yield from (each for each in (self._calls(), self._letters()) if each.rows)
        yield self._verdict()
        yield self._history()
        if self._record.readings:
            yield self._readings()
        if self._record.pictures:
            yield self._pictures()
        yield self._seal()

    def _alert(self) -> Section:
        alert, premises = self._record.alert, self._record.premises
        where = " / ".join(each for each in (premises.building, premises.floor, premises.zone) if each)
        lon, lat = (alert.lon, alert.lat) if alert.lon is not None else (premises.lon, premises.lat)
        unit = " ".join(each for each in (alert.unit_name, f"({alert.unit})" if alert.unit else "") if each)
        said = (
            ("编号", "Number", str(alert.id)),
            ("警情", "Incident", "" if alert.incident_id is None else str(alert.incident_id)),
            ("类别", "Class", f"{self._word('class', alert.alert_class)} ({alert.priority})"),
            ("内容", "Title", self._of(alert.title_zh, alert.title_en)),
            ("原话", "In its own words", alert.text),
            ("单位", "Unit", unit),
            ("地址", "Address", premises.address),
            ("位置", "Place", where),
            ("登记位置", "Registered place", alert.place or ""),
            ("坐标 (WGS-84)", "Coordinates (WGS-84)", "" if lon is None or lat is None else f"{lon:.6f}, {lat:.6f}"),
            ("设备", "Device", f"{self._word('kind', alert.device_kind)} {alert.device or ''}".strip()),
            ("部位", "Point", point(alert)),
            ("测量值 / 限值", "Value / limit", _figures(alert)),
            ("标记", "Marks", ", ".join(alert.flags)),
            ("状态", "State", self._word("state", alert.state)),
        )
        return self._section("报警", "Alert", said)

    def _clocks(self) -> Section:
        alert = self._record.alert
        rows = tuple((self._word("clock", name), self._at(getattr(alert, name))) for name in CLOCKS)
        return Section(self._of("时间", "Clocks"), rows)

    def _handover(self) -> Section:
        heads = self._heads(
            ("消息", "Message"), ("写出", "Written"), ("操作人", "By"), ("内容", "Text"), ("发送", "Sent"),
            ("次数", "Tries"), ("状态", "State"), ("签收人 / 编号", "Receipt"), ("签收时间", "Received"),
        )  # fmt: skip
        rows = tuple(
            (
                self._word("message", each.kind),
                self._at(each.created_at),
                each.actor,
                _cell(each.text),
                self._at(each.first_sent_at),
                str(each.tries),
                self._word("message_state", each.state),
                "" if each.receipt is None else f"{each.receipt.person} / {each.receipt.number}",
                self._at(each.received_at),
            )
            for each in self._record.messages
        )
        note = "" if rows else self._of("没有通过接口转警", "Nothing was handed over through the interface")
        return Section(self._of("转警 119", "Hand-over to 119"), rows, heads, note)

    def _calls(self) -> Section:
        heads = self._heads(
            ("时间", "At"), ("值班员", "By"), ("对方", "Whom"), ("目的", "For"), ("结果", "Result"), ("内容", "Said"),
            ("录音", "Recording"),
        )  # fmt: skip
        rows = tuple(
            (
                self._at(each.at),
                each.by,
                " ".join(part for part in (self._word("role", each.role), each.name) if part),
                self._word("purpose", each.purpose),
                self._word("call_result", each.result),
                _cell(each.said or ""),
                each.recording or "",
            )
            for each in self._record.calls
        )
        return Section(self._of("通话", "Calls"), rows, heads)

    def _letters(self) -> Section:
        heads = self._heads(
            ("写出", "Written"), ("通知", "Whom"), ("渠道", "Channel"), ("原因", "Why"), ("状态", "State"),
            ("发出", "Sent"), ("送达", "Delivered"), ("已读", "Read"), ("已处理", "Acted"),
        )  # fmt: skip
        rows = tuple(
            (
                self._at(each.created_at),
                f"{self._word('role', each.role)} {each.name}",
                each.channel,
                each.reason,
                self._word("letter_state", each.state),
                *(self._at(at) for at in (each.sent_at, each.delivered_at, each.read_at, each.acted_at)),
            )
            for each in self._record.letters
        )
        return Section(self._of("通知", "Letters"), rows, heads)

    def _verdict(self) -> Section:
        alert = self._record.alert
        said = (
            ("核实", "Verification", self._word("verification", alert.verification)),
            ("核实方式", "Verified", self._word("method", alert.verify_method)),
            ("核实人", "Verified by", alert.verified_by or ""),
            ("处置结论", "Disposition", self._word("disposition", alert.disposition)),
            ("原因", "Cause", alert.cause or ""),
            ("受理人", "Acknowledged by", alert.acknowledged_by or ""),
            ("办结人", "Closed by", alert.closed_by or ""),
        )
        return self._section("核实与处置", "Verification and disposition", said)

    def _history(self) -> Section:
        heads = self._heads(("序号", "No"), ("时间", "At"), ("操作人", "By"), ("事项", "What"), ("内容", "Words"))
        rows = tuple(
            (
                str(each.seq),
                self._at(each.transition.at),
                each.transition.actor,
                self._word("reason", each.transition.reason),
                _cell(self._evidence(each.transition.evidence)),
            )
            for each in _ends(self._record.entries)
        )
        left = max(len(self._record.entries) - MOST_ENTRIES, 0)
        told = self._of(f"中间 {left} 条未打印，见 JSON", f"{left} in between are left out; the JSON has them")
        note = told if left else ""
        return Section(self._of("经过", "History"), rows, heads, note)

    def _readings(self) -> Section:
        heads = self._heads(("时间", "At"), ("参数", "Metric"), ("数值", "Value"), ("质量", "Quality"))
        rows = tuple(
            (self._at(each.at), each.metric, f"{each.value:g} {each.uom}".strip(), each.quality)
            for each in self._record.readings
        )
        return Section(self._of("前后读数", "Readings around it"), rows, heads)

    def _pictures(self) -> Section:
        heads = self._heads(
            ("时间", "At"), ("摄像机", "Camera"), ("时刻", "When"), ("操作人", "By"), ("摘要", "SHA-256")
        )
        given = (self._record.pictures, self._language, self._at)
        note = self._of("每台摄像机的图片原样留存", "Pictures are kept as they came from the camera")
        title = self._of("视频图片", "Pictures of cameras")
        return Section(title, on_sheet.rows(*given), heads, note, on_sheet.printed(*given))

    def _seal(self) -> Section:
        seal = self._record.seal
        note = self._of(
            "哈希链核对: firetower db verify-history", "The chain is checked by firetower db verify-history"
        )
        if seal is None:
            return Section(self._of("封存", "Seal"), (), note=self._of("尚未封存", "Not sealed yet"))
        rows = (
            (self._of("最后一条", "Last entry"), str(seal.seq)),
            (self._of("链上序号", "Number in the chain"), str(seal.n)),
            (self._of("哈希", "Hash"), seal.hash),
            (self._of("封存时间", "Sealed at"), self._at(seal.sealed_at)),
        )
        return Section(self._of("封存", "Seal"), rows, note=note)

    def _section(self, zh: str, en: str, said: Iterable[tuple[str, str, str]]) -> Section:
        rows = tuple((self._of(name_zh, name_en), _cell(value)) for name_zh, name_en, value in said if value)
        return Section(self._of(zh, en), rows)

    def _evidence(self, evidence: Mapping[str, Any]) -> str:
        said = []
        for name, value in evidence.items():
            told = self._word("said", value) if isinstance(value, str) else _plain(value)
            said.append(f"{self._word('field', name)}: {told}")
        return "; ".join(said)

    def _heads(self, *pairs: tuple[str, str]) -> tuple[str, ...]:
        return tuple(self._of(*pair) for pair in pairs)

    def _of(self, zh: str, en: str) -> str:
        return zh if self._language == "zh" else en

    def _word(self, group: str, of: str | None) -> str:
        return word(group, of, self._language)

    def _at(self, at: Micros | None) -> str:
        return "" if at is None else f"{to_datetime(at).astimezone(self._zone):%Y-%m-%d %H:%M:%S}"


def sheet(record: IncidentRecord, language: Language, zone: ZoneInfo, *, by: str, at: Micros) -> Sheet:
    """Return a record as it is printed by the account ``by`` at ``at``; times by the clock of ``zone``."""
    printed = f"{to_datetime(at).astimezone(zone):%Y-%m-%d %H:%M:%S} {zone.key}"
    title, subtitle = (
        ("警情处置单", f"编号 {record.alert.id}，{by} 打印于 {printed}")
        if language == "zh"
        else ("Incident record", f"Number {record.alert.id}, printed by {by} at {printed}")
    )
    return Sheet(title, subtitle, language, tuple(_Writer(record, language, zone).sections()))


def _ends(entries: Sequence[Entry]) -> Sequence[Entry]:
    if len(entries) <= MOST_ENTRIES:
        return entries
    return [*entries[: MOST_ENTRIES // 2], *entries[-MOST_ENTRIES // 2 :]]


def _figures(alert: Alert) -> str:
    if alert.value is None:
        return ""
    limit = "" if alert.limit_value is None else f" / {alert.limit_value:g}"
    return f"{alert.metric or ''} {alert.value:g}{limit}".strip()


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(each) for each in value)
    return str(value)


def _cell(text: str) -> str:
    return text if len(text) <= _CELL else text[:_CELL] + "…"


def wide(text: str) -> int:
    """Return how wide the widest line of a text is, in characters, a Chinese one counted twice."""
    return max((sum(2 if char > "\u2e7f" else 1 for char in line) for line in text.split("\n")), default=0)
