// 设备户籍: what a device is, what it last said, its history from a minute to a year, its alerts, and how well it reports.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { age, integer, moment, quantity, t, titleOf, word } from "../core/i18n.js";
import { Chart } from "./chart.js";
import { Asking, useAnswer } from "./entries.js";
import { Symbol } from "./symbol.js";

const HOUR_MS = 3_600_000;
const RANGES = [["hour", HOUR_MS], ["day", 24 * HOUR_MS], ["week", 168 * HOUR_MS], ["month", 730 * HOUR_MS], ["year", 8_760 * HOUR_MS]];
const LATEST_MS = 10_000;

export function DevicePanel({ desk }) {
  const subject = desk.subject.value;
  if (!subject?.device) return html`<p>${t("device.none")}</p>`;
  return html`<${File} key=${`${subject.unit}/${subject.device}`} desk=${desk} unit=${subject.unit} device=${subject.device} />`;
}

function File({ desk, unit, device }) {
  const file = useAnswer(() => desk.api.device(unit, device), [unit, device]);
  const latest = useAnswer(() => desk.api.latest(unit, device), [unit, device], LATEST_MS);
  const alerts = useAnswer(() => desk.api.alertsOf({ unit, device }), [unit, device]);
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
    ["missed", t("device.gaps", { missed: integer(known.quality.seq_missed), repeated: integer(known.quality.seq_repeated) })],
    ["skew", known.quality.clock_skew_s !== null && t("device.skew", { s: quantity(known.quality.clock_skew_s) })],
    ["attributes", Object.entries(known.attributes).map(([name, value]) => `${name} ${quantity(value)}`).join(" · ")],
  ];
  return html`<div class="file" data-device=${`${unit}/${device}`}>
    <h3>${known.unit_name || unit} · ${device}</h3>
    <button class="link" onClick=${() => desk.openUnit(unit)}>${t("unit.open", { unit: known.unit_name || unit })}</button>
    <dl class="facts">${facts.map(([name, value]) => value && html`<div key=${name}><dt>${t(`device.${name}`)}</dt><dd class="num">${value}</dd></div>`)}</dl>
    <h3>${t("device.latest")}</h3>
    <${Asking} answer=${latest} none=${latest.data?.items.length === 0 ? t("device.silent") : ""} />
    <ul class="latest">${latest.data?.items.map((item) => html`<li key=${item.metric}>
      <button aria-pressed=${item.metric.split(".")[0] === shown} onClick=${() => setMetric(item.metric.split(".")[0])}>${word("metric", item.metric.split(".")[0])} ${item.metric.split(".")[1] ?? ""}
        <b class="num">${quantity(item.value)} <small>${word("uom", item.uom)}</small></b></button>
      <small class="muted num">${age(now - Date.parse(item.ts))}${item.quality === "good" ? "" : ` · ${word("quality", item.quality)}`}</small></li>`)}</ul>
    ${shown && html`<div class="ranges" role="group" aria-label=${t("chart.span")}>${RANGES.map(([name, ms]) => html`<button key=${name} onClick=${() => setSpan({ from: desk.clock.now() - Number(ms), to: desk.clock.now() })}>${t(`chart.${name}`)}</button>`)}</div>
      <${Chart} desk=${desk} unit=${unit} device=${device} metric=${shown} uom=${uom} from=${span.from} to=${span.to} onZoom=${(from, to) => to - from > 60_000 && setSpan({ from, to })} />`}
    <h3>${t("device.alerts")}</h3>
    <${Asking} answer=${alerts} none=${alerts.data?.items.length === 0 ? t("device.no_alerts") : ""} />
    <${AlertEntries} desk=${desk} items=${alerts.data?.items ?? []} />
    ${known.points?.length > 0 && html`<h3>${t("device.points", { n: integer(known.points.length) })}</h3><ul class="points">${known.points.slice(0, 200).map((point) => html`<li key=${point.component}><b>${point.component}</b> ${point.place} ${point.zone ?? ""}</li>`)}</ul>`}
  </div>`;
}

/** Alerts, each a way to it. */
export function AlertEntries({ desk, items }) {
  const now = desk.now.value;
  return html`<ul class="entries">${items.map((alert) => html`<li key=${alert.id}><button class="entry" onClick=${() => (alert.state === "closed" ? desk.selectClosed(alert) : desk.select(alert.id))}>
    <${Symbol} priority=${alert.priority} /><span><b>${titleOf(alert)}</b> ${alert.place ?? ""}</span><span class="num">${moment(Date.parse(alert.raised_at), now)} ${word("state", alert.state)}</span></button></li>`)}</ul>`;
}
