// One account's form: role, password, what it answers for, its sessions, whether it may sign in. Each act is confirmed where it ends sessions.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { t, word } from "../core/i18n.js";
import { ROLES } from "./accounts.js";
import { Choice, Words } from "./fields.js";
import { Result } from "./outcome.js";
import { NewPassword, OwnPassword } from "./password.js";
import { Everywhere } from "./watch.js";

/** Codes as they were typed: with commas, spaces or lines between. */
const codes = (text) => [...new Set(text.split(/[\s,，、;；]+/).filter(Boolean))];

export function Account({ desk, account, onChanged, onClose }) {
  const { username, role, disabled, on_duty: onDuty } = account;
  const me = desk.operator.value.username;
  const [password, setPassword] = useState("");
  const [wanted, setWanted] = useState(role);
  /** The act that is asked once more. */
  const [sure, setSure] = useState("");
  const path = `/accounts/${encodeURIComponent(username)}`;
  const name = (act) => `account ${username} ${act}`;
  const send = async (act, to, body, method = "PUT") => {
    setSure("");
    const result = await desk.requests.send(name(act), `${path}/${to}`, body, method);
    if (result?.phase === "done") onChanged();
    return result;
  };
  /** An act that ends sessions: the first press says so, the second does it. */
  const confirmed = (act, words, run) => html`<${Result} desk=${desk} name=${name(act)} done=${t("accounts.done")} />
    ${sure === act
      ? html`<p class="sure" role="alert">${t(`accounts.sure_${act}`, { name: username })} ${onDuty ? t("accounts.is_on_duty") : ""}</p><button type="button" onClick=${() => setSure("")}>${t("close.back")}</button><button type="button" class="danger" data-sure=${act} onClick=${run}>${words}</button>`
      : html`<button data-do=${act} onClick=${() => setSure(act)} type="button">${words}</button>`}`;
  return html`<div class="account-form" data-account-form=${username}>
    ${role !== "unit" && username !== me && html`<form onSubmit=${(event) => {
      event.preventDefault();
      send("role", "role", { role: wanted });
    }}><${Choice} name=${`role ${username}`} legend=${t("accounts.role")} values=${ROLES} words=${(each) => word("account_role", each)} value=${wanted} onChange=${setWanted} />
      <${Result} desk=${desk} name=${name("role")} done=${t("accounts.done")} />
      ${wanted !== role && html`<button class="primary">${t("accounts.set_role", { role: word("account_role", wanted) })}</button>`}</form>`}
    ${(role === "operator" || role === "admin") && html`<${Scope} desk=${desk} account=${account} name=${name("scope")} send=${(body) => send("scope", "scope", body)} />`}
    <form data-form="password" onSubmit=${(event) => {
      event.preventDefault();
      if (sure === "password") send("password", "password", { password }).then((result) => result?.phase === "done" && setPassword(""));
      else setSure("password");
    }}><${NewPassword} value=${password} onInput=${setPassword} />
      <${Result} desk=${desk} name=${name("password")} done=${t("accounts.done")} />
      ${sure === "password" && html`<p class="sure" role="alert">${t("accounts.sure_password", { name: username })} ${onDuty ? t("accounts.is_on_duty") : ""}</p>`}
      <div class="act-buttons"><button class=${sure === "password" ? "danger" : ""} disabled=${!password}>${t("accounts.set_password")}</button></div></form>
    <div class="act-buttons">${confirmed("sessions", t("accounts.sessions"), () => send("sessions", "sessions", undefined, "DELETE"))}</div>
    ${username !== me && html`<div class="act-buttons">${disabled
      ? html`<${Result} desk=${desk} name=${name("enable")} done=${t("accounts.done")} /><button data-do="enable" onClick=${() => send("enable", "enable", {}, "POST")}>${t("accounts.enable")}</button>`
      : confirmed("disable", t("accounts.disable"), () => send("disable", "disable", {}, "POST"))}</div>`}
    <div class="form-end"><button onClick=${onClose}>${t("close.back")}</button></div>
  </div>`;
}

/** 职责范围: units, grids, districts by code; nothing named: everything. It hides nothing. */
function Scope({ desk, account, name, send }) {
  const [written, write] = useState(() => Object.fromEntries(Object.entries(account.scope).map(([part, named]) => [part, named.join(" ")])));
  const submit = (event) => {
    event.preventDefault();
    send(Object.fromEntries(Object.entries(written).map(([part, text]) => [part, codes(text)])));
  };
  return html`<form data-form="scope" onSubmit=${submit}>
    <p class="muted">${t("accounts.scope_why")}</p>
    ${["units", "grids", "districts"].map((part) => html`<${Words} key=${part} name=${part} label=${t(`accounts.${part}`)} max=${2_000_000} value=${written[part]} onInput=${(text) => write({ ...written, [part]: text })} />`)}
    <div class="act-buttons"><button>${t("accounts.set_scope")}</button><${Result} desk=${desk} name=${name} done=${t("accounts.done")} /></div>
  </form>`;
}

/** One's own account: a new password, and one's sessions everywhere. */
export function MinePanel({ desk }) {
  const { username, role } = desk.operator.value;
  return html`<p>${t("mine.signed_in", { name: username, role: word("account_role", role) })}</p><${OwnPassword} desk=${desk} /><${Everywhere} desk=${desk} />`;
}
