// The fields forms are made of; and a form's draft, which outlives a change of selection or panel.
import { useLayoutEffect, useRef, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { t } from "../core/i18n.js";

/** What was written under `name` and not sent yet. `change(part)` takes a part, `done()` lets go of all of it. */
export function useDraft(desk, name, empty) {
  const [draft, setDraft] = useState(desk.drafts.get(name) ?? empty);
  const put = (next) => {
    desk.drafts.put(name, next);
    setDraft(next ?? empty);
  };
  return [draft, put];
}

/** The first field has the focus when a form opens, before the next key: what is typed at once is text, not commands. `takes`: whether it does. */
export function useFirstField(takes = true) {
  const form = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    if (!takes) return;
    const field = /** @type {HTMLElement | null} */ (form.current?.querySelector("input, textarea, select, button"));
    field?.focus({ preventScroll: true });
    form.current?.scrollIntoView({ block: "nearest" });
  }, []);
  return form;
}

/** One of several, none of them chosen beforehand. `words(value)`: what it is called. */
export function Choice({ name, legend, values, words, value, onChange }) {
  return html`<fieldset>
    <legend>${legend}</legend>
    ${values.map((each) => html`<label key=${each} class="choice">
      <input type="radio" name=${name} value=${each} checked=${value === String(each)} required onChange=${() => onChange(String(each))} />
      ${words(each)}</label>`)}
  </fieldset>`;
}

/** A line of text. `needed`: the form does not go on without it, and its label says so. */
export function Line({ label, value, onInput, needed = false, max = 200, name = "", type = "text", list = undefined }) {
  return html`<label class="line-field">${label}${needed && ` ${t("form.needed")}`}
    <input name=${name} type=${type} value=${value} maxlength=${max} required=${needed} list=${list} autocomplete="off" spellcheck=${false}
      onInput=${(event) => onInput(event.currentTarget.value)} /></label>`;
}

export function Words({ label, value, onInput, needed = false, max = 2000, name = "" }) {
  return html`<label class="line-field">${label}${needed && ` ${t("form.needed")}`}
    <textarea name=${name} rows="2" maxlength=${max} required=${needed} value=${value} onInput=${(event) => onInput(event.currentTarget.value)}></textarea></label>`;
}
