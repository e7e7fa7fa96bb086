// 总览: how the city's protection and the centre stand: the rates, what is unprotected, the load, this shift, bad actors.
import { monotonic } from "../core/clock.js";
import { html } from "./html.js";
import { age, integer, quantity, t, titleIn, word } from "../core/i18n.js";
import { whereIs } from "./board.js";
import { Aged, Asking, useAnswer } from "./entries.js";
import { Icon } from "./icons.js";
import { Rates, RatesBy, useRates } from "./rates.js";
import { ShiftReport } from "./shiftreport.js";
import { eachOf } from "./strip.js";

const EVERY_MS = 15_000;
const OLD_MS = 60_000;
const GAPS = 4;

export function OverviewPanel({ desk }) {
  const shifts = useAnswer(() => desk.api.shifts(1), [], EVERY_MS);
  const id = shifts.data?.items[0]?.id ?? "";
  const actors = useAnswer(() => desk.api.badActors(7, 10), [], EVERY_MS * 4);
  const rates = useRates(desk, "kind,grid");
  desk.now.value; // ages follow the clock
  return html`<div class="overview">
    <a class="wall-link" href="?wall=1" target="_blank" rel="noopener"><${Icon} name="wall" />${t("wall.open")}</a>
    <${Rates} desk=${desk} rates=${rates} />
    <${Unprotected} desk=${desk} />
    <h3>${t("overview.service")}</h3>
    <${Load} desk=${desk} />
    <${RatesBy} desk=${desk} rates=${rates} />
    <h3>${t("overview.shift")} ${id.replace("T", " ")}</h3>
    <${ShiftReport} key=${id} desk=${desk} id=${id} everyMs=${EVERY_MS} people=${false} />
    <h3>${t("overview.bad_actors")}</h3>
    <${Asking} answer=${actors} none=${actors.data?.items.length === 0 ? t("overview.no_bad_actors") : ""} />
    <${Aged} ms=${actors.at ? monotonic() - actors.at : 0} forMs=${OLD_MS * 4}>
      <ol class="entries">${actors.data?.items.map((each) => html`<li key=${`${each.rule} ${each.subject} ${each.component}`}><button class="entry" onClick=${() => each.device && desk.openDevice(each.unit, each.device)}>
        <b>${titleIn({ zh: each.title_zh, en: each.title_en })}</b><span>${each.subject} ${each.place ?? ""}</span><span class="num">${t("overview.times", { raised: integer(each.raised), occurrences: integer(each.occurrences) })}</span></button></li>`)}</ol>
    </${Aged}>
  </div>`;
}

/** What is not protected now; the board lists all of it. */
export const useUnprotected = (desk) => useAnswer(() => desk.api.notProtected(), [], EVERY_MS);

function Unprotected({ desk }) {
  const gaps = useUnprotected(desk);
  const items = gaps.data?.items ?? [];
  return html`<h3>${t("panel.board")} ${gaps.data && html`<b class="num" data-unprotected>${integer(items.length + (gaps.data.more ?? 0))}</b>`}</h3>
    <${Asking} answer=${gaps} none=${gaps.data && items.length === 0 ? t("board.none") : ""} />
    <${Aged} ms=${gaps.at ? monotonic() - gaps.at : 0} forMs=${OLD_MS}>
      <ul class="entries">${items.slice(0, GAPS).map((gap, i) => html`<li key=${`${gap.kind}-${gap.id ?? gap.alert_id ?? i}`} class="entry gap"><b class="tag">${word("gap", gap.kind)}</b><span><b>${titleIn(gap.what)}</b> ${whereIs(gap)}</span></li>`)}</ul>
      ${items.length > 0 && html`<p><button data-opens="board" onClick=${() => desk.openPanel("board")}>${t("overview.board")} <kbd>B</kbd></button></p>`}
    </${Aged}>`;
}

/** The load on people and on the service, as the live feed says it; nothing of it while that is lost. */
function Load({ desk }) {
  const kpis = desk.feedStatus.value === "live" ? desk.kpis.value : null;
  const { canary } = desk;
  return html`<div class="figures">
    <${Figure} name="each" value=${kpis ? eachOf(kpis.flood) : "–"} note=${kpis ? t("overview.flood_of", { n: integer(kpis.flood.alarms_10min), operators: integer(kpis.flood.operators) }) : ""} />
    <${Figure} name="rate" value=${kpis ? integer(Math.round(kpis.messages_per_second)) : "–"} note=${t("overview.per_second")} />
    <${Figure} name="lag_alarm" value=${lagOf(kpis, "alarm")} note=${t("overview.behind")} />
    <${Figure} name="lag_telemetry" value=${lagOf(kpis, "telemetry")} note=${t("overview.behind")} />
    <${Figure} name="store" value=${kpis ? word("part", kpis.store) : "–"} />
    <${Figure} name="broker" value=${kpis ? word("part", kpis.broker) : "–"} />
    <${Figure} name="canary" value=${kpis && canary.known && canary.sentAt !== null ? age(canary.age()) : "–"} note=${t("overview.canary_note")} />
  </div>`;
}

/** How far a lane is behind; a node that takes nothing in does not know. */
export function lagOf(kpis, lane) {
  const lag = kpis?.lag_s?.[lane];
  return lag === null || lag === undefined ? "–" : t("age.precise", { s: quantity(lag) });
}

const Figure = ({ name, value, note = "" }) => html`<div class="figure" data-figure=${name}><span class="small">${t(`overview.${name}`)}</span><b class="num">${value}</b><span class="muted">${note}</span></div>`;
