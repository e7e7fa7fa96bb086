// The line under the header: what is not in the queue and not protected, in counts that are always in sight, and the ways to it.
import { html } from "./html.js";
import { integer, t, word } from "../core/i18n.js";
import { focusQueue } from "./app.js";
import { Icon } from "./icons.js";

const HOLDS = ["shelved", "suppressed", "out_of_service"];

export function Strip({ desk, onPanel }) {
  return html`<nav class="strip" aria-label=${t("strip.label")}>
    <${Held} desk=${desk} onPanel=${onPanel} />
    <${InTest} desk=${desk} onPanel=${onPanel} />
    <${Opener} desk=${desk} onPanel=${onPanel} panel="board" letter="B"><b>${t("strip.board")}</b></${Opener}>
    <${Windows} desk=${desk} onPanel=${onPanel} />
    <${Rate} desk=${desk} />
    <span class="strip-space"></span>
    <${OnDuty} desk=${desk} onPanel=${onPanel} />
    <${Opener} desk=${desk} onPanel=${onPanel} panel="more" letter="E">${t("strip.more")}</${Opener}>
    <${Opener} desk=${desk} onPanel=${onPanel} panel="closed" letter="O">${t("strip.closed")}</${Opener}>
    <${Opener} desk=${desk} onPanel=${onPanel} panel="report" letter="N"><${Icon} name="phone" /><b>${t("strip.report")}</b></${Opener}>
  </nav>`;
}

function Opener({ desk, onPanel, panel, letter, loud = false, look = "", title = undefined, children }) {
  return html`<button class="chip ${loud ? "loud" : ""} ${look}" title=${title} data-opens=${panel} aria-expanded=${desk.panel.value === panel} onClick=${(event) => {
    onPanel(panel);
    if (event.detail > 0 && !desk.panel.value) focusQueue();
  }}>${children}<kbd>${letter}</kbd></button>`;
}

/** 不在队列: by hold, all three at any time. */
function Held({ desk, onPanel }) {
  const asides = desk.asides.value;
  const known = desk.loaded.value;
  return html`<${Opener} desk=${desk} onPanel=${onPanel} panel="held" letter="H">
    <span class="strip-word">${t("strip.held")}</span>
    ${HOLDS.map((hold) => html`<span key=${hold} class=${asides[hold] ? "some" : "none"}>${word("hold", hold)} <b class="num" data-held=${hold}>${known ? integer(asides[hold]) : "–"}</b></span>`)}
  </${Opener}>`;
}

/** 值班: who is on duty; nobody is a word that stands out. */
function OnDuty({ desk, onPanel }) {
  const duty = desk.watch.told.value?.on_duty;
  const me = desk.operator.value?.username;
  const first = duty?.find(({ account }) => account === me) ?? duty?.[0];
  const names = !duty ? "–" : first ? `${first.account}${duty.length > 1 ? ` +${duty.length - 1}` : ""}` : t("strip.nobody");
  return html`<${Opener} desk=${desk} onPanel=${onPanel} panel="watch" letter="I" loud=${duty?.length === 0} title=${t("strip.watch")}>
    <${Icon} name="person" /><span class="watch-word">${t("strip.watch")}</span> <b class="on-duty" data-duty-names>${names}</b>
  </${Opener}>`;
}

/** 测试中: in the queue, and listed with what is out of it. */
function InTest({ desk, onPanel }) {
  const n = desk.asides.value.in_test;
  return html`<${Opener} desk=${desk} onPanel=${onPanel} panel="held" letter="H" look=${n ? "testing-chip" : ""}><span>${word("flag", "in_test")}</span> <b class="num" data-held="in_test">${desk.loaded.value ? integer(n) : "–"}</b></${Opener}>`;
}

function Windows({ desk, onPanel }) {
  const count = (state) => desk.announced.value.filter((window) => window.state === state).length;
  const requested = count("requested");
  return html`<${Opener} desk=${desk} onPanel=${onPanel} panel="windows" letter="D" loud=${requested > 0}>
    <span class="strip-word">${t("strip.windows")}</span>
    <span>${word("window_state", "active")} <b class="num" data-windows="active">${integer(count("active"))}</b></span>
    <span class=${requested ? "some" : "none"}>${word("window_state", "requested")} <b class="num" data-windows="requested">${integer(requested)}</b></span>
  </${Opener}>`;
}

/** What one operator has of the alarms. */
export const eachOf = ({ alarms_10min: n, operators }) => integer(Math.round((n / Math.max(1, operators)) * 10) / 10);

/** Alarms in ten minutes, and what of them one operator has. */
function Rate({ desk }) {
  const flood = desk.feedStatus.value === "live" ? desk.kpis.value?.flood : null;
  if (!flood) return null;
  return html`<span class="chip ${flood.active ? "fault" : ""}" data-flood=${flood.active}>${flood.active && html`<${Icon} name="flood" />`}<span>${t("strip.rate", { n: integer(flood.alarms_10min), each: eachOf(flood) })}</span></span>`;
}
