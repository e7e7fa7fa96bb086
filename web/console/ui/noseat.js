// The page for a networked unit's account: the console is the centre's, and what such an account is for.
import { html } from "./html.js";
import { t } from "../core/i18n.js";
import { OwnPassword } from "./password.js";
import { Languages } from "./signin.js";

export function NoSeat({ desk }) {
  const { username, unit } = desk.operator.value;
  return html`<main class="signin" data-no-seat>
    <section class="noseat">
      <h1>望火楼 <span lang="en">Firetower</span></h1>
      <h2>${t("noseat.title")}</h2>
      <p>${t("noseat.whose", { username, unit: unit ?? "?" })}</p>
      <p>${t("noseat.for")} <a href="/api/docs">/api/docs</a></p>
      <p><b>${t("noseat.fire")}</b></p>
      <p>${t("noseat.call")}</p>
      <details class="fold"><summary>${t("mine.title")}</summary><${OwnPassword} desk=${desk} /></details>
      ${desk.watch.leaving.value?.phase === "unanswered" && html`<p class="trouble" role="alert">${t("watch.leaving_unanswered")}</p>`}
      <button class="primary" onClick=${() => desk.signOut()}>${t("header.signout")}</button>
      <${Languages} desk=${desk} />
    </section>
  </main>`;
}
