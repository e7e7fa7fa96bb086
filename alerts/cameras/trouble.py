"""Why a picture could not be had, as a word that is kept, and as a sentence in both languages."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Why(StrEnum):
    """What was wrong."""

    STATUS = "status"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    REDIRECT = "redirect"
    TOO_LARGE = "too_large"
    NO_PICTURE = "no_picture"
    REFUSED = "refused"
    NO_SECRET = "no_secret"  # noqa: S105  # reason: a word for the lack of one
    TOO_LATE = "too_late"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Trouble:
    """``status``: of the camera's answer, where that is what was wrong. ``permanent``: asking again changes nothing."""

    why: Why
    status: int | None = None

    @property
    def permanent(self) -> bool:
        """Whether it is not asked again: cameras lock out whoever signs in wrongly a few times."""
        return self.why in _PERMANENT or (self.why is Why.STATUS and self.status in {400, 404, 405, 410})

    def words(self, language: Literal["zh", "en"]) -> str:
        """Say it to an operator."""
        return _WORDS[self.why][language == "en"].format(status=self.status)


_PERMANENT = frozenset({Why.REDIRECT, Why.REFUSED, Why.NO_SECRET, Why.TOO_LATE, Why.REMOVED})
_WORDS = {
    Why.STATUS: ("摄像机返回 {status}", "the camera answered {status}"),
    Why.NO_ANSWER: ("摄像机 5 秒内没有应答", "the camera did not answer within 5 s"),
    Why.UNREACHABLE: ("连不上摄像机", "the camera cannot be reached"),
    Why.REDIRECT: ("摄像机把请求转到别处，未跟随", "the camera sends elsewhere, which is not followed"),
    Why.TOO_LARGE: ("返回超过 4 MiB", "the answer is larger than 4 MiB"),
    Why.NO_PICTURE: ("返回的不是图片", "the answer is no picture"),
    Why.REFUSED: ("摄像机拒绝口令 ({status})", "the camera refuses the password ({status})"),
    Why.NO_SECRET: ("值班方案中没有这台摄像机的口令", "the duty plan has no secret for this camera"),
    Why.TOO_LATE: ("五分钟内没能抓拍", "it could not be asked for within five minutes"),
    Why.REMOVED: ("摄像机已停用或没有抓拍地址", "the camera is retired, or has no picture address any more"),
}
