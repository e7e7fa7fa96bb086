// 总览: how the city's protection and the centre did in this shift; large enough to be read from the wall.
import { html } from "../vendor/htm-preact.mjs";
import { integer, percent, t, titleIn } from "../core/i18n.js";
import { Asking, useAnswer } from "./entries.js";
import { ShiftReport } from "./shiftreport.js";

const EVERY_MS = 15_000;

export function OverviewPanel({ desk }) {
  const shifts = useAnswer(() => desk.api.shifts(1), [], EVERY_MS);
  const id = shifts.data?.items[0]?.id ?? "";
  const actors = useAnswer(() => desk.api.badActors(7, 10), [], EVERY_MS * 4);
  const kpis = desk.feedStatus.value === "live" ? desk.kpis.value : null;
  const devices = kpis?.devices;
  const rate = (part, all) => (all ? percent(part / all) : t("rate.unknown"));
  return html`<div class="overview">
    <div class="figures">
      <${Figure} name="online" value=${devices ? rate(devices.online, devices.total) : "–"} note=${devices ? t("overview.of_devices", { n: integer(devices.online), all: integer(devices.total) }) : ""} />
      <${Figure} name="connected" value=${devices ? rate(devices.total - devices.never_seen, devices.total) : "–"} note=${t("overview.connected_note")} />
      <${Figure} name="rate" value=${kpis ? integer(Math.round(kpis.messages_per_second)) : "–"} note=${t("overview.per_second")} />
      <${Figure} name="flood" value=${kpis ? integer(kpis.flood.alarms_10min) : "–"} note=${t("overview.operators", { n: integer(kpis?.flood.operators ?? 0) })} />
    </div>
    <h3>${t("overview.shift")} ${id.replace("T", " ")}</h3>
    <${ShiftReport} key=${id} desk=${desk} id=${id} everyMs=${EVERY_MS} people=${false} />
    <h3>${t("overview.bad_actors")}</h3>
    <${Asking} answer=${actors} none=${actors.data?.items.length === 0 ? t("overview.no_bad_actors") : ""} />
    <ol class="entries">${actors.data?.items.map((each) => html`<li key=${`${each.rule} ${each.subject} ${each.component}`}><button class="entry" onClick=${() => each.device && desk.openDevice(each.unit, each.device)}>
      <b>${titleIn({ zh: each.title_zh, en: each.title_en })}</b><span>${each.subject} ${each.place ?? ""}</span><span class="num">${t("overview.times", { raised: integer(each.raised), occurrences: integer(each.occurrences) })}</span></button></li>`)}</ol>
  </div>`;
}

const Figure = ({ name, value, note }) => html`<div class="figure" data-figure=${name}><span class="small">${t(`overview.${name}`)}</span><b class="num">${value}</b><span class="muted">${note}</span></div>`;
