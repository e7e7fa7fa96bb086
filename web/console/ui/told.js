// Who was told of an alert 通知: each letter with what became of it; sent, delivered, read and acted on are facts of their own.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { integer, moment, t, word } from "../core/i18n.js";
import { hasFailed, lettersInOrder } from "../core/dossier.js";
import { Icon } from "./icons.js";

/** More than these are a press away; what failed never is. */
const FIRST = 5;
const FACTS = ["sent", "delivered", "read", "acted"];

export function Told({ desk, alert }) {
  const { data, error } = desk.dossier.of("letters", alert.id);
  const [all, setAll] = useState(false);
  const letters = lettersInOrder(data?.items ?? []);
  const shown = all ? letters : letters.filter((letter, i) => i < FIRST || hasFailed(letter));
  return html`<section class="told" aria-label=${t("told.title")} data-told>
    <h3>${t("told.title")}</h3>
    ${error && html`<p class="trouble" role="alert">${t("board.failed", { message: error })}</p>`}
    ${data && !letters.length && html`<p class="muted">${t("told.nobody")}</p>`}
    <ul class="letters">${shown.map((letter) => html`<${Letter} key=${letter.id} letter=${letter} now=${desk.now.value} />`)}</ul>
    ${letters.length > shown.length && html`<button data-all-letters onClick=${() => setAll(true)}>${t("told.all", { n: integer(letters.length) })}</button>`}
  </section>`;
}

function Letter({ letter, now }) {
  const bad = hasFailed(letter);
  return html`<li class="letter ${bad ? "bad" : ""}" data-letter=${letter.id} data-letter-state=${letter.undelivered ? "undelivered" : letter.state}>
    <p><b>${letter.name}</b> ${word("role", letter.role)} <span class="muted">${letter.channel} · ${letter.address}</span></p>
    <p class="muted">${[word("told_of", letter.reason), t("told.level", { n: letter.level }), moment(Date.parse(letter.created_at), now)].join(" · ")}</p>
    ${bad && html`<p class="doubt"><${Icon} name="overdue" /><b>${letter.undelivered ? t("told.undelivered") : word("letter_state", letter.state)}</b>
      ${letter.trouble && html` <span>${letter.trouble}</span>`} ${letter.tries > 0 && html`<span class="num">${t("told.tries", { n: integer(letter.tries) })}</span>`}
      ${letter.next_try_at && html`<span class="num">${t("told.next", { time: moment(Date.parse(letter.next_try_at), now) })}</span>`}</p>`}
    ${!bad && letter.state !== "sent" && html`<p>${word("letter_state", letter.state)}${letter.state === "cancelled" && letter.trouble && html` · ${word("letter_why", letter.trouble)}`}</p>`}
    <dl class="letter-facts">${FACTS.map((fact) => {
      const at = letter[`${fact}_at`];
      return html`<div key=${fact} class=${at ? "" : "muted"} data-fact=${fact} data-known=${Boolean(at)}><dt>${t(`told.${fact}`)}</dt><dd class="num">${at ? moment(Date.parse(at), now) : "–"}</dd></div>`;
    })}</dl>
  </li>`;
}
