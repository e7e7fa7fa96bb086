"""What opens behind a letter's link: the alert in the letter's language, and the button that says it was read.

Programs that look at links on their own, as chat services do, press no button: only a person does.
"""

from html import escape

_WORDS = {
    "zh": ("通知", "我已知悉", "已确认，谢谢。", "这条警情已办结，无需再处理。"),
    "en": ("Letter", "I have read this", "Thank you, it is noted.", "This alert is closed; nothing is left to do."),
}


def page(language: str, text: str | None, *, read: bool, action: str) -> str:
    """Return the page of HTML. ``text``: of the letter, None once its alert is closed; ``action``: of the button."""
    language = "en" if language == "en" else "zh"
    title, button, noted, closed = _WORDS[language]
    body = f"<p>{closed}</p>" if text is None else f"<pre>{escape(text)}</pre>"
    form = f"<form method=post action='{escape(action)}'><button>{button}</button></form>"
    rest = f"<p>{noted}</p>" if read else form
    return (
        f"<!doctype html><html lang={language}><meta charset=utf-8>"
        f"<meta name=viewport content='width=device-width'><title>{title}</title>{body}{rest}"
    )
