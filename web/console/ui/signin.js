// Sign-in: the one form before the console.
import { useEffect, useRef, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { LANGUAGES, language, t } from "../core/i18n.js";
import { isWall } from "../app/settings.js";

export function SignIn({ desk }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const first = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => first.current?.focus(), []);

  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError("");
    const answer = await desk.api.signIn(form.get("username"), form.get("password"));
    setBusy(false);
    if (answer.ok) desk.signedIn(answer.data);
    else if (answer.status === 401) setError(t("signin.wrong"));
    else if (answer.status === 0) setError(t("signin.unreachable"));
    else setError(t("signin.refused", { message: answer.message }));
  };

  const why = desk.signedOutWhy.value;
  return html`<main class="signin">
    <form onSubmit=${submit} aria-busy=${busy}>
      <h1>望火楼 <span lang="en">Firetower</span></h1>
      <p class="subtitle">${t("app.subtitle")}</p>
      ${isWall() && html`<p>${t("wall.sign_in")}</p>`}
      ${why && html`<p class="trouble" role="alert">${t(`signin.${why}`)}</p>`}
      <label>${t("signin.username")}
        <input ref=${first} name="username" autocomplete="username" required autocapitalize="none" spellcheck=${false} />
      </label>
      <label>${t("signin.password")}
        <input name="password" type="password" autocomplete="current-password" required />
      </label>
      <p class="trouble" role="alert">${error}</p>
      <button class="primary" disabled=${busy}>${busy ? t("signin.busy") : t("signin.submit")}</button>
      <${Languages} desk=${desk} />
    </form>
  </main>`;
}

export const Languages = ({ desk }) =>
  html`<p class="languages">
    ${LANGUAGES.map((name) => html`<button type="button" lang=${name} aria-pressed=${language.value === name} onClick=${() => desk.setLanguage(name)}>${name === "en" ? "English" : "中文"}</button>`)}
  </p>`;
