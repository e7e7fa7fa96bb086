// 接入率、在线率、完好率 against their targets: bars with the target's mark, what of what, and the last 30 days.
import { html } from "./html.js";
import { clockTime, integer, moment, percent, t, word } from "../core/i18n.js";
import { cut, floorOf, RATES, runsOf, seriesOf } from "../core/rates.js";
import { Aged, Asking, useAnswer } from "./entries.js";
import { Icon } from "./icons.js";

const EVERY_MS = 20_000;
const DAYS_EVERY_MS = 600_000;
/** What was counted longer ago is not now: three times that nothing came. */
export const OLD_MS = 75_000;
const GRIDS = 10;

/** Now, and the days that are over; asked again and again. */
export function useRates(desk, by) {
  return { now: useAnswer(() => desk.api.rates(by), [by], EVERY_MS), days: useAnswer(() => desk.api.rateDays(), [], DAYS_EVERY_MS) };
}

/** How old the figures are, ms by the server's clock. */
export const ageOf = (desk, data) => (data ? desk.now.value - Date.parse(data.as_of) : 0);

/** A rate in words; of nothing it is not known, neither 0 nor 100 %. */
export const rateText = ({ rate }) => (rate === null ? t("rate.unknown") : percent(cut(rate)));

/** The city's three rates; `rates`: of useRates. */
export function Rates({ desk, rates: { now, days } }) {
  const { data } = now;
  const items = days.data?.items ?? [];
  return html`<${Asking} answer=${now} />
    ${data && html`<${Aged} ms=${ageOf(desk, data)} forMs=${OLD_MS}>
      ${!data.hearing && html`<p class="trouble" role="alert">${t("rates.not_heard")}</p>`}
      <div class="rates">${RATES.map((name) => html`<${Rate} key=${name} name=${name} of=${data.city[name]} days=${items} />`)}</div>
      <p class="muted num">${t("rates.beside", { never: integer(data.city.never_reported), maintenance: integer(data.city.in_maintenance) })} · ${t("rates.as_of", { time: clockTime(Date.parse(data.as_of)) })}</p>
      <${LateDays} days=${items} />
    </${Aged}>`}`;
}

/** The same by kind of device, and of the grids that are least intact. */
export function RatesBy({ desk, rates: { now } }) {
  const { data } = now;
  return data && html`<${Aged} ms=${ageOf(desk, data)} forMs=${OLD_MS}>
      ${data.kinds.length > 0 && html`<${Table} name="kind" rows=${data.kinds.map((each) => ({ ...each, title: word("kind", each.kind) }))} open />`}
      ${data.grids.length > 0 && html`<${Table} name="grid" rows=${worstFirst(data.grids).slice(0, GRIDS).map((each) => ({ ...each, title: each.grid === null ? t("rates.no_grid") : each.name || each.grid }))} more=${data.grids.length - GRIDS} />`}
    </${Aged}>`;
}

/** Grids whose devices are least intact; those of which nothing is known last. */
const worstFirst = (grids) => [...grids].sort((a, b) => (a.intact.rate ?? 2) - (b.intact.rate ?? 2));

function Rate({ name, of, days }) {
  return html`<section class="rate" data-rate=${name} data-reached=${String(of.reached)}>
    <h4>${t(`rates.${name}`)}</h4>
    <b class="num rate-value">${rateText(of)}</b>
    <${Reached} of=${of} />
    <${Bar} of=${of} />
    <span class="num rate-count">${t(`rates.${name}_of`, { n: integer(of.count), all: integer(of.of) })}</span>
    <span class="muted num rate-target">${t("rates.target", { target: percent(of.target) })}</span>
    <${Trend} series=${seriesOf(days, name)} target=${of.target} />
  </section>`;
}

/** 达标: a word and a shape, never an alarm's colour. */
export function Reached({ of }) {
  if (of.reached === null) return html`<span class="reached muted">${t("rates.of_nothing")}</span>`;
  return html`<span class="reached ${of.reached ? "" : "not"}"><${Icon} name=${of.reached ? "reached" : "missed"} />${t(of.reached ? "rates.reached" : "rates.missed")}</span>`;
}

/** The share as a bar, its target as a mark across it. */
export function Bar({ of }) {
  const target = of.target * 100;
  return html`<svg class="rate-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
    <rect class="bar-ground" x="0" y="2" width="100" height="6" />
    ${of.rate !== null && html`<rect class="bar-share" x="0" y="2" width=${of.rate * 100} height="6" />`}
    <path class="bar-target" d="M${target} 0V10" vector-effect="non-scaling-stroke" />
  </svg>`;
}

/** The last 30 days; a day nobody counted is a gap in the line. */
function Trend({ series, target }) {
  const known = series.filter((value) => value !== null);
  if (!known.length) return html`<p class="muted rate-trend-none">${t("rates.no_days")}</p>`;
  const floor = floorOf(series, target);
  const x = (i) => (i / (series.length - 1)) * 100;
  const y = (value) => 29 - ((value - floor) / (1 - floor)) * 28;
  const said = { n: known.length, low: percent(cut(Math.min(...known))), high: percent(cut(Math.max(...known))) };
  return html`<figure class="rate-trend">
    <svg viewBox="0 0 100 30" preserveAspectRatio="none" role="img" aria-label=${t("rates.trend", said)}>
      <path class="trend-target" d="M0 ${y(target)}H100" vector-effect="non-scaling-stroke" />
      ${runsOf(series).map((run) => html`<path key=${run[0].i} class="trend-line" vector-effect="non-scaling-stroke" d=${run.length === 1 ? `M${Math.max(0, x(run[0].i) - 0.8)} ${y(run[0].value)}h1.6` : run.map(({ i, value }, n) => `${n ? "L" : "M"}${x(i)} ${y(value)}`).join("")} />`)}
    </svg>
    <figcaption class="muted num" aria-hidden="true">${t("rates.trend", said)}</figcaption>
  </figure>`;
}

/** Days that were frozen late, or that nobody counted, by name: their figures are not those of midnight. */
function LateDays({ days }) {
  const late = days.filter((day) => day.late);
  if (!late.length) return null;
  const told = late.slice(-3).map((day) => (day.as_of === null ? t("rates.gap", { day: day.day }) : t("rates.late", { day: day.day, time: moment(Date.parse(day.as_of), 0) })));
  return html`<p class="why" data-late-days>${told.join(" · ")}${late.length > 3 ? ` · ${t("list.more", { n: integer(late.length - 3) })}` : ""}</p>`;
}

function Table({ name, rows, more = 0, open = false }) {
  return html`<details class="rates-by" data-by=${name} open=${open}>
    <summary>${t(`rates.by_${name}`)}</summary>
    <table><thead><tr><th scope="col">${t(`rates.of_${name}`)}</th><th scope="col">${t("rates.online")}</th><th scope="col">${t("rates.intact")}</th></tr></thead>
      <tbody>${rows.map((row) => html`<tr key=${row.title}><th scope="row">${row.title}</th><${Cell} of=${row.online} /><${Cell} of=${row.intact} /></tr>`)}</tbody></table>
    ${more > 0 && html`<p class="muted">${t("list.more", { n: integer(more) })}</p>`}
  </details>`;
}

const Cell = ({ of }) => html`<td class="num">${of.reached === false && html`<${Icon} name="missed" />`}<b>${of.rate === null ? "–" : percent(cut(of.rate))}</b> <small>${integer(of.count)} / ${integer(of.of)}</small></td>`;

/** Of one unit's file: whether it must be connected and since when it is, and its two rates. */
export function UnitRates({ desk, file }) {
  const { connection, rates } = file;
  if (!connection || !rates) return null; // of an older service
  const why = t(connection.given === null ? "rates.by_category" : "rates.by_file");
  const since = connection.since && t("rates.since", { time: moment(Date.parse(connection.since), desk.now.value) });
  return html`<dl class="facts" data-unit-rates>
    <div><dt>${t("rates.must")}</dt><dd>${t(connection.must_connect ? "rates.must_yes" : "rates.must_no")} <span class="muted">${why}</span></dd></div>
    <div><dt>${t("rates.connected")}</dt><dd class="num">${t(connection.connected ? "rates.connected_yes" : "rates.connected_no")} ${since && html`<span class="muted">${since}</span>`}</dd></div>
    ${["online", "intact"].map((name) => html`<div key=${name}><dt>${t(`rates.${name}`)}</dt><dd class="num">${rateText(rates[name])} <small>${t(`rates.${name}_of`, { n: integer(rates[name].count), all: integer(rates[name].of) })}</small> <${Reached} of=${rates[name]} /></dd></div>`)}
    ${rates.never_reported + rates.in_maintenance > 0 && html`<div><dt>${t("rates.beside_word")}</dt><dd class="num">${t("rates.beside", { never: integer(rates.never_reported), maintenance: integer(rates.in_maintenance) })}</dd></div>`}
  </dl>`;
}
