// The header: counts, devices, the one clock, whether what is shown is live, and this seat's switches.
import { html } from "./html.js";
import { THEMES } from "../app/settings.js";
import { age, clockTime, day, integer, language, t, word } from "../core/i18n.js";
import { PRIORITIES } from "../core/tally.js";
import { elsewhere, zone } from "../core/zone.js";
import { focusQueue } from "./app.js";
import { Icon } from "./icons.js";
import { Symbol } from "./symbol.js";

const OFFSET_WARNING_MS = 2_000;
const OFFSET_FAULT_MS = 10_000;

/** After a click with the pointer the keyboard belongs to the queue again; after Enter or Space it stays. */
const byPointer = (act) => (event) => {
  act(event);
  if (event.detail > 0) focusQueue();
};

export function Header({ desk, onHelp, helpOpen }) {
  return html`<header class="header">
    <h1 class="brand">望火楼 <span lang="en">Firetower</span></h1>
    <${Counts} desk=${desk} />
    <${Plant} desk=${desk} />
    <${Clock} desk=${desk} />
    <${Liveness} status=${desk.feedStatus.value} />
    <${SoundSwitch} desk=${desk} />
    <${Seat} desk=${desk} onHelp=${onHelp} helpOpen=${helpOpen} />
  </header>`;
}

/** A tile leads to the first alert of its priority that waits, or else to its first. */
function Counts({ desk }) {
  const counts = desk.counts.value;
  const go = (priority) => {
    const first = desk.view.value.queue.find((alert) => alert.priority === priority);
    if (first) desk.select(first.id);
  };
  return html`<div class="counts" role="group" aria-label=${t("header.counts")}>
    ${PRIORITIES.map((priority) => {
      const { open, waiting } = counts[priority];
      return html`<button key=${priority} class="tile ${waiting ? "waiting" : ""} p${priority}" title=${t("header.goto", { priority: word("priority", priority) })}
          onClick=${byPointer(() => go(priority))}>
        <${Symbol} priority=${priority} waiting=${waiting > 0} />
        <span class="tile-word">${word("priority", priority)}</span>
        <span class="tile-open" data-open=${priority}>${integer(open)}</span>
        <span class="tile-waiting">${t("header.waiting", { n: integer(waiting) })}</span>
      </button>`;
    })}
  </div>`;
}

/** Devices and parts of the service; nothing old looks like a number of now. */
function Plant({ desk }) {
  const kpis = desk.feedStatus.value === "live" ? desk.kpis.value : null;
  const devices = kpis?.devices;
  const part = (name) => html`<span class="part ${kpis && kpis[name] !== "ok" ? "fault" : ""}">${t(`header.${name}`)} ${kpis ? word("part", kpis[name]) : t("header.unknown")}</span>`;
  return html`<div class="plant">
    <span>${t("header.devices")} <b>${devices ? `${integer(devices.online)} / ${integer(devices.total)}` : "–"}</b></span>
    <span>${devices ? t("header.offline", { n: integer(devices.offline) }) : t("header.unknown")}</span>
    ${part("store")}${part("broker")}<${CanaryAge} desk=${desk} />
  </div>`;
}

/** How old the newest proof of the alarms' way is. */
function CanaryAge({ desk }) {
  desk.now.value; // the age follows the clock
  const { canary } = desk;
  if (!canary.known) return null;
  const live = desk.feedStatus.value === "live";
  const said = !live ? t("header.unknown") : canary.sentAt === null ? t("header.canary_none") : age(canary.age());
  return html`<span class="part ${live && canary.overdue() ? "fault" : ""}" data-canary=${live && canary.overdue() ? "overdue" : "ok"}>${t("header.canary")} ${said}</span>`;
}

function Clock({ desk }) {
  const now = desk.now.value;
  const offset = desk.clock.offset();
  const roundTrip = desk.clock.roundTrip();
  const away = elsewhere(now);
  const wrong = Math.abs(offset) > OFFSET_FAULT_MS ? "fault" : Math.abs(offset) > OFFSET_WARNING_MS ? "warn" : "";
  return html`<div class="clock">
    <time class="now" datetime=${new Date(now).toISOString()}><span class="date">${day(now)}</span> <b>${clockTime(now)}</b></time>
    <span class="small ${wrong}">${
      wrong
        ? t("header.offset_wrong", { s: (offset / 1000).toFixed(1) })
        : t("header.offset", { ms: integer(Math.round(offset) || 0), rtt: roundTrip === null ? "–" : integer(Math.round(roundTrip)) })
    }</span>
    ${away && html`<span class="small warn" data-zone=${zone.value} title=${t("header.zone_more", { zone: zone.value, here: away })}>${t("header.zone", { zone: zone.value })}</span>`}
  </div>`;
}

function Liveness({ status }) {
  const live = status === "live";
  return html`<span class="chip liveness ${status} ${live ? "" : "fault"}" data-feed=${status}><${Icon} name=${live ? "live" : "lost"} />${t(`feed.${status}`)}</span>`;
}

function SoundSwitch({ desk }) {
  const { sound } = desk;
  const state = sound.state.value;
  desk.now.value; // the countdown follows the clock
  const left = Math.ceil(sound.muteLeft() / 1000);
  if (state !== "armed") {
    return html`<button class="chip fault" data-sound=${state} onClick=${byPointer(() => desk.armSound())}><${Icon} name="silent" />${t(`sound.${state}`)}</button>`;
  }
  return html`<button class="chip ${left ? "fault" : ""}" data-sound=${left ? "muted" : "armed"} data-sounding=${sound.sounding.value} aria-pressed=${left > 0} title=${t("sound.mute_hint")}
      onClick=${byPointer(() => desk.mute())}>
    <${Icon} name=${left ? "silent" : "sound"} />${left ? t("sound.muted", { s: left }) : t("sound.mute")}<kbd>M</kbd>
  </button>`;
}

function Seat({ desk, onHelp, helpOpen }) {
  const { settings } = desk;
  const other = language.value === "en" ? "zh-CN" : "en";
  return html`<div class="switches">
    <select class="chip" aria-label=${t("header.theme")} value=${settings.theme.value} onChange=${(event) => {
      settings.setTheme(event.currentTarget.value);
      focusQueue();
    }}>
      ${THEMES.map((name) => html`<option key=${name} value=${name} selected=${settings.theme.value === name}>${t(`theme.${name}`)}</option>`)}
    </select>
    <button class="chip" lang=${other} onClick=${byPointer(() => desk.setLanguage(other))}>${other === "en" ? "English" : "中文"}</button>
    <button class="chip" aria-expanded=${helpOpen} aria-label=${t("help.title")} onClick=${byPointer(onHelp)}><kbd>?</kbd></button>
    <span class="operator" title=${t("header.operator")}>${desk.operator.value?.username}</span>
    <button class="chip" disabled=${desk.watch.leaving.value?.phase === "doing"} onClick=${() => desk.signOut()}>${t("header.signout")}</button>
  </div>`;
}
