// What must not be overlooked, across the whole width: a lost connection, a store or broker that is gone, a canary that is overdue,
// what 119 has not receipted, acts that wait, sound off, a flood.
import { html } from "./html.js";
import { age, clockTime, integer, moment, t, titleOf, word } from "../core/i18n.js";
import { isTesting } from "../core/marks.js";
import { Icon } from "./icons.js";
import { Keeping } from "./keeping.js";
import { placeOf } from "./row.js";
import { eachOf } from "./strip.js";
import { Symbol } from "./symbol.js";
import { Waiting } from "./waiting.js";

export function Banners({ desk }) {
  return html`<div class="banners">
    <${Connection} desk=${desk} />
    <${Parts} desk=${desk} />
    <${Overdue} desk=${desk} />
    <${Unreceipted} desk=${desk} />
    <${Keeping} desk=${desk} />
    <${Unlisted} desk=${desk} />
    <${Waiting} desk=${desk} />
    <${SoundOff} desk=${desk} />
    <${Missed} desk=${desk} />
    <${Flood} desk=${desk} />
  </div>`;
}

function Connection({ desk }) {
  const status = desk.feedStatus.value;
  if (status !== "lost" && status !== "stale") return null;
  const now = desk.now.value;
  const since = desk.lostAt;
  const attempt = desk.feed?.attempt.value ?? 0;
  return html`<div class="banner loud" role="alert" data-banner=${status}>
    <${Icon} name="lost" />
    <b>${t(`banner.${status}`)}</b>
    ${since && desk.loaded.value && html`<span>${t("banner.as_of", { time: moment(since, now) })} <span class="num" aria-hidden="true">${t("banner.ago", { age: age(now - since) })}</span></span>`}
    <span>${status === "lost" ? t("banner.attempt", { n: attempt }) : t("banner.waiting")}</span>
    <span>${t("banner.writes_off")}</span>
  </div>`;
}

function Parts({ desk }) {
  const kpis = desk.kpis.value;
  if (!kpis || desk.feedStatus.value !== "live") return null;
  return html`
    ${kpis.store !== undefined && kpis.store !== "ok" && html`<div class="banner loud" role="alert" data-banner="store"><${Icon} name="warning" /><b>${t("banner.store")}</b><span>${t("banner.store_more")}</span></div>`}
    ${kpis.broker !== undefined && kpis.broker !== "ok" && html`<div class="banner loud" role="alert" data-banner="broker"><${Icon} name="warning" /><b>${t("banner.broker")}</b><span>${t("banner.broker_more")}</span></div>`}
  `;
}

/** In whole minutes: said by a screen reader once a minute, not every second. */
const minutes = (ms) => t("age.whole_minutes", { m: Math.floor(ms / 60_000) });

/** 金丝雀: three missed make every seat red. */
function Overdue({ desk }) {
  desk.now.value; // its age follows the clock
  const { canary } = desk;
  const store = desk.kpis.value?.store;
  // while the store is away no canary can be committed, and the store's own banner says what that means
  if (desk.feedStatus.value !== "live" || !canary.overdue() || (store !== undefined && store !== "ok")) return null;
  return html`<div class="banner loud" role="alert" data-banner="canary"><${Icon} name="warning" />
    <b>${t(canary.sentAt === null ? "banner.canary_never" : "banner.canary", { age: minutes(canary.age()) })}</b><span>${t("banner.canary_more")}</span></div>`;
}

const NAMED = 3;

/** 未签收: what 119 has not taken, or what did not reach them: red on every seat, with the way to the telephone script. */
function Unreceipted({ desk }) {
  const red = desk.receipts.red.value;
  if (!red.length) return null;
  return html`<div class="banner loud unreceipted" role="alert" data-banner="unreceipted">
    ${red.slice(0, NAMED).map(({ alert, why }) => html`<p key=${alert.id} data-unreceipted=${alert.id} data-why=${why}><${Icon} name="overdue" />
      <b>${t(`banner.${why}`)}</b>
      <span>${isTesting(alert) ? `${word("flag", "in_test")} ` : ""}${titleOf(alert)} ${placeOf(alert)}</span>
      ${alert.forwarded_at && html`<span class="num">${t("banner.forwarded_at", { time: clockTime(Date.parse(alert.forwarded_at)) })}</span>`}
      <button onClick=${() => {
        desk.select(alert.id);
        desk.openScript();
      }}>${t("script.open")}</button></p>`)}
    ${red.length > NAMED && html`<b class="num">${t("list.more", { n: integer(red.length - NAMED) })}</b>`}
  </div>`;
}

/** More provisional alarms than the server lists. */
function Unlisted({ desk }) {
  const { listed, more } = desk.provisional.value;
  if (!more) return null;
  return html`<div class="banner loud" role="alert" data-banner="more"><${Icon} name="unstored" /><b>${t("banner.more", { n: integer(more) })}</b><span>${t("banner.more_more", { listed: integer(listed) })}</span></div>`;
}

function SoundOff({ desk }) {
  const state = desk.sound.state.value;
  if (state === "armed") return null;
  return html`<div class="banner fault" role="alert" data-banner="sound">
    <${Icon} name="silent" /><b>${t(`banner.sound_${state}`)}</b><span>${t("banner.sound_more")}</span>
    <button onClick=${() => desk.armSound()}>${t("banner.sound_test")}</button>
  </div>`;
}

/** After a gap: what changed meanwhile, until the operator has read it. */
function Missed({ desk }) {
  const missed = desk.missed.value;
  if (!missed?.until || desk.feedStatus.value !== "live") return null;
  const { since, until, added, changed, removed } = missed;
  return html`<div class="banner quiet" role="status" data-banner="missed">
    <${Icon} name="live" />
    <b>${t("banner.back", { from: clockTime(since), to: clockTime(until) })}</b>
    <span>${t("banner.missed", { added, changed, removed })}</span>
    <button onClick=${() => (desk.missed.value = null)}>${t("banner.read")}</button>
  </div>`;
}

/** 报警潮: as the server counts it for all operators; by what this page has seen while the server says nothing of it. */
function Flood({ desk }) {
  const seen = desk.flood.value;
  const told = desk.kpis.value?.flood;
  if (told ? !told.active : !seen) return null;
  const n = told ? told.alarms_10min : seen?.count;
  return html`<div class="banner quiet flood" role="status" data-banner="flood">
    <${Icon} name="flood" />
    <b>${t("banner.flood", { n: integer(n) })}</b>
    ${told && html`<span class="num">${t("banner.flood_each", { operators: integer(told.operators), each: eachOf(told) })}</span>`}
    ${seen && html`<span class="inline">${t("banner.flood_worst")} <${Symbol} priority=${seen.worst} /> ${word("priority", seen.worst)}</span>
    <span>${t("banner.flood_span", { first: clockTime(told?.since ? Date.parse(told.since) : seen.first), latest: clockTime(seen.latest) })}</span>`}
  </div>`;
}
