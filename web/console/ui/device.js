// 设备户籍: what a device is, what it last said, its history from a minute to a year, its alerts, and how well it reports.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { age, integer, moment, quantity, t, titleIn, titleOf, word } from "../core/i18n.js";
import { Chart } from "./chart.js";
import { Asking, useAnswer } from "./entries.js";
import { Symbol } from "./symbol.js";
import { Quality, Refused, SelfTests, Windows } from "./upkeep.js";

const HOUR_MS = 3_600_000;
const RANGES = [["hour", HOUR_MS], ["day", 24 * HOUR_MS], ["week", 168 * HOUR_MS], ["month", 730 * HOUR_MS], ["year", 8_760 * HOUR_MS]];
const LATEST_MS = 10_000;
const LEAST_MS = 60_000;
const NEWEST_MS = 120_000;
const ALERTS = 30;
const ALERTS_MS = 15_000;
const POINTS = 200;

export function DevicePanel({ desk }) {
  const subject = desk.subject.value;
  if (!subject?.device) return html`<p>${t("device.none")}</p>`;
  return html`<${File} key=${`${subject.unit}/${subject.device}`} desk=${desk} unit=${subject.unit} device=${subject.device} />`;
}

function File({ desk, unit, device }) {
  const file = useAnswer(() => desk.api.device(unit, device), [unit, device], LATEST_MS);
  const latest = useAnswer(() => desk.api.latest(unit, device), [unit, device], LATEST_MS);
  const limits = useAnswer(() => desk.api.get(`/devices/${encodeURIComponent(unit)}/${encodeURIComponent(device)}/limits`), [unit, device]);
  const [metric, setMetric] = useState("");
  const [span, setSpan] = useState(() => ({ from: desk.clock.now() - 24 * HOUR_MS, to: desk.clock.now() }));
  if (!file.data) return html`<${Asking} answer=${file} />`;
  const now = desk.now.value;
  const known = file.data;
  const metrics = [...new Set((latest.data?.items ?? []).map((item) => item.metric.split(".")[0]))];
  const shown = metric || metrics[0];
  const uom = latest.data?.items.find((item) => item.metric.split(".")[0] === shown)?.uom ?? "";
  const facts = [
    ["kind", [word("kind", known.kind), known.model].filter(Boolean).join(" · ")],
    ["status", `${word("status", known.status)}${known.last_seen_at ? ` · ${t("device.seen", { age: age(now - Date.parse(known.last_seen_at)) })}` : ""}`],
    ["place", [known.place, known.zone].filter(Boolean).join(" · ")],
    ["main", known.main], ["gateway", known.gateway],
    ["interval", t("device.every", { n: integer(known.interval_s) })],
    ["registered", `${moment(Date.parse(known.registered_at), now)} · ${known.registered_by}`],
    ["retired", known.retired_at && moment(Date.parse(known.retired_at), now)],
    ["attributes", Object.entries(known.attributes).map(([name, value]) => `${name} ${quantity(value)}`).join(" · ")],
  ];
  return html`<div class="file" data-device=${`${unit}/${device}`}>
    ${file.error && html`<${Asking} answer=${file} />`}
    <h3>${known.unit_name || unit} · ${device}</h3>
    <button class="link" onClick=${() => desk.openUnit(unit)}>${t("unit.open", { unit: known.unit_name || unit })}</button>
    <dl class="facts">${facts.map(([name, value]) => value && html`<div key=${name}><dt>${t(`device.${name}`)}</dt><dd class="num">${value}</dd></div>`)}</dl>
    <h3>${t("device.latest")}</h3>
    <${Asking} answer=${latest} none=${latest.data?.items.length === 0 ? t("device.silent") : ""} />
    <ul class="latest">${latest.data?.items.map((item) => html`<li key=${item.metric}>
      <button aria-pressed=${item.metric.split(".")[0] === shown} onClick=${() => setMetric(item.metric.split(".")[0])}>${word("metric", item.metric.split(".")[0])} ${item.metric.split(".")[1] ?? ""}
        <b class="num">${quantity(item.value)} <small>${word("uom", item.uom)}</small></b></button>
      <small class="muted num">${age(now - Date.parse(item.ts))}${item.quality === "good" ? "" : ` · ${word("quality", item.quality)}`}</small></li>`)}</ul>
    ${shown && html`<${History} desk=${desk} unit=${unit} device=${device} metric=${shown} uom=${uom} span=${span} setSpan=${setSpan} limits=${limits.data?.items ?? []} />`}
    ${limits.error && html`<p class="trouble" role="alert">${limits.error}</p>`}
    <h3>${t("device.alerts")}</h3>
    <${PagedAlerts} desk=${desk} which=${{ unit, device }} />
    <${Quality} desk=${desk} unit=${unit} device=${device} quality=${known.quality} />
    <${Refused} desk=${desk} unit=${unit} device=${device} />
    <${Windows} desk=${desk} unit=${unit} device=${known} />
    <${SelfTests} desk=${desk} unit=${unit} />
    ${known.points?.length > 0 && html`<${Points} points=${known.points} />`}
  </div>`;
}

/** From a year to a minute: drawn over with the pointer, or by its buttons. The limits in force stand in it, those too far off are named below. */
function History({ desk, unit, device, metric, uom, span, setSpan, limits }) {
  const { from, to } = span;
  const length = to - from;
  const now = desk.clock.now();
  const show = (start, end) => {
    const until = Math.min(end, desk.clock.now());
    setSpan({ from: until - Math.max(end - start, LEAST_MS), to: until });
  };
  const [drawing, setDrawing] = useState(true);
  const middle = now - to < NEWEST_MS ? to : (from + to) / 2; // closer to the newest, where that is in sight
  const lines = limits.filter((limit) => limit.metric === metric);
  const drawn = lines.flatMap((limit) => [limit.value, limit.high].filter((value) => value !== null).map((value) => ({ value, look: String(limit.priority), word: `${word("priority", limit.priority)}${limit.shadow ? ` (${t("rules.shadow")})` : ""}` })));
  return html`<div class="ranges" role="group" aria-label=${t("chart.span")}>${RANGES.map(([name, ms]) => html`<button key=${name} data-range=${name} aria-pressed=${Math.round(length / 1000) === Number(ms) / 1000 && now - to < NEWEST_MS} onClick=${() => setSpan({ from: desk.clock.now() - Number(ms), to: desk.clock.now() })}>${t(`chart.${name}`)}</button>`)}</div>
    <div class="ranges" role="group" aria-label=${t("chart.moving")}>
      <button data-move="earlier" onClick=${() => show(from - length / 2, to - length / 2)}>◀ ${t("chart.earlier")}</button><button data-move="later" disabled=${now - to < 1_000} onClick=${() => show(from + length / 2, to + length / 2)}>${t("chart.later")} ▶</button>
      <button data-move="closer" disabled=${length <= LEAST_MS} onClick=${() => (middle === to ? show(to - length / 3, to) : show(middle - length / 6, middle + length / 6))}>${t("chart.closer")}</button><button data-move="farther" onClick=${() => (middle === to ? show(to - length * 3, to) : show(middle - length * 1.5, middle + length * 1.5))}>${t("chart.farther")}</button></div>
    <p class="muted num" role="status" data-span=${Math.round(length / 1000)}>${t("chart.from_to", { from: moment(from, now), to: moment(to, now), length: age(length) })}</p>
    <${Chart} desk=${desk} unit=${unit} device=${device} metric=${metric} uom=${uom} from=${from} to=${to} limits=${drawing ? drawn : []} onZoom=${(start, end) => show(start, end)} />
    ${lines.length > 0 && html`<label class="choice"><input type="checkbox" name="limits" checked=${drawing} onChange=${() => setDrawing(!drawing)} /> ${t("chart.limits")}</label><ul class="plain limits" data-limits=${lines.length}>${lines.map((limit, i) => html`<li key=${i}><span class="tag">${word("priority", limit.priority)}</span> ${titleIn(limit.title)}: <span class="num">${word("side", limit.side)} ${quantity(limit.value)}${limit.high === null ? "" : `–${quantity(limit.high)}`} ${word("uom", limit.uom)}${limit.clear === null ? "" : ` · ${t("chart.clear", { limit: quantity(limit.clear) })}`}${limit.on_delay_s ? ` · ${t("chart.delay", { s: quantity(limit.on_delay_s) })}` : ""}</span>${limit.overridden ? ` · ${t("chart.overridden")}` : ""}</li>`)}</ul>`}`;
}

/** Alerts page by page, open and closed ones. */
export function PagedAlerts({ desk, which }) {
  const key = JSON.stringify(which);
  const [more, setMore] = useState({ items: /** @type {any[]} */ ([]), cursor: /** @type {string | null | undefined} */ (undefined), error: "" });
  const first = useAnswer(() => desk.api.get("/alerts", { ...which, limit: ALERTS }), [key], ALERTS_MS);
  const cursor = more.cursor === undefined ? first.data?.next_cursor : more.cursor;
  const read = async () => {
    const answer = await desk.api.get("/alerts", { ...which, limit: ALERTS, cursor });
    setMore((before) => (answer.ok ? { items: [...(before.items.length ? before.items : first.data.items), ...answer.data.items], cursor: answer.data.next_cursor, error: "" } : { ...before, error: t("board.failed", { message: answer.message }) }));
  };
  const items = more.items.length ? more.items : (first.data?.items ?? []); // whoever reads on is not moved
  return html`<${Asking} answer=${first} none=${first.data && !items.length ? t("device.no_alerts") : ""} />
    <${AlertEntries} desk=${desk} items=${items} />
    ${more.error && html`<p class="trouble" role="alert">${more.error}</p>`}
    ${cursor && html`<p><button data-more-alerts onClick=${read}>${t("device.more_alerts", { n: integer(items.length) })}</button></p>`}`;
}

/** 点位 of a panel, found by number or place. */
function Points({ points }) {
  const [words, setWords] = useState("");
  const wanted = words.trim().toLowerCase();
  const found = wanted ? points.filter(({ component, place, zone }) => `${component} ${place} ${zone ?? ""}`.toLowerCase().includes(wanted)) : points;
  return html`<h3>${t("device.points", { n: integer(points.length) })}</h3>
    ${points.length > 10 && html`<label>${t("device.find_point")} <input name="point" value=${words} onInput=${(event) => setWords(event.currentTarget.value)} /></label><p class="muted num" role="status" data-found=${found.length}>${t("device.points_found", { n: integer(found.length), all: integer(points.length) })}</p>`}
    <ul class="points">${found.slice(0, POINTS).map((point) => html`<li key=${point.component}><b>${point.component}</b> ${point.place} ${point.zone ?? ""}</li>`)}</ul>
    ${found.length > POINTS && html`<p class="why">${t("device.points_more", { n: integer(POINTS) })}</p>`}`;
}

/** Alerts, each a way to it. */
export function AlertEntries({ desk, items }) {
  const now = desk.now.value;
  const standing = items.map((each) => desk.alarms.open.get(each.id) ?? each); // as it stands by now
  return html`<ul class="entries">${standing.map((alert) => html`<li key=${alert.id}><button class="entry" onClick=${() => (alert.state === "closed" ? desk.selectClosed(alert) : desk.lookAt(alert.id))}>
    <${Symbol} priority=${alert.priority} /><span><b>${titleOf(alert)}</b> ${alert.place ?? ""}</span><span class="num">${moment(Date.parse(alert.raised_at), now)} ${word("state", alert.state)}</span></button></li>`)}</ul>`;
}
