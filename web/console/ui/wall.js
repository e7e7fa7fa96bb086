// 大屏: the room's display, read from five metres, without keyboard and without sound: fires by name, open alerts, rates, what is unprotected.
// It is no seat: it never says that it sounds or that somebody is there, so it neither counts as an operator nor as having shown an alarm.
import { html } from "./html.js";
import { monotonic } from "../core/clock.js";
import { age, clockTime, day, integer, percent, t, titleIn, titleOf, word } from "../core/i18n.js";
import { demands, isFire, isTesting } from "../core/marks.js";
import { isProvisional } from "../core/provisional.js";
import { RATES } from "../core/rates.js";
import { PRIORITIES } from "../core/tally.js";
import { whereIs } from "./board.js";
import { Icon } from "./icons.js";
import { lagOf, useUnprotected } from "./overview.js";
import { ageOf, Bar, OLD_MS, rateText, Reached, useRates } from "./rates.js";
import { placeOf, stateOf } from "./row.js";
import { eachOf } from "./strip.js";
import { Symbol } from "./symbol.js";

/** Rows of the list: what fits at any size, since the type grows with the screen. */
const ROWS = 6;
const GAPS = 3;

export function Wall({ desk }) {
  const live = desk.feedStatus.value === "live";
  return html`<main class="wall ${live ? "" : "not-live"}" data-wall-live=${live} aria-label=${t("wall.label")}>
    <${Head} desk=${desk} live=${live} />
    <${Trouble} desk=${desk} live=${live} />
    <div class="wall-body">
      <section class="wall-alerts"><${Counts} desk=${desk} live=${live} /><${Alarms} desk=${desk} live=${live} /></section>
      <section class="wall-city"><${CityRates} desk=${desk} /><${Gaps} desk=${desk} /><${Service} desk=${desk} live=${live} /></section>
    </div>
    <div class="unseen" role="status" aria-live="assertive">${desk.announcement.value}</div>
  </main>`;
}

function Head({ desk, live }) {
  const now = desk.now.value;
  const duty = desk.watch.told.value?.on_duty;
  return html`<header class="wall-head">
    <h1>望火楼 <span lang="en">Firetower</span></h1>
    <span class="wall-duty">${t("strip.watch")} <b>${!live || !duty ? "–" : duty.map(({ account }) => account).join(" ") || t("strip.nobody")}</b></span>
    <span class="wall-feed" data-feed=${desk.feedStatus.value}><${Icon} name=${live ? "live" : "lost"} />${t(`feed.${desk.feedStatus.value}`)}</span>
    <time class="num" datetime=${new Date(now).toISOString()}>${day(now)} <b>${clockTime(now)}</b></time>
  </header>`;
}

/** One line: the worst of what makes the display untrue. */
function Trouble({ desk, live }) {
  const kpis = desk.kpis.value;
  const status = desk.feedStatus.value;
  let words = "";
  if (!live) words = `${t(`feed.${status}`)}${desk.lostAt && desk.loaded.value ? ` · ${t("wall.as_of", { time: clockTime(desk.lostAt), age: age(desk.now.value - desk.lostAt) })}` : ""}`;
  else if (kpis && kpis.store !== "ok") words = t("banner.store");
  else if (kpis && kpis.broker !== "ok") words = t("banner.broker");
  else if (desk.canary.overdue()) words = t("banner.canary", { age: age(desk.canary.age()) });
  return words && html`<p class="wall-trouble" role="alert" data-wall-trouble><${Icon} name="warning" />${words}</p>`;
}

function Counts({ desk, live }) {
  const counts = desk.counts.value;
  return html`<div class="wall-counts" role="group" aria-label=${t("header.counts")}>${PRIORITIES.map((priority) => {
    const { open, waiting } = counts[priority];
    return html`<div key=${priority} class="wall-count ${waiting ? "waiting" : ""}">
      <${Symbol} priority=${priority} waiting=${live && waiting > 0} /><span>${word("priority", priority)}</span>
      <b class="num" data-open=${priority}>${desk.loaded.value ? integer(open) : "–"}</b>
      <span class="num">${t("header.waiting", { n: integer(waiting) })}</span>
    </div>`;
  })}</div>`;
}

/** Fires first and newest first, then what else of priority 1 and 2 waits. What does not fit is counted: a fire always by that word. */
function Alarms({ desk, live }) {
  const { queue } = desk.view.value;
  const fires = queue.filter(isFire).sort((a, b) => Number(isTesting(a)) - Number(isTesting(b)) || Number(demands(b)) - Number(demands(a)) || b.raisedMs - a.raisedMs);
  const others = queue.filter((alert) => !isFire(alert) && alert.priority <= 2 && demands(alert));
  const all = [...fires, ...others];
  const shown = all.length > ROWS ? all.slice(0, ROWS - 1) : all;
  const moreFires = fires.length - shown.filter(isFire).length;
  const more = all.length - shown.length;
  return html`<ol class="wall-list" aria-label=${t("wall.alarms")}>
    ${shown.map((alert) => html`<li key=${alert.id} class="wall-row ${isTesting(alert) ? "testing" : ""} ${isProvisional(alert) ? "unstored" : ""}" data-wall-row=${alert.class} data-id=${alert.id}>
      <${Symbol} priority=${alert.priority} waiting=${live && demands(alert)} />
      <span class="wall-what"><b>${isTesting(alert) ? `${word("flag", "in_test")} ` : ""}${titleOf(alert)}</b> <span>${stateOf(alert)}</span></span>
      <span class="num wall-age">${age(desk.now.value - alert.raisedMs)}</span>
      <span class="wall-place">${placeOf(alert)}</span>
    </li>`)}
    ${more > 0 && html`<li class="wall-row wall-more" data-wall-more=${more}><b>${moreFires > 0 ? t("wall.more_fires", { n: integer(moreFires) }) : ""} ${more - moreFires > 0 ? t("wall.more_others", { n: integer(more - moreFires) }) : ""}</b></li>`}
    ${all.length === 0 && desk.loaded.value && html`<li class="wall-none">${t("wall.quiet")}</li>`}
  </ol>`;
}

function CityRates({ desk }) {
  const { now } = useRates(desk, "");
  const { data } = now;
  const old = data && (ageOf(desk, data) > OLD_MS || !data.hearing);
  return html`<div class="wall-rates ${old ? "aged" : ""}" data-aged=${Boolean(old)}>
    ${RATES.map((name) => html`<div key=${name} class="wall-rate" data-rate=${name}>
      <span>${t(`rates.${name}`)}</span>${data ? html`<b class="num">${rateText(data.city[name])}</b><${Reached} of=${data.city[name]} /><${Bar} of=${data.city[name]} />
        <span class="num wall-of">${integer(data.city[name].count)} / ${integer(data.city[name].of)} · ${t("rates.target", { target: percent(data.city[name].target) })}</span>` : html`<b>–</b>`}
    </div>`)}
    ${old && html`<p class="aged-word">${data.hearing ? t("aged.word", { age: age(ageOf(desk, data)) }) : t("rates.not_heard")}</p>`}
  </div>`;
}

function Gaps({ desk }) {
  const gaps = useUnprotected(desk);
  const items = gaps.data?.items ?? [];
  const old = gaps.at > 0 && monotonic() - gaps.at > OLD_MS;
  return html`<div class="wall-gaps ${old ? "aged" : ""}" data-aged=${old}>
    <h2>${t("panel.board")} <b class="num" data-unprotected>${gaps.data ? integer(items.length + (gaps.data.more ?? 0)) : "–"}</b></h2>
    <ul>${items.slice(0, GAPS).map((gap, i) => html`<li key=${i}><b>${word("gap", gap.kind)}</b> ${titleIn(gap.what)} ${whereIs(gap)}</li>`)}</ul>
  </div>`;
}

function Service({ desk, live }) {
  const kpis = live ? desk.kpis.value : null;
  const { canary } = desk;
  const fact = (name, value) => html`<div key=${name} data-figure=${name}><span>${t(`overview.${name}`)}</span> <b class="num">${value}</b></div>`;
  return html`<div class="wall-service">
    ${fact("each", kpis ? eachOf(kpis.flood) : "–")}
    ${fact("rate", kpis ? `${integer(Math.round(kpis.messages_per_second))} ${t("overview.per_second")}` : "–")}
    ${fact("lag_alarm", lagOf(kpis, "alarm"))}
    ${fact("canary", kpis && canary.known && canary.sentAt !== null ? age(canary.age()) : "–")}
  </div>`;
}
