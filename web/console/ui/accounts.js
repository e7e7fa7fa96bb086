// 账号, for the administrator: who there is, adding one; what each may do and answers for is one account's own form.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { listed, t, word } from "../core/i18n.js";
import { Account } from "./account.js";
import { Asking, useAnswer } from "./entries.js";
import { Choice, Line, useDraft, useFirstField } from "./fields.js";
import { Result } from "./outcome.js";
import { NewPassword } from "./password.js";
import { Units } from "./units.js";

export const ROLES = ["operator", "admin", "viewer"];
const EVERY_MS = 30_000;
const EMPTY = { username: "", password: "", role: "", unit: "" };

export function AccountsPanel({ desk }) {
  const people = useAnswer(() => desk.api.accounts(...ROLES, "unit"), [], EVERY_MS);
  const [adding, setAdding] = useState(desk.drafts.get("account") !== undefined);
  const [open, setOpen] = useState("");
  if (desk.operator.value?.role !== "admin") return html`<p>${t("accounts.admins_only")}</p>`;
  const items = people.data?.items ?? [];
  const done = () => {
    setAdding(false);
    people.again();
  };
  return html`
    ${adding
      ? html`<${Add} desk=${desk} onDone=${done} />`
      : html`<div class="act-buttons"><button class="primary" data-add onClick=${() => {
          desk.requests.forget("account");
          setAdding(true);
        }}>${t("accounts.add")}</button></div><${Result} desk=${desk} name="account" done=${t("accounts.added", { name: desk.requests.result("account")?.data?.username ?? "" })} />`}
    <${Asking} answer=${people} />
    <ul class="entries">${items.map((each) => html`<li key=${each.username} class="entry account ${each.disabled ? "off" : ""}" data-account=${each.username} data-disabled=${each.disabled}>
      <b class="tag">${word("account_role", each.role)}</b>
      <div>
        <p><b>${each.username}</b> ${each.unit ?? ""} ${each.on_duty && html`<span class="flag loud">${t("watch.on_duty")}</span>`}${each.disabled && html`<span class="flag">${t("accounts.disabled")}</span>`}</p>
        ${(each.role === "operator" || each.role === "admin") && html`<p class="muted">${t("accounts.scope")}: ${scopeOf(each.scope)}</p>`}
        ${open === each.username ? html`<${Account} desk=${desk} account=${each} onChanged=${people.again} onClose=${() => setOpen("")} />` : html`<p><button data-change=${each.username} onClick=${() => setOpen(each.username)}>${t("accounts.change")}</button></p>`}
      </div></li>`)}</ul>`;
}

const MOST_NAMED = 12;

/** What an account answers for; nothing named: everything. */
function scopeOf({ units, grids, districts }) {
  const named = [...districts, ...grids, ...units];
  if (!named.length) return t("accounts.everything");
  return listed(named.slice(0, MOST_NAMED)) + (named.length > MOST_NAMED ? ` ${t("list.more", { n: named.length - MOST_NAMED })}` : "");
}

function Add({ desk, onDone }) {
  const [draft, put] = useDraft(desk, "account", EMPTY);
  const form = useFirstField();
  const busy = desk.requests.result("account")?.phase === "doing";
  const change = (part) => put({ ...draft, ...part });
  const submit = async (event) => {
    event.preventDefault();
    const { username, password, role, unit } = draft;
    const result = await desk.requests.send("account", "/accounts", { username: username.trim(), password, role, ...(role === "unit" ? { unit: unit.trim() } : {}) });
    if (result?.phase !== "done") return;
    put(null);
    onDone();
  };
  return html`<form ref=${form} class="act-form" data-form="account" onSubmit=${submit}>
    <${Line} name="username" label=${t("signin.username")} needed max=${64} value=${draft.username} onInput=${(username) => change({ username })} />
    <${Choice} name="account-role" legend=${t("accounts.role")} values=${[...ROLES, "unit"]} words=${(each) => word("account_role", each)} value=${draft.role} onChange=${(role) => change({ role })} />
    ${draft.role === "unit" && html`<${Units} desk=${desk} label=${t("accounts.of_unit")} needed value=${draft.unit} onInput=${(unit) => change({ unit })} />`}
    <${NewPassword} value=${draft.password} onInput=${(password) => change({ password })} />
    <${Result} desk=${desk} name="account" done="" />
    <div class="form-end"><button type="button" onClick=${() => {
      put(null);
      onDone();
    }}>${t("close.back")}</button><button class="primary" disabled=${busy || !draft.role}>${t("accounts.add")} <kbd>Enter</kbd></button></div>
  </form>`;
}
