// The open alarms that pass over at a handover: each looked at and accepted by name. Fires one by one; others are ticked and go together.
import { useLayoutEffect, useRef, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { age, integer, t, titleIn, word } from "../core/i18n.js";
import { focusQueue } from "./app.js";
import { Result } from "./outcome.js";
import { Symbol } from "./symbol.js";

const STEPS = { KeyJ: 1, ArrowDown: 1, KeyK: -1, ArrowUp: -1 };

export function Passing({ desk, draft, comes }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const [ticked, setTicked] = useState(/** @type {Set<string>} */ (new Set()));
  const waiting = new Set(draft.alerts.filter(({ accepted }) => !accepted).map(({ id }) => id));
  const chosen = [...ticked].filter((id) => waiting.has(id));
  const tick = (id) => setTicked((before) => (before.has(id) ? new Set([...before].filter((each) => each !== id)) : new Set(before).add(id)));
  const accept = async () => {
    const result = await desk.relief.accept("relief ticked", chosen);
    if (result?.phase === "done") setTicked(new Set());
  };
  useLayoutEffect(() => {
    const held = document.activeElement;
    if (comes && (!held || held.matches("body, #panel, #queue-list, .banners *, #relief button"))) /** @type {HTMLElement | null} */ (list.current?.querySelector("[data-taken=false] [data-take]"))?.focus({ preventScroll: true });
  }, []);
  /** Keys in the list are of the list: A takes the row that has the focus, and acknowledges nothing in the queue. */
  const onKey = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.key === "Tab" || event.code === "Escape") return;
    const rows = [.../** @type {NodeListOf<HTMLElement>} */ (list.current?.querySelectorAll("[data-take]"))];
    const at = rows.indexOf(event.target);
    const step = STEPS[event.code];
    if (step) rows[at + step]?.focus();
    else if (event.code === "KeyA" && !event.repeat) rows[at]?.click();
    else if (event.code === "Enter" || event.code === "Space") return event.repeat ? event.preventDefault() : event.stopPropagation();
    event.preventDefault();
  };
  return html`
    ${comes && waiting.size > 0 && html`<p class="muted">${t("relief.keys")}</p>`}
    <ul ref=${list} class="entries passing" onKeyDown=${onKey}>${draft.alerts.map((alert) => html`<${Row} key=${alert.id} desk=${desk} alert=${alert} comes=${comes} isNew=${desk.relief.arrived.has(alert.id)} ticked=${ticked.has(alert.id)} onTick=${() => tick(alert.id)} />`)}</ul>
    ${draft.open > draft.alerts.length && html`<p class="why">${t("relief.more", { n: integer(draft.open - draft.alerts.length) })}</p>`}
    ${comes && html`<div class="form-end"><${Result} desk=${desk} name="relief ticked" done="" />${chosen.length > 0 && html`<button class="primary" data-accept-ticked onClick=${accept}>${t("relief.accept_ticked", { n: integer(chosen.length) })}</button>`}</div>`}`;
}

function Row({ desk, alert, comes, isNew, ticked, onTick }) {
  const { id, accepted } = alert;
  const fire = alert.class === "fire";
  const name = `relief ${id}`;
  const where = [alert.unit, alert.place].filter(Boolean).join(" · ");
  const title = titleIn({ zh: alert.title_zh, en: alert.title_en });
  const said = [
    alert.hold === "none" ? word("state", alert.state) : word("hold", alert.hold),
    alert.assignee && t("relief.assignee", { name: alert.assignee }),
    t("relief.open_for", { age: age(desk.now.value - Date.parse(alert.raised_at)) }),
    alert.notes > 0 && t("relief.has_notes", { n: alert.notes }),
    alert.calls > 0 && t("relief.has_calls", { n: alert.calls, last: word("outcome", alert.last_call) }),
    alert.letters_waiting > 0 && t("relief.letters_waiting", { n: alert.letters_waiting }),
  ].filter(Boolean);
  const take = () => {
    if (accepted) return;
    if (fire) desk.relief.accept(name, [id]);
    else onTick();
  };
  const look = () => {
    desk.select(id);
    focusQueue();
  };
  const words = accepted ? t("relief.accepted") : fire ? t("relief.accept") : t(ticked ? "relief.ticked" : "relief.tick");
  return html`<li class="entry passed p${alert.priority} ${accepted ? "taken" : ""}" data-passing=${id} data-taken=${accepted}>
    <${Symbol} priority=${alert.priority} waiting=${false} />
    <div>
      <p class="passed-what">${isNew && html`<span class="flag loud">${t("relief.new")}</span> `}<b>${title}</b> <span>${where}</span></p>
      <p class="muted num">${said.join(" · ")}${alert.letters_failed > 0 && html` · <b class="warn">${t("relief.letters_failed", { n: alert.letters_failed })}</b>`} <button class="link" data-look=${id} onClick=${look}>${t("board.alert")} #${id}</button></p>
      <${Result} desk=${desk} name=${name} done="" />
    </div>
    ${comes
      ? html`<button data-take=${id} class=${ticked && !accepted ? "ticked" : ""} aria-disabled=${accepted} aria-pressed=${fire ? undefined : ticked || accepted} aria-label=${`${words}: ${word("class", alert.class)} ${title} ${where}`} onClick=${take}>${words}${!accepted && html` <kbd>A</kbd>`}</button>`
      : html`<span class=${accepted ? "" : "muted"}>${accepted ? words : t("relief.not_yet")}</span>`}
  </li>`;
}
