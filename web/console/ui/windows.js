// Announced windows: what waits for approval, what is in force and when it ends, and announcing one.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { age, moment, t, word } from "../core/i18n.js";
import { Announce } from "./announce.js";
import { whereIs } from "./board.js";
import { Line } from "./fields.js";
import { Result } from "./outcome.js";

export function WindowsPanel({ desk }) {
  const [announcing, setAnnouncing] = useState(desk.drafts.get("window") !== undefined);
  const windows = desk.announced.value;
  const of = (state) => windows.filter((window) => window.state === state);
  return html`
    ${announcing
      ? html`<${Announce} desk=${desk} onDone=${() => setAnnouncing(false)} />`
      : html`<div class="act-buttons"><button class="primary" data-announce onClick=${() => {
          desk.requests.forget("window");
          setAnnouncing(true);
        }}>${t("windows.announce")}</button></div>`}
    ${!announcing && html`<${Result} desk=${desk} name="window" done=${t("windows.announced")} />`}
    ${["requested", "active", "planned"].map((state) => html`<section key=${state}>
      <h3>${word("window_state", state)} <span class="num">${of(state).length}</span></h3>
      <ul class="entries">${of(state).map((window) => html`<${Entry} key=${window.id} desk=${desk} window=${window} />`)}</ul>
    </section>`)}`;
}

function Entry({ desk, window }) {
  const now = desk.now.value;
  /** What is asked once more: "refuse" or "end". */
  const [asked, setAsked] = useState("");
  const [reason, setReason] = useState("");
  const name = `window ${window.id}`;
  const busy = desk.requests.result(name)?.phase === "doing";
  const send = async (verb, body) => {
    const result = await desk.requests.send(name, `/windows/${encodeURIComponent(window.id)}/${verb}`, body);
    if (result?.phase !== "done") return;
    setAsked("");
    desk.takeAround({ windows: [result.data] }, false);
  };
  const ends = Date.parse(window.ends_at);
  const starts = Date.parse(window.starts_at);
  return html`<li class="entry window" data-window-id=${window.id} data-state=${window.state}>
    <b class="tag">${word("window", window.kind)}</b>
    <div>
      <p><b>${whereIs(window)}</b></p>
      <p>${window.reason}</p>
      ${window.measure && html`<p>${t("board.measure", { measure: window.measure })}</p>`}
      <p class="num">${window.state === "active" ? html`<b>${t("windows.left", { left: age(ends - now) })}</b> ` : ""}${t("windows.span", { from: moment(starts, now), to: moment(ends, now) })}</p>
      <p class="muted">${[t("windows.by", { by: window.requested_by }), window.person, window.approved_by && t("windows.approved_by", { by: window.approved_by })].filter(Boolean).join(" · ")}</p>
      ${asked === "refuse" && html`<${Line} name="refusal" label=${t("windows.refusal")} needed value=${reason} onInput=${setReason} />`}
      ${asked && html`<p class="sure" role="alert">${t(`windows.sure_${asked}`)}</p>`}
      <${Result} desk=${desk} name=${name} done="" />
      <div class="act-buttons">
        ${asked
          ? html`<button onClick=${() => setAsked("")}>${t("close.back")}</button>
              <button class="danger" disabled=${busy || (asked === "refuse" && !reason.trim())} onClick=${() => send(asked, asked === "refuse" ? { reason: reason.trim() } : {})}>${t(`windows.${asked}`)}</button>`
          : window.state === "requested"
            ? html`<button class="primary" data-do="approve" disabled=${busy} onClick=${() => send("approve", {})}>${t("windows.approve")}</button>
                <button data-do="refuse" onClick=${() => setAsked("refuse")}>${t("windows.refuse")}</button>`
            : html`<button data-do="end" onClick=${() => setAsked("end")}>${t("windows.end")}</button>`}
      </div>
    </div>
  </li>`;
}
