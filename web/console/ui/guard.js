// A part of the page that cannot be drawn, for an answer it does not understand, says so in its own place: the queue, the acts and the sound go on.
import { useErrorBoundary } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { t } from "../core/i18n.js";

export function Guard({ children }) {
  const [error, again] = useErrorBoundary((why) => console.error(why));
  if (!error) return children;
  return html`<p class="trouble" role="alert" data-broken>${t("guard.broken", { why: String(error?.message ?? error) })} <button onClick=${again}>${t("guard.again")}</button></p>`;
}
