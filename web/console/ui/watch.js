// The watch 值守: who is on duty, who is planned, going on and off duty, and the handover; the way to log, self-tests and accounts.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { age, listed, moment, shortMoment, t } from "../core/i18n.js";
import { Asking, useAnswer } from "./entries.js";
import { Line } from "./fields.js";
import { Result } from "./outcome.js";
import { Relief } from "./relief.js";

const AGAIN_MS = 30_000;

export function WatchPanel({ desk }) {
  const { watch } = desk;
  const told = watch.told.value;
  const duty = told?.on_duty ?? [];
  const planned = useAnswer(() => desk.api.watch(), [duty.map(({ account }) => account).join()], AGAIN_MS);
  const mine = watch.mine();
  const handing = Boolean(told?.handover);
  const relief = html`<${Relief} desk=${desk} duty=${duty} />`;
  return html`
    <${Leaving} desk=${desk} />
    ${handing && relief}
    <h3>${t("watch.on_duty")} <span class="num">${t("watch.seats", { n: told?.seats ?? "–" })}</span></h3>
    ${!told && html`<p class="muted">${t("board.loading")}</p>`}
    ${told && !duty.length && html`<p class="why" data-nobody>${t("watch.nobody")}</p>`}
    <ul class="entries">${duty.map((each) => html`<${OnDuty} key=${each.account} desk=${desk} duty=${each} />`)}</ul>
    ${watch.mayAct() && html`<${Duty} desk=${desk} mine=${mine} handing=${handing} />`}
    ${!handing && relief}
    <h3>${t("watch.planned")}</h3>
    <${Asking} answer=${planned} />
    ${planned.data && html`<dl class="facts">${["shift", "next"].map((name) => html`<${Planned} key=${name} desk=${desk} name=${name} shift=${planned.data[name]} duty=${duty} />`)}</dl>`}
    <ul class="places">${["roster", "shiftlog", "selftests", ...(desk.operator.value?.role === "admin" ? ["accounts"] : [])].map((name) => html`<li key=${name}><button data-opens=${name} onClick=${() => desk.openPanel(name)}>${t(`panel.${name}`)}</button></li>`)}</ul>
    <${Everywhere} desk=${desk} />`;
}

function OnDuty({ desk, duty }) {
  const now = desk.now.value;
  const since = Date.parse(duty.since);
  const me = desk.operator.value;
  const [reason, setReason] = useState("");
  const [asked, setAsked] = useState(false);
  const name = `watch off ${duty.account}`;
  const force = async (event) => {
    event.preventDefault();
    const result = await desk.requests.send(name, "/watch/off", { account: duty.account, reason: reason.trim() });
    if (result?.phase !== "done") return;
    setAsked(false);
    desk.watch.leaving.value = null;
  };
  return html`<li class="entry duty" data-on-duty=${duty.account}>
    <b>${duty.account === me.username ? t("act.you", { name: duty.account }) : duty.account}</b>
    <div>
      <p class="num">${t("watch.since", { time: moment(since, now), age: age(now - since) })}${duty.missed && html` <span class="flag loud">${t("watch.missed")}</span>`}</p>
      ${me.role === "admin" && !asked && html`<p><button class="link" data-force=${duty.account} onClick=${() => setAsked(true)}>${t("watch.force")}</button></p>`}
      ${asked && html`<form onSubmit=${force}>
        <p>${t("watch.force_why")}</p>
        <${Line} name="reason" label=${t("field.reason")} needed value=${reason} onInput=${setReason} />
        <div class="act-buttons"><button type="button" onClick=${() => setAsked(false)}>${t("close.back")}</button>
          <button class="danger" disabled=${!reason.trim()}>${t("watch.force_do", { name: duty.account })}</button></div>
      </form>`}
      <${Result} desk=${desk} name=${name} done="" />
    </div>
  </li>`;
}

/** 到岗, 离岗. */
function Duty({ desk, mine, handing }) {
  const { requests } = desk;
  const result = requests.result("watch duty");
  const send = (verb) => {
    desk.watch.leaving.value = null;
    return requests.send("watch duty", `/watch/${verb}`, {});
  };
  const busy = result?.phase === "doing";
  const armed = desk.sound.state.value === "armed";
  return html`<div class="act-buttons">${mine
    ? html`<button data-duty="off" disabled=${busy} onClick=${() => send("off")}>${t("watch.off")}</button>`
    : html`<button class=${handing ? "" : "primary"} data-duty="on" disabled=${busy} onClick=${() => send("on")}>${t("watch.on")}</button>${!armed && html`<span class="warn">${t("watch.needs_sound")}</span>`}`}</div>
    ${result?.phase === "refused" && result.current ? html`<${Refusal} current=${result.current} message=${result.message} act="off" />` : html`<${Result} desk=${desk} name="watch duty" done=${mine ? t("watch.is_on") : t("watch.is_off")} />`}`;
}

/** Why this seat could not be left by signing out. */
function Leaving({ desk }) {
  const leaving = desk.watch.leaving.value;
  if (!leaving || leaving.phase === "doing") return null;
  if (leaving.phase === "unanswered") return html`<p class="trouble" role="alert" data-leaving="unanswered">${t("watch.leaving_unanswered")}</p>`;
  return html`<${Refusal} current=${leaving.current} message=${leaving.message} act="out" />`;
}

/** A refusal to let somebody go, in words: who could take over and how, or what is still theirs. */
function Refusal({ current, message, act }) {
  const { could_take_over: others, alerts } = current ?? {};
  const names = others && listed(others);
  const why = others
    ? t(others.length ? "watch.last" : "watch.last_alone", { names })
    : alerts
      ? t("watch.still_yours", { n: alerts.length, alerts: alerts.slice(0, 8).map((id) => `#${id}`).join(" ") })
      : message;
  return html`<div class="why refusal" role="alert" data-leaving=${others ? "last" : alerts ? "assigned" : "refused"}>
    <p><b>${t(`watch.refused_${act}`)}</b></p><p>${why}</p>
    ${(others || alerts) && html`<p><button class="primary" data-to-relief onClick=${() => document.querySelector("#relief input, #relief button")?.focus()}>${t("relief.open")}</button></p>`}
  </div>`;
}

/** A shift and who is planned for it; who of them is not there yet. */
function Planned({ desk, name, shift, duty }) {
  const now = desk.now.value;
  const there = new Set(duty.map(({ account }) => account));
  const lacking = name === "shift" ? shift.accounts.filter((account) => !there.has(account)) : [];
  return html`<div data-planned=${name}><dt>${t(`watch.${name}`)}</dt>
    <dd><span class="num">${shortMoment(Date.parse(shift.begin), now)} – ${shortMoment(Date.parse(shift.end), now)}</span>
      ${" "}${listed(shift.accounts) || t("watch.nobody_planned")}${shift.reason && ` (${shift.reason})`}
      ${lacking.length > 0 && shift.accounts.length > 0 && html`<br /><span class="warn">${t("watch.lacking", { names: listed(lacking) })}</span>`}</dd></div>`;
}

/** One's own sessions, on every computer. */
export function Everywhere({ desk }) {
  const [asked, setAsked] = useState(false);
  const me = desk.operator.value.username;
  const result = desk.requests.result("everywhere");
  const end = () => desk.requests.send("everywhere", `/accounts/${encodeURIComponent(me)}/sessions`, undefined, "DELETE");
  return html`<div class="act-buttons">${asked
    ? html`<p class="sure" role="alert">${t("watch.everywhere_sure")}</p><button onClick=${() => setAsked(false)}>${t("close.back")}</button><button class="danger" onClick=${end}>${t("watch.everywhere")}</button>`
    : html`<button data-everywhere onClick=${() => setAsked(true)}>${t("watch.everywhere")}</button>`}</div>
    ${result?.phase === "refused" && result.current ? html`<${Refusal} current=${result.current} message=${result.message} act="out" />` : html`<${Result} desk=${desk} name="everywhere" done="" />`}`;
}
