// What several panels do alike: ask once, say that it is on its way, that it failed, or that there is nothing.
import { useEffect, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { monotonic } from "../core/clock.js";
import { age, t } from "../core/i18n.js";

/**
 * Asks when `on` changes; each `everyMs` again where given.
 * `at`: when it was answered last, by this page's steady clock in ms; 0: never.
 * @returns {{data: any, error: string, at: number, again: () => void}}
 */
export function useAnswer(ask, on, everyMs = 0) {
  const [answer, setAnswer] = useState({ data: /** @type {any} */ (null), error: "", at: 0 });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let wanted = true;
    const look = () => ask().then((got) => wanted && setAnswer((old) => (got.ok ? { data: got.data, error: "", at: monotonic() } : { ...old, error: t("board.failed", { message: got.message }) })));
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

/** What was answered longer ago than `forMs` is greyed and says how old it is; nothing old looks like now. */
export function Aged({ ms, forMs, children }) {
  const old = ms > forMs;
  return html`<div class=${old ? "aged" : ""} data-aged=${old}>${old && html`<p class="aged-word" role="status">${t("aged.word", { age: age(ms) })}</p>`}${children}</div>`;
}
