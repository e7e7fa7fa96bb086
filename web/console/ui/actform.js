// The form of one act, inline under the steps: what to choose and write; a verdict on a fire, or forwarding it unverified, is confirmed once more.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { clockTime, t, word } from "../core/i18n.js";
import { lastAnswered } from "../core/dossier.js";
import { isFire } from "../core/marks.js";
import { formOf } from "../core/offers.js";
import { focusQueue } from "./app.js";
import { LookedAt } from "./cameras.js";
import { callText } from "./contacts.js";
import { Choice, Line, Words, useDraft, useFirstField } from "./fields.js";
import { placeOf } from "./row.js";

const SHELVE_MINUTES = [15, 30, 60, 120, 240, 480];
const MINUTE_MS = 60_000;

const isVerified = (alert) => alert.verification === "real";

/**
 * By act: `empty` draft, its `fields`, the `body` it sends, and `sure`: the sentence to be confirmed once more, if any.
 * @type {Record<string, any>}
 */
const FORMS = {
  verify: {
    empty: { result: "", method: "", person: "", cause: "", call: "" },
    fields: VerifyFields,
    body: ({ result, method, person, cause, call }) => ({ result, method, ...said({ person, cause }), ...(call && method === "phone" ? { call_id: call } : {}) }),
    sure: (alert, { result }, desk) => (isFire(alert) || alert.class === "prealarm") && t(result === "real" && desk.handsOver ? "sure.verify_real_told" : `sure.verify_${result}`),
  },
  forward: {
    empty: {},
    fields: ({ desk, alert }) => html`<p>${t(isVerified(alert) ? "form.forward_real" : "form.forward_unverified")} ${t(desk.handsOver ? "form.forward_told" : "form.forward_call")}</p>`,
    body: (_, alert) => (isVerified(alert) ? {} : { unverified: true }),
    sure: (alert) => !isVerified(alert) && t("sure.forward_unverified"),
  },
  receipt: {
    empty: { person: "", reference: "", channel: "" },
    fields: ReceiptFields,
    body: ({ person, reference, channel }) => ({ person: person.trim(), channel, ...said({ reference }) }),
  },
  "follow-up": {
    empty: { text: "" },
    fields: ({ draft, change }) => html`<${Words} name="text" label=${t("field.follow_up")} needed value=${draft.text} onInput=${(text) => change({ text })} />`,
    body: ({ text }) => ({ text: text.trim() }),
  },
  cancel: {
    empty: { reason: "" },
    fields: ({ draft, change }) => html`<p>${t("form.cancel")}</p><${Line} name="reason" label=${t("field.cancel_reason")} needed value=${draft.reason} onInput=${(reason) => change({ reason })} />`,
    body: ({ reason }) => ({ reason: reason.trim() }),
    sure: (alert) => isFire(alert) && t("sure.cancel"),
  },
  assign: {
    empty: { to: null },
    fields: ({ desk, draft, change }) => html`<${Line} name="to" label=${t("field.to")} needed value=${draft.to ?? desk.operator.value?.username} max=${64} onInput=${(to) => change({ to })} />`,
    body: ({ to }, _, __, me) => ({ to: (to ?? me).trim() }),
  },
  shelve: {
    empty: { minutes: "", reason: "" },
    fields: ShelveFields,
    body: ({ minutes, reason }, _, now) => ({ until: new Date(now + Number(minutes) * MINUTE_MS).toISOString(), reason: reason.trim() }),
  },
  unshelve: { empty: {}, fields: () => html`<p>${t("form.unshelve")}</p>`, body: () => ({}) },
  reopen: {
    empty: { reason: "" },
    fields: ({ draft, change }) => html`<${Line} name="reason" label=${t("field.reason")} needed value=${draft.reason} onInput=${(reason) => change({ reason })} />`,
    body: ({ reason }) => ({ reason: reason.trim() }),
  },
};

/** What was written, without what was not. */
export const said = (fields) => Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, text.trim()]).filter(([, text]) => text));

/** `given`: what is not asked for, because where the form stands says it; such a form does not take the focus. */
export function ActForm({ desk, alert, verb, given = undefined }) {
  const { empty, fields: Fields, body, sure } = FORMS[verb];
  const name = formOf(alert, verb);
  const [written, put] = useDraft(desk, name, empty);
  const draft = { ...written, ...given };
  const [asked, setAsked] = useState("");
  const form = useFirstField(!given);
  const phase = desk.acts.outcome(alert.id, verb)?.phase;
  const busy = phase === "doing";
  const change = (part) => {
    setAsked("");
    if (phase && !busy) desk.acts.forget(alert.id, verb);
    put({ ...draft, ...part });
  };
  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    const question = sure?.(alert, draft, desk) || "";
    if (question && asked !== question) return setAsked(question);
    const outcome = await desk.acts.act(alert, verb, body(draft, alert, desk.clock.now(), desk.operator.value?.username));
    setAsked("");
    if (outcome?.phase !== "done" && outcome?.phase !== "waiting") return;
    put(null);
    if (desk.form.value === name) desk.form.value = "";
    if (document.activeElement === document.body || form.current?.contains(document.activeElement)) focusQueue();
  };
  return html`<form ref=${form} class="act-form" data-form=${verb} onSubmit=${submit}>
    <h3>${word("verb", verb)} · ${placeOf(alert)}</h3>
    <${Fields} desk=${desk} alert=${alert} draft=${draft} change=${change} id=${name} given=${given ?? {}} />
    ${asked && html`<p class="sure" role="alert">${asked}</p>`}
    <div class="form-end">
      ${!given && html`<button type="button" onClick=${() => {
        desk.form.value = "";
        focusQueue();
      }}>${t("close.back")} <kbd>Esc</kbd></button>`}
      <button class=${asked ? "danger" : "primary"} disabled=${busy}>${asked ? t("form.confirm", { verb: word("verb", verb) }) : word("verb", verb)} <kbd>Enter</kbd></button>
    </div>
  </form>`;
}

function VerifyFields({ desk, alert, draft, change, id }) {
  const call = lastAnswered(desk.dossier.rows("calls", alert.id));
  const offered = draft.method === "phone" && call && draft.call !== call.id;
  return html`
    <${WhomToCall} desk=${desk} alert=${alert} />
    <${Choice} name=${`result ${id}`} legend=${t("field.result")} values=${["real", "false", "unverifiable"]} words=${(value) => word("verification", value)} value=${draft.result} onChange=${(result) => change({ result })} />
    <${Choice} name=${`method ${id}`} legend=${t("field.method")} values=${["phone", "video", "on_site", "second_signal"]} words=${(value) => word("method", value)} value=${draft.method} onChange=${(method) => change({ method, ...(method === "phone" && call && !draft.person.trim() ? { person: call.name, call: call.id } : {}) })} />
    ${draft.method === "video" && html`<${LookedAt} desk=${desk} alert=${alert} />`}
    ${draft.call && draft.method === "phone" && call && html`<p data-on-call=${draft.call}>${t("calls.named")} <b class="num">${callText(call)}</b></p>`}
    ${offered && html`<button type="button" data-offered-call=${call.id} onClick=${() => change({ person: call.name, call: call.id })}>${callText(call)}</button>`}
    <${Line} name="person" label=${t("field.verified_with")} needed=${draft.method === "phone" || draft.method === "on_site"} max=${100} value=${draft.person} onInput=${(person) => change({ person, call: "" })} />
    <${Line} name="cause" label=${t("field.false_cause")} needed=${draft.result === "false"} value=${draft.cause} onInput=${(cause) => change({ cause })} />`;
}

/** The first who can be reached now. */
function WhomToCall({ desk, alert }) {
  const { data } = desk.dossier.of("contacts", alert.id);
  const first = data?.items.find((each) => each.reachable);
  return html`<p class="num">${t("field.contact")} ${first
    ? html`<b>${first.name}</b> ${word("role", first.role)} <a href=${`tel:${first.phone}`}>${first.phone}</a>`
    : html`<b>${data ? t("field.no_contact") : "…"}</b>`}</p>`;
}

function ReceiptFields({ draft, change, id, given }) {
  return html`
    <${Line} name="person" label=${t("field.at_119")} needed max=${100} value=${draft.person} onInput=${(person) => change({ person })} />
    <${Line} name="reference" label=${t("field.reference")} needed=${draft.channel === "voice"} max=${100} value=${draft.reference} onInput=${(reference) => change({ reference })} />
    ${!given.channel && html`<${Choice} name=${`channel ${id}`} legend=${t("field.channel")} values=${["voice", "interface"]} words=${(value) => word("channel", value)} value=${draft.channel} onChange=${(channel) => change({ channel })} />`}`;
}

function ShelveFields({ desk, draft, change, id }) {
  const ends = draft.minutes && clockTime(desk.now.value + Number(draft.minutes) * MINUTE_MS);
  return html`
    <${Choice} name=${`minutes ${id}`} legend=${ends ? t("field.shelve_until", { time: ends }) : t("field.shelve_for")} values=${SHELVE_MINUTES} words=${duration} value=${draft.minutes} onChange=${(minutes) => change({ minutes })} />
    <${Line} name="reason" label=${t("field.reason")} needed value=${draft.reason} onInput=${(reason) => change({ reason })} />`;
}

/** 30 分钟, 2 小时, 7 天 */
export function duration(minutes) {
  if (minutes < 60) return t("age.whole_minutes", { m: minutes });
  return minutes % 1440 ? t("age.whole_hours", { h: minutes / 60 }) : t("age.whole_days", { d: minutes / 1440 });
}
