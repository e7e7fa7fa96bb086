// Keys and this seat's keyboard switch; stands beside the queue, never over it.
import { html } from "./html.js";
import { t } from "../core/i18n.js";
import { Keys } from "./detail.js";

export function Help({ desk, onClose }) {
  const { settings } = desk;
  return html`<section class="help" aria-label=${t("help.title")}>
    <h2>${t("help.title")}</h2>
    <${Keys} />
    <label class="choice"><input type="checkbox" checked=${settings.singleKeys.value} onChange=${(event) => settings.setSingleKeys(event.currentTarget.checked)} />${t("help.single_keys")}</label>
    <p class="muted">${t("help.order")}</p>
    <button onClick=${onClose}>${t("help.close")} <kbd>Esc</kbd></button>
  </section>`;
}
