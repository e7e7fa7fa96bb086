// What several panels do alike: ask once, say that it is on its way, that it failed, or that there is nothing.
import { useEffect, useState } from "../vendor/preact-hooks.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { t } from "../core/i18n.js";

/**
 * Asks when `on` changes; each `everyMs` again where given.
 * @returns {{data: any, error: string, again: () => void}}
 */
export function useAnswer(ask, on, everyMs = 0) {
  const [answer, setAnswer] = useState({ data: /** @type {any} */ (null), error: "" });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let wanted = true;
    const look = () => ask().then((got) => wanted && setAnswer((old) => (got.ok ? { data: got.data, error: "" } : { ...old, error: t("board.failed", { message: got.message }) })));
    look();
    const timer = everyMs ? setInterval(look, everyMs) : 0;
    return () => {
      wanted = false;
      clearInterval(timer);
    };
  }, [...on, turn]);
  return { ...answer, again: () => setTurn((n) => n + 1) };
}

/** The state of an answer in words, until there is something to show. */
export function Asking({ answer, none = "" }) {
  if (answer.error) return html`<p class="trouble" role="alert">${answer.error}</p>`;
  if (answer.data === null) return html`<p class="muted">${t("board.loading")}</p>`;
  return none ? html`<p>${none}</p>` : null;
}
