"""The score as one HTML page, complete in itself."""

from collections.abc import Sequence
from html import escape

from firetower.core.clock import SECOND, rfc3339
from firetower.simulator.score.figures import confusion
from firetower.simulator.score.plots import Dot, bars, dots, legend
from firetower.simulator.score.report import Report

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .8rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .8rem; border-bottom: 1px solid #8886; text-align: right; vertical-align: top; }
th:first-child, td:first-child { text-align: left; }
table.words td { text-align: left; }
.good { color: #2f9e63; font-weight: 600; } .bad { color: #d1442f; font-weight: 600; }
figure { margin: 1rem 0; } figcaption { font-weight: 600; }
svg { width: 100%; height: auto; } .legend svg { width: 14px; vertical-align: middle; }
.legend span { margin-right: 1rem; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
.grid { stroke: #8884; } .bar { fill: #3b73c4; }
"""


def html(report: Report) -> str:
    """Return the page."""
    run = report.log.run
    title = f"Score of {', '.join(run.scenarios)}"
    pace = "real time" if run.speed == 1 else f"{run.speed:g} times as fast as time"
    verdict = '<span class="good">within the limits</span>' if report.passed else '<span class="bad">beyond</span>'
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>',
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>",
        f"<p>Played from {rfc3339(run.wall)}, {pace}; {run.devices:,} devices, seed {run.seed}. {verdict}</p>",
        _table(["", "count", "allowed", ""], [_judged(name, *pair) for name, pair in report.counts.items()]),
        f"<p>{_counted(report)}</p>",
        "<h2>When</h2>",
        legend(),
        dots("Alerts and what is missing, by class, over the run", _course(report), axis="s since the start"),
        dots("From cause to alarm, by class", _delays(report), axis="s"),
        "<h2>Seconds to alarm</h2>",
        _table(["class", "n", "p50", "p90", "p99", "most"], [
            [escape(name), f"{each.count}", *(f"{value:.2f}" for value in (each.p50, each.p90, each.p99, each.most))]
            for name, each in report.times().items()
        ]),
        "<h2>Which rule said what</h2>",
        _confusion(report),
        "<h2>Messages</h2>",
        _messages(report),
        *_lists(report),
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def _counted(report: Report) -> str:
    score = report.score
    return (
        f"{len(score.found)} alerts found, {len(score.explained)} more are explained, {len(score.undecided)} were not "
        f"due yet, {len(score.own)} Firetower tells of itself."
    )


def _judged(name: str, count: int, limit: int) -> list[str]:
    mark = '<span class="good">ok</span>' if count <= limit else '<span class="bad">beyond</span>'
    return [escape(name), f"{count}", f"{limit}", mark]


def _course(report: Report) -> list[Dot]:
    run, score = report.log.run, report.score
    found = [
        Dot(each.alert.alert_class, (each.alert.raised_at - run.wall) / SECOND,
            "late" if each.late else "found", each.alert.words)
        for each in score.found
    ]  # fmt: skip
    missed = [
        Dot(each.alert_class, (run.real(each.at) - run.wall) / SECOND, "missed", each.words) for each in score.missed
    ]
    others = [(alert, "false") for alert, _ in score.false] + [(alert, "duplicate") for alert, _ in score.duplicate]
    return [
        *found, *missed,
        *(Dot(alert.alert_class, (alert.raised_at - run.wall) / SECOND, kind, alert.words) for alert, kind in others),
    ]  # fmt: skip


def _delays(report: Report) -> list[Dot]:
    return [
        Dot(each.expected.alert_class, each.after / SECOND, "late" if each.late else "found", each.alert.words)
        for each in report.score.found
    ]


def _confusion(report: Report) -> str:
    table = confusion(report.score)
    rules = sorted({rule for row in table.values() for rule in row})
    rows = [
        [escape(truth), ", ".join(f"{escape(rule)} {row[rule]}" for rule in rules if rule in row)]
        for truth, row in table.items()
    ]
    return _table(["what was true", "said by"], rows, words=True)


def _messages(report: Report) -> str:
    of = report.account
    figures: dict[str, float] = {f"published, {lane}": count for lane, count in of.published.items()}
    figures |= {"acknowledged": of.acked, "lost on the way": of.lost_on_the_way}
    if of.known:
        figures |= {f"received, {lane}": count for lane, count in of.received.items()}
        figures |= {"unusable, sent": of.unusable, "rejected": sum(of.rejected.values())}
    plots = bars("Messages, from the devices to the service", figures, axis="messages")
    if not of.known:
        return plots + "<p>The service does not tell what it received and stored.</p>"
    readings = {"sent": of.readings, "stored": of.stored, "repeats": of.repeated}
    return plots + bars("Readings", {name: float(value) for name, value in readings.items()}, axis="readings")


def _lists(report: Report) -> list[str]:
    score = report.score
    lists = {
        "Missed": [each.words for each in score.missed],
        "False": [f"{alert.words}: {why}" for alert, why in score.false],
        "Duplicate": [f"{alert.words}: one more of {each.words}" for alert, each in score.duplicate],
        "Late": [
            f"{each.alert.words}, after {each.after / SECOND:.1f} s: {each.expected.words}" for each in score.late
        ],
        "Acts that failed": list(report.failed),
        "Not due yet": [each.words for each in score.undecided],
        "Told of itself": [alert.words for alert in score.own],
    }
    return [
        f"<h2>{name}</h2><ol>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ol>"
        for name, lines in lists.items() if lines
    ]  # fmt: skip


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, words: bool = False) -> str:
    cells = "".join(f"<th>{escape(each)}</th>" for each in head)
    body = "".join("<tr>" + "".join(f"<td>{each}</td>" for each in row) + "</tr>" for row in rows)
    kind = ' class="words"' if words else ""
    return f"<table{kind}><tr>{cells}</tr>{body}</table>"
