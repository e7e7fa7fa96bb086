// Bands of the watch, across the whole width: presence check 查岗, nobody there 无人值守, units of nobody 无人覆盖, an open handover, a session that acts no more.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { age, clockTime, integer, moment, t } from "../core/i18n.js";
import { Icon } from "./icons.js";

export function Keeping({ desk }) {
  const told = desk.watch.told.value;
  return html`
    <${Presence} desk=${desk} />
    <${Expired} desk=${desk} />
    ${told && desk.feedStatus.value === "live" && html`<${Unattended} desk=${desk} told=${told} /><${Uncovered} told=${told} />`}
    <${Handing} desk=${desk} told=${told} />`;
}

/** 3:00, 0:07 */
const left = (ms) => `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1_000) % 60).padStart(2, "0")}`;

function Presence({ desk }) {
  const { watch } = desk;
  const asked = watch.told.value?.presence;
  const answered = watch.answeredAt.value;
  if (!asked) return answered > 0 && html`<div class="banner quiet" role="status" data-banner="presence" data-presence="answered"><${Icon} name="live" /><b>${t("presence.answered", { time: clockTime(answered) })}</b></div>`;
  const now = desk.now.value;
  const missed = asked.missed || now >= Date.parse(asked.until);
  return html`<div class="banner presence ${missed ? "loud" : ""}" role="alert" data-banner="presence" data-presence=${watch.answering.value ? "sent" : missed ? "missed" : "asked"}>
    <${Icon} name="warning" /><b>${t(missed ? "presence.missed" : "presence.asked")}</b>
    <span class="num" aria-hidden="true">${missed ? t("presence.since", { time: clockTime(Date.parse(asked.asked_at)), age: age(now - Date.parse(asked.asked_at)) }) : t("presence.left", { left: left(Math.max(0, Date.parse(asked.until) - now)) })}</span>
    <button class="primary">${t("presence.here")}</button>
    <span>${t(watch.answering.value ? "presence.sent" : "presence.how")}</span>
  </div>`;
}

function Unattended({ desk, told }) {
  if (!told.unattended_since) return null;
  const since = Date.parse(told.unattended_since);
  const how = !desk.watch.mayAct() ? "watch.unattended_viewer" : desk.sound.armed ? "watch.unattended_soon" : "watch.unattended_sound";
  return html`<div class="banner loud" role="alert" data-banner="unattended"><${Icon} name="warning" /><b>${t("watch.unattended")}</b>
    <span class="num">${t("watch.unattended_since", { time: moment(since, desk.now.value) })}</span><span>${t(how)}</span></div>`;
}

function Uncovered({ told }) {
  if (!told.uncovered) return null;
  return html`<div class="banner fault" role="alert" data-banner="uncovered"><${Icon} name="warning" /><b>${t("watch.uncovered", { n: integer(told.uncovered) })}</b><span>${t("watch.uncovered_more")}</span></div>`;
}

/** 交接班, on every seat while it is open; how it ended where somebody has a part in it. */
function Handing({ desk, told }) {
  const { relief } = desk;
  const draft = relief.draft.value;
  const ended = relief.ended.value;
  const me = desk.operator.value?.username;
  if (desk.panel.value === "watch") return null; // it stands there in full
  if (told?.handover && draft) {
    const mine = draft.outgoing === me || draft.incoming === me;
    return html`<div class="banner quiet" role="status" data-banner="relief"><${Icon} name="waiting" /><b>${t("relief.band", { outgoing: draft.outgoing, incoming: draft.incoming ?? t("relief.whoever") })}</b>
      <span class="num">${t("relief.count", { accepted: integer(draft.accepted), open: integer(draft.open) })}</span>
      <button class=${mine ? "primary" : ""} onClick=${() => desk.openPanel("watch")}>${t("relief.open")} <kbd>I</kbd></button></div>`;
  }
  if (!ended || ![ended.outgoing, ended.incoming, ended.begun_by].includes(me)) return null;
  return html`<div class="banner quiet" role="status" data-banner="relief-ended"><${Icon} name="live" /><b>${t(`relief.${ended.state}`, { outgoing: ended.outgoing, incoming: ended.incoming ?? "–", by: ended.ended_by, time: moment(Date.parse(ended.ended_at), desk.now.value) })}</b>
    <button onClick=${() => (relief.ended.value = null)}>${t("banner.read")}</button></div>`;
}

/** The session acts no more; the seat goes on showing and sounding. */
function Expired({ desk }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  if (!desk.watch.expired.value) return null;
  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    setBusy(true);
    const answer = await desk.signInAgain(new FormData(form).get("password"));
    setBusy(false);
    setError(answer.ok ? "" : answer.status === 401 ? t("signin.wrong") : answer.status === 0 ? t("signin.unreachable") : t("signin.refused", { message: answer.message }));
  };
  return html`<form class="banner fault" data-banner="expired" onSubmit=${submit}><${Icon} name="warning" /><b>${t("watch.expired")}</b>
    <label class="inline">${t("watch.password_of", { name: desk.operator.value?.username })} <input name="password" type="password" autocomplete="current-password" required /></label>
    <button class="primary" disabled=${busy}>${busy ? t("signin.busy") : t("signin.submit")}</button>
    <span class="trouble" role="alert">${error}</span></form>`;
}
