// The readings around an alert, with its limit and the instant it was raised drawn in.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { t } from "../core/i18n.js";
import { Chart } from "./chart.js";

const BEFORE_MS = 3_600_000;
const AFTER_MS = 900_000;

export function Around({ desk, alert }) {
  const [open, setOpen] = useState(false);
  if (!alert.metric || !alert.unit || !alert.device) return null;
  const at = Date.parse(alert.device_at);
  const derived = Boolean(alert.figure);
  const limits = alert.limit === null || derived ? [] : [{ value: alert.limit, word: t("detail.limit") }];
  return html`<section class="around">
    <button aria-expanded=${open} onClick=${() => setOpen(!open)}>${t("detail.around")}</button>
    ${open && html`<${Chart} desk=${desk} unit=${alert.unit} device=${alert.device} metric=${alert.metric} uom=${derived ? "" : alert.uom} from=${at - BEFORE_MS} to=${Math.min(at + AFTER_MS, desk.clock.now())} limits=${limits} marks=${[{ at, word: t("clock.device_at") }]} />`}
  </section>`;
}
