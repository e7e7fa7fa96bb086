// Closed lately: to look at again, and to reopen what was closed with the wrong verdict.
import { useEffect, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { moment, t, titleOf, word } from "../core/i18n.js";
import { placeOf } from "./row.js";
import { Symbol } from "./symbol.js";

const LOOK_BACK_MS = 86_400_000;

export function ClosedList({ desk }) {
  const [found, setFound] = useState({ items: /** @type {any[] | null} */ (null), more: false, error: "" });
  const now = desk.now.value;
  useEffect(() => {
    let wanted = true;
    desk.api.closedSince(desk.clock.now() - LOOK_BACK_MS).then((answer) => {
      if (!wanted) return;
      if (!answer.ok) return setFound({ items: null, more: false, error: t("board.failed", { message: answer.message }) });
      setFound({ items: answer.data.items.sort((a, b) => Date.parse(b.closed_at) - Date.parse(a.closed_at)), more: Boolean(answer.data.next_cursor), error: "" });
    });
    return () => {
      wanted = false;
    };
  }, [desk.feedStatus.value === "live"]);
  return html`<p class="muted">${t("closed.explained")}</p>
    ${found.error && html`<p class="trouble" role="alert">${found.error}</p>`}
    ${found.items === null && !found.error && html`<p class="muted">${t("board.loading")}</p>`}
    ${found.items?.length === 0 && html`<p>${t("closed.none")}</p>`}
    ${found.more && html`<p class="why" data-closed-more>${t("closed.more", { n: found.items?.length })}</p>`}
    <ul class="entries">${found.items?.map((alert) => html`<li key=${alert.id}><button class="entry" data-closed=${alert.id} onClick=${() => desk.selectClosed(alert)}>
      <${Symbol} priority=${alert.priority} />
      <span><b>${titleOf(alert)}</b> ${placeOf(alert)}</span>
      <span class="num">${moment(Date.parse(alert.closed_at), now)} ${alert.disposition ? word("disposition", alert.disposition) : ""} ${alert.closed_by ?? ""}</span>
    </button></li>`)}</ul>`;
}
