// 总览: how the city's protection and the centre did in this shift; large enough to be read from the wall.
import { html } from "../vendor/htm-preact.mjs";
import { integer, percent, quantity, t, titleIn, word } from "../core/i18n.js";
import { Asking, useAnswer } from "./entries.js";

const EVERY_MS = 15_000;

export function OverviewPanel({ desk }) {
  const shifts = useAnswer(() => desk.api.shifts(1), [], EVERY_MS);
  const id = shifts.data?.items[0]?.id ?? "";
  const report = useAnswer(() => (id ? desk.api.shift(id) : Promise.resolve({ ok: true, data: null })), [id], EVERY_MS);
  const actors = useAnswer(() => desk.api.badActors(7, 10), [], EVERY_MS * 4);
  const kpis = desk.feedStatus.value === "live" ? desk.kpis.value : null;
  const devices = kpis?.devices;
  const rate = (part, all) => (all ? percent(part / all) : t("rate.unknown"));
  const seconds = (value) => (value === null || value === undefined ? "–" : t("age.precise", { s: quantity(value) }));
  return html`<div class="overview">
    <div class="figures">
      <${Figure} name="online" value=${devices ? rate(devices.online, devices.total) : "–"} note=${devices ? t("overview.of_devices", { n: integer(devices.online), all: integer(devices.total) }) : ""} />
      <${Figure} name="connected" value=${devices ? rate(devices.total - devices.never_seen, devices.total) : "–"} note=${t("overview.connected_note")} />
      <${Figure} name="rate" value=${kpis ? integer(Math.round(kpis.messages_per_second)) : "–"} note=${t("overview.per_second")} />
      <${Figure} name="flood" value=${kpis ? integer(kpis.flood.alarms_10min) : "–"} note=${t("overview.operators", { n: integer(kpis?.flood.operators ?? 0) })} />
    </div>
    <h3>${t("overview.shift")} ${id.replace("T", " ")}</h3>
    <${Asking} answer=${report} />
    ${report.data && html`<dl class="facts">
      <div><dt>${t("overview.raised")}</dt><dd class="num">${report.data.raised.map((each) => `${word("class", each.class)} ${each.priority}: ${integer(each.count)}`).join(" · ") || "0"}</dd></div>
      <div><dt>${t("overview.acknowledge_fire")}</dt><dd class="num">${t("overview.delay", { median: seconds(report.data.everyone.acknowledge_fire.median_s), p95: seconds(report.data.everyone.acknowledge_fire.p95_s) })}</dd></div>
      <div><dt>${t("overview.each")}</dt><dd class="num">${t("overview.each_of", { average: quantity(report.data.rate.average_10min), peak: quantity(report.data.rate.peak_10min) })}</dd></div>
      <div><dt>${t("overview.in_flood")}</dt><dd class="num">${percent(report.data.rate.in_flood_percent / 100)}</dd></div>
      <div><dt>${t("overview.open")}</dt><dd class="num">${t("overview.open_of", { open: integer(report.data.open_at_end), stale: integer(report.data.stale), chattering: integer(report.data.chattering), escalations: integer(report.data.escalations) })}</dd></div>
    </dl>`}
    <h3>${t("overview.bad_actors")}</h3>
    <${Asking} answer=${actors} none=${actors.data?.items.length === 0 ? t("overview.no_bad_actors") : ""} />
    <ol class="entries">${actors.data?.items.map((each) => html`<li key=${`${each.rule} ${each.subject} ${each.component}`}><button class="entry" onClick=${() => each.device && desk.openDevice(each.unit, each.device)}>
      <b>${titleIn({ zh: each.title_zh, en: each.title_en })}</b><span>${each.subject} ${each.place ?? ""}</span><span class="num">${t("overview.times", { raised: integer(each.raised), occurrences: integer(each.occurrences) })}</span></button></li>`)}</ol>
  </div>`;
}

const Figure = ({ name, value, note }) => html`<div class="figure" data-figure=${name}><span class="small">${t(`overview.${name}`)}</span><b class="num">${value}</b><span class="muted">${note}</span></div>`;
