// Passwords: a new one for somebody, and one's own.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { t } from "../core/i18n.js";

const LEAST_PASSWORD = 8;

export const NewPassword = ({ value, onInput }) =>
  html`<label class="line-field">${t("accounts.password", { n: LEAST_PASSWORD })}
    <input name="new-password" type="password" minlength=${LEAST_PASSWORD} maxlength="1024" required autocomplete="new-password" value=${value} onInput=${(event) => onInput(event.currentTarget.value)} /></label>`;

export function OwnPassword({ desk }) {
  const [said, setSaid] = useState({ present: "", password: "", again: "" });
  /** undefined: nothing was sent · "" done */
  const [why, setWhy] = useState(/** @type {string | undefined} */ (undefined));
  const [busy, setBusy] = useState(false);
  const differs = said.again !== "" && said.again !== said.password;
  const field = (name, autocomplete) => html`<label class="line-field">${t(`mine.${name}`, { n: LEAST_PASSWORD })}
    <input name=${name} type="password" required minlength=${name === "present" ? 1 : LEAST_PASSWORD} maxlength="1024" autocomplete=${autocomplete} aria-invalid=${name === "again" && differs} value=${said[name]} onInput=${(event) => setSaid({ ...said, [name]: event.currentTarget.value })} /></label>`;
  const submit = async (event) => {
    event.preventDefault();
    if (differs || busy) return;
    setWhy(undefined);
    setBusy(true);
    const answer = await desk.api.request("PUT", "/session/password", { body: { present: said.present, password: said.password } });
    setBusy(false);
    setWhy(answer.ok ? "" : answer.status === 0 ? t("mine.unanswered") : answer.code === "wrong_credentials" ? t("mine.wrong") : t("act.refused", { message: answer.message }));
    if (answer.ok) setSaid({ present: "", password: "", again: "" });
  };
  return html`<form class="act-form" data-form="own-password" onSubmit=${submit}><h3>${t("mine.title")}</h3>
    ${field("present", "current-password")}${field("password", "new-password")}${field("again", "new-password")}
    ${differs && html`<p class="trouble">${t("mine.differs")}</p>`}
    <p role="status" class=${`outcome ${why === "" ? "done" : why ? "refused" : ""}`} data-result=${why === undefined ? "" : why === "" ? "done" : "refused"}>${busy ? t("act.sending") : why === "" ? t("mine.changed") : why}</p>
    <div class="form-end"><button class="primary" disabled=${busy || differs || !said.present || !said.password || !said.again}>${t("mine.change")}</button></div></form>`;
}
