// What happened to an alert, newest first, as the server keeps it.
import { useEffect, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { clockTime, moment, t, word } from "../core/i18n.js";

export function History({ desk, alert }) {
  const [state, setState] = useState({ items: /** @type {any[] | null} */ (null), error: "" });
  const calls = desk.dossier.rows("calls", alert.id).length; // of a call the alert itself tells nothing
  const noted = desk.acts.outcome(alert.id, "note");
  const live = desk.feedStatus.value === "live";

  // The server does not announce shown_at: in a flood every seat would be told of every alert twice.
  useEffect(() => {
    if (live) desk.refresh(alert.id);
  }, [alert.id, live]);

  useEffect(() => {
    let wanted = true;
    desk.api.history(alert.id).then((answer) => {
      if (!wanted) return;
      if (answer.ok) setState({ items: [...answer.data.items].reverse(), error: "" });
      else setState(({ items }) => ({ items, error: t("history.failed", { message: answer.message }) }));
    });
    return () => {
      wanted = false;
    };
  }, [alert.version, alert.state, calls, noted?.phase === "done" && noted, live]);

  return html`<h3>${t("history.title")}</h3>
    ${state.error && html`<p class="trouble">${state.error}</p>`}
    ${state.items === null && !state.error && html`<p class="muted">${t("history.loading")}</p>`}
    <ol class="history">
      ${state.items?.map((item) => html`<li key=${item.seq}>
        <time class="num">${moment(Date.parse(item.at), desk.now.value)}</time>
        <span><b>${word("reason", item.reason)}</b> <span class="muted">${actor(item.actor)}</span>${evidence(item)}</span>
      </li>`)}
    </ol>`;
}

const actor = (name) => word("actor", name);

const WORDS = { disposition: "disposition", result: "verification", verification: "verification", method: "method", channel: "channel", class: "class" };
const TEXTS = ["person", "number", "to", "reference", "cause", "reason", "text", "note", "caller", "phone", "recording"];

/** What a person chose and wrote, and the bytes of an alarm nobody could read; measured evidence is in the alert itself. */
function evidence({ evidence: found }) {
  if (!found) return null;
  const chosen = Object.entries(WORDS).map(([name, group]) => found[name] && word(group, found[name]));
  const written = TEXTS.map((name) => (typeof found[name] === "string" ? found[name] : ""));
  const called = found.call_back && `${t("history.call_back")} ${found.call_back.person} ${found.call_back.number}`;
  const call = found.outcome ? [word("direction", found.direction), word("purpose", found.purpose), word("outcome", found.outcome)] : [];
  const nobody = Object.entries(found.roles ?? {}).map(([role, why]) => `${word("role", role)}: ${word("nobody", why)}`);
  const text = [...call, ...nobody, ...chosen, found.deadline && word("deadline", found.deadline), found.unverified && t("history.unverified"), ...written, called, found.until && t("history.until", { time: clockTime(Date.parse(found.until)) })].filter(Boolean).join(" · ");
  return html`${text && html`<br /><span class="said">${text}</span>`}
    ${found.payload && html`<br /><code class="payload" data-payload>${found.payload}</code>`}`;
}
