// What is not protected right now: as the server says, asked for again while the board is open.
import { useEffect, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { age, clockTime, moment, t, titleIn, word } from "../core/i18n.js";
import { focusQueue } from "./app.js";
import { whyOf } from "./standing.js";

const AGAIN_MS = 15_000;

export function Board({ desk }) {
  const [board, setBoard] = useState({ items: /** @type {any[] | null} */ (null), more: 0, at: 0, error: "" });
  const live = desk.feedStatus.value === "live";
  const { shelved, suppressed, out_of_service: out } = desk.asides.value;
  const now = desk.now.value;

  useEffect(() => {
    let wanted = true;
    const ask = () =>
      desk.api.notProtected().then((answer) => {
        if (!wanted) return;
        if (answer.ok) setBoard({ items: answer.data.items, more: answer.data.more ?? 0, at: desk.clock.now(), error: "" });
        else setBoard((old) => ({ ...old, error: t("board.failed", { message: answer.message }) }));
      });
    if (live) ask();
    const again = setInterval(ask, AGAIN_MS);
    return () => {
      wanted = false;
      clearInterval(again);
    };
  }, [live, shelved, suppressed, out, desk.announced.value.length]);

  return html`
    ${board.error && html`<p class="trouble" role="alert">${board.error}</p>`}
    ${board.at > 0 && html`<p class="muted num">${t("board.as_of", { time: clockTime(board.at), n: board.items?.length ?? 0 })}</p>`}
    ${board.items === null && !board.error && html`<p class="muted">${t("board.loading")}</p>`}
    ${board.items?.length === 0 && html`<p>${t("board.none")}</p>`}
    <ul class="entries">${board.items?.map((gap, i) => html`<li key=${`${gap.kind}-${gap.id ?? gap.alert_id ?? i}`} class="entry gap" data-gap=${gap.kind}>
      <b class="tag">${word("gap", gap.kind)}</b>
      <div>
        <p><b>${titleIn(gap.what)}</b> ${whereIs(gap)}</p>
        <p class="muted num">${[
          gap.since ? t("board.since", { time: moment(Date.parse(gap.since), now) }) : t("board.in_force"),
          gap.until ? t("hold_of.until", { time: moment(Date.parse(gap.until), now), left: age(Date.parse(gap.until) - now) }) : gap.since && t("board.open_end"),
          gap.by && t("hold_of.by", { by: gap.by }),
          gap.approved_by && t("board.approved_by", { by: gap.approved_by }),
        ].filter(Boolean).join(" · ")}</p>
        ${gap.reason && !gap.reason.startsWith("cause:") && html`<p>${t("hold_of.why", { why: whyOf(gap.reason) })}</p>`}
        ${gap.changes?.length > 0 && html`<p>${t("board.changes", { changes: gap.changes.join("; ") })}</p>`}
        ${gap.measure && html`<p>${t("board.measure", { measure: gap.measure })}</p>`}
        ${gap.alert_id && html`<button class="link" onClick=${() => {
          desk.select(gap.alert_id);
          focusQueue();
        }}>${t("board.alert")}</button>`}
      </div>
    </li>`)}</ul>
    ${board.more > 0 && html`<p>${t("list.more", { n: board.more })}</p>`}`;
}

/** Where a rule is off or other: whole city, a district … */
const inScope = ({ level, value }) => (level === "city" ? word("scope", level) : `${word("scope", level)} ${value}`);

/** The unit, and the place in words; in codes where nobody registered one; of a rule, its scope. */
export function whereIs({ unit, place, zone, device, component, main, scope }) {
  if (scope) return inScope(scope);
  const there = place ?? [zone, device, component, main && t("board.main", { main })].filter(Boolean).join(" / ");
  return [unit, there].filter(Boolean).join(" · ");
}
