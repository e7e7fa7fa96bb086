// The form of one act, inline under the steps: what to choose and write; a verdict on a fire, or forwarding it unverified, is confirmed once more.
import { useEffect, useState } from "../vendor/preact-hooks.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { clockTime, t, word } from "../core/i18n.js";
import { isFire } from "../core/marks.js";
import { formOf } from "../core/offers.js";
import { focusQueue } from "./app.js";
import { Choice, Line, useDraft, useFirstField } from "./fields.js";
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
    empty: { result: "", method: "", person: "", cause: "" },
    fields: VerifyFields,
    body: ({ result, method, person, cause }) => ({ result, method, ...said({ person, cause }) }),
    sure: (alert, { result }) => (isFire(alert) || alert.class === "prealarm") && t(`sure.verify_${result}`),
  },
  forward: {
    empty: {},
    fields: ({ alert }) => html`<p>${t(isVerified(alert) ? "form.forward_real" : "form.forward_unverified")}</p>`,
    body: (_, alert) => (isVerified(alert) ? {} : { unverified: true }),
    sure: (alert) => !isVerified(alert) && t("sure.forward_unverified"),
  },
  receipt: {
    empty: { person: "", reference: "", channel: "" },
    fields: ReceiptFields,
    body: ({ person, reference, channel }) => ({ person: person.trim(), channel, ...said({ reference }) }),
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

export function ActForm({ desk, alert, verb }) {
  const { empty, fields: Fields, body, sure } = FORMS[verb];
  const name = formOf(alert, verb);
  const [draft, put] = useDraft(desk, name, empty);
  const [asked, setAsked] = useState("");
  const form = useFirstField();
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
    const question = sure?.(alert, draft) || "";
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
    <${Fields} desk=${desk} alert=${alert} draft=${draft} change=${change} id=${name} />
    ${asked && html`<p class="sure" role="alert">${asked}</p>`}
    <div class="form-end">
      <button type="button" onClick=${() => {
        desk.form.value = "";
        focusQueue();
      }}>${t("close.back")} <kbd>Esc</kbd></button>
      <button class=${asked ? "danger" : "primary"} disabled=${busy}>${asked ? t("form.confirm", { verb: word("verb", verb) }) : word("verb", verb)} <kbd>Enter</kbd></button>
    </div>
  </form>`;
}

function VerifyFields({ desk, alert, draft, change, id }) {
  return html`
    <${WhomToCall} desk=${desk} unit=${alert.unit} />
    <${Choice} name=${`result ${id}`} legend=${t("field.result")} values=${["real", "false", "unverifiable"]} words=${(value) => word("verification", value)} value=${draft.result} onChange=${(result) => change({ result })} />
    <${Choice} name=${`method ${id}`} legend=${t("field.method")} values=${["phone", "video", "on_site", "second_signal"]} words=${(value) => word("method", value)} value=${draft.method} onChange=${(method) => change({ method })} />
    <${Line} name="person" label=${t("field.verified_with")} needed=${draft.method === "phone" || draft.method === "on_site"} max=${100} value=${draft.person} onInput=${(person) => change({ person })} />
    <${Line} name="cause" label=${t("field.false_cause")} needed=${draft.result === "false"} value=${draft.cause} onInput=${(cause) => change({ cause })} />`;
}

/** The unit's contact, where the registry has one. */
function WhomToCall({ desk, unit }) {
  const [contact, setContact] = useState("");
  useEffect(() => {
    let wanted = true;
    if (unit) desk.api.unit(unit).then((answer) => wanted && answer.ok && setContact([answer.data.contact_name, answer.data.contact_phone].filter(Boolean).join(" ")));
    return () => {
      wanted = false;
    };
  }, [unit]);
  return html`<p class="num">${t("field.contact")} <b>${contact || t("field.no_contact")}</b></p>`;
}

function ReceiptFields({ draft, change, id }) {
  return html`
    <${Line} name="person" label=${t("field.at_119")} needed max=${100} value=${draft.person} onInput=${(person) => change({ person })} />
    <${Line} name="reference" label=${t("field.reference")} needed=${draft.channel === "voice"} max=${100} value=${draft.reference} onInput=${(reference) => change({ reference })} />
    <${Choice} name=${`channel ${id}`} legend=${t("field.channel")} values=${["voice", "interface"]} words=${(value) => word("channel", value)} value=${draft.channel} onChange=${(channel) => change({ channel })} />`;
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
