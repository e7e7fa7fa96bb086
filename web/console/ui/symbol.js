// The mark of a priority: shape, colour and digit together, so that none of them carries the meaning alone.
import { html } from "./html.js";
import { word } from "../core/i18n.js";

const SHAPES = {
  1: html`<path d="M12 2 23 21.5H1z" />`,
  2: html`<path d="M12 1 23 12 12 23 1 12z" />`,
  3: html`<path d="M2.5 2.5h19v19h-19z" />`,
  4: html`<circle cx="12" cy="12" r="10.2" />`,
};

/** `waiting`: nobody acknowledged it; only then may it flash. */
export function Symbol({ priority, waiting = false }) {
  return html`<svg class="symbol p${priority} ${waiting ? "waiting" : ""}" viewBox="0 0 24 24" aria-hidden="true">
    <g class="shape">${SHAPES[priority]}</g>
    <text x="12" y=${priority === 1 ? 19 : 16.6} text-anchor="middle">${priority}</text>
  </svg>`;
}

/** Symbol and word. */
export function Priority({ alert, waiting }) {
  return html`<${Symbol} priority=${alert.priority} waiting=${waiting} /><span class="priority-word">${word("priority", alert.priority)}</span>`;
}
