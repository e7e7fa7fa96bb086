// 联系人: whom to call of a unit, a grid, a micro fire station or the centre: by role and order, with hours, who can be called now or why not; kept up to date by whoever may.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { listed, moment, t, word } from "../core/i18n.js";
import { Asking, useAnswer } from "./entries.js";
import { Line, useDraft } from "./fields.js";
import { Icon } from "./icons.js";
import { Result } from "./outcome.js";

const ROLES = { unit: ["control_room", "responsible", "manager", "keeper"], grid: ["grid_worker", "keeper"], station: ["station"], centre: ["duty_lead", "on_call"] };
const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];
const MOST_STATIONS = 30;
const EVERY_MS = 60_000;

/** Days in words: 每天, or their names. */
const daysIn = (days) => (days.length === 7 ? t("contactbook.every_day") : listed(days.map((day) => word("weekday_short", day))));

const hoursIn = (hours) => (hours.length ? hours.map(({ days, from, to }) => `${daysIn(days)} ${from}–${to}`).join("; ") : t("contactbook.always"));

/** `kind`: unit, grid or centre; `code`: of which. */
export function ContactBook({ desk, kind, code }) {
  const path = kind === "centre" ? "/centre/contacts" : `/${kind}s/${encodeURIComponent(code)}/contacts`;
  const book = useAnswer(() => desk.api.get(path), [path], EVERY_MS);
  const [editing, setEditing] = useState(desk.drafts.get(path) !== undefined);
  const may = ["operator", "admin"].includes(desk.operator.value?.role);
  const items = book.data?.items ?? [];
  const again = () => {
    setEditing(false);
    book.again();
  };
  return html`<section class="contactbook" data-book=${`${kind} ${code}`} aria-label=${t("contactbook.title")}>
    <${Asking} answer=${book} none=${book.data && !items.length ? t("contactbook.none") : ""} />
    ${!editing && html`<ul class="people">${items.map((each) => html`<${Person} key=${each.id} desk=${desk} each=${each} />`)}</ul>
      <${Result} desk=${desk} name=${path} done=${t("contactbook.saved")} />
      ${may && book.data && html`<p><button data-edit-contacts onClick=${() => {
        desk.requests.forget(path);
        setEditing(true);
      }}>${t("contactbook.change")}</button></p>`}`}
    ${editing && book.data && html`<${Editor} desk=${desk} name=${path} items=${items} roles=${ROLES[kind]} put=${(contacts) => ({ path, body: { contacts } })} onDone=${again} />`}
  </section>`;
}

function Person({ desk, each }) {
  const now = desk.now.value;
  const others = Object.entries(each.addresses ?? {}).map(([name, address]) => `${name} ${address}`);
  return html`<li class="person ${each.reachable === false ? "away" : ""}" data-contact=${each.id} data-reachable=${each.reachable}>
    <p><b>${each.name}</b> <span>${word("role", each.role)}</span> <span class="muted num">${t("contactbook.order", { n: each.order })}</span></p>
    ${each.phone ? html`<a class="dial num" href=${`tel:${each.phone}`}><${Icon} name="phone" />${each.phone}</a>` : html`<span class="muted">${t("contacts.no_phone")}</span>`}
    <p class="why-not">${each.reachable === true ? html`<b>${t("contactbook.reachable")}</b> · ` : each.why === "off_hours" ? html`<${Icon} name="away" /><b>${each.reachable_from ? t("contacts.off_hours", { time: moment(Date.parse(each.reachable_from), now) }) : t("contacts.off_hours_always")}</b> · ` : each.why === "no_phone" ? html`<${Icon} name="away" /><b>${t("contactbook.not_by_phone")}</b> · ` : ""}<span class="num">${hoursIn(each.hours)}</span></p>
    ${(each.email || others.length > 0) && html`<p class="muted more-ways">${[each.email, ...others].filter(Boolean).join(" · ")}</p>`}
    ${each.changed_by && html`<p class="muted more-ways num">${t("contactbook.by", { by: each.changed_by, time: moment(Date.parse(each.changed_at), now) })}</p>`}
  </li>`;
}

const draftOf = ({ role, name, phone, email, addresses, hours, order, language }) => ({ role, name, phone: phone ?? "", email: email ?? "", addresses: addresses ?? {}, hours: hours.map((each) => ({ ...each })), order: String(order), language });

/** What is sent of what was written. */
const sentOf = ({ role, name, phone, email, addresses, hours, order, language }) => ({
  role, name: name.trim(), ...(phone.trim() ? { phone: phone.trim() } : {}), ...(email.trim() ? { email: email.trim() } : {}), addresses, hours, order: Number(order) || 1, language,
});

/** `put(contacts)`: where all of them are sent, and how. */
function Editor({ desk, name, items, roles, put, onDone }) {
  const [rows, keep] = useDraft(desk, name, items.map(draftOf));
  const result = desk.requests.result(name);
  const problems = result?.phase === "refused" && Array.isArray(result.details) ? result.details : [];
  const at = (i) => problems.filter(({ where }) => new RegExp(`contacts\\.${i}(\\.|$)`).test(where ?? ""));
  const placed = rows.flatMap((_, i) => at(i));
  const change = (i, part) => keep(rows.map((row, n) => (n === i ? { ...row, ...part } : row)));
  const submit = async (event) => {
    event.preventDefault();
    const { path, body } = put(rows.map(sentOf));
    const sent = await desk.requests.send(name, path, body, "PUT");
    if (sent?.phase !== "done") return;
    keep(null);
    onDone();
  };
  return html`<form class="act-form" data-form="contacts" onSubmit=${submit}>
    ${rows.map((row, i) => html`<fieldset key=${i} class="contact-fields" data-row=${i}><legend>${row.name || t("contactbook.new")}</legend>
      <label class="line-field">${t("contactbook.role")}<select name="role" value=${row.role} onChange=${(event) => change(i, { role: event.currentTarget.value })}>${roles.map((role) => html`<option key=${role} value=${role}>${word("role", role)}</option>`)}</select></label>
      <${Line} name="name" label=${t("contactbook.name")} needed max=${100} value=${row.name} onInput=${(text) => change(i, { name: text })} />
      <${Line} name="phone" label=${t("contactbook.phone")} max=${40} value=${row.phone} onInput=${(text) => change(i, { phone: text })} />
      <${Line} name="email" label=${t("contactbook.email")} max=${200} value=${row.email} onInput=${(text) => change(i, { email: text })} />
      <${Line} name="order" label=${t("contactbook.order_label")} max=${4} value=${row.order} onInput=${(text) => change(i, { order: text })} />
      <${Hours} hours=${row.hours} onChange=${(hours) => change(i, { hours })} />
      ${at(i).map(({ message }) => html`<p key=${message} class="trouble" role="alert">${message}</p>`)}
      <p><button type="button" data-remove onClick=${() => keep(rows.filter((_, n) => n !== i))}>${t("contactbook.remove", { name: row.name || t("contactbook.new") })}</button></p>
    </fieldset>`)}
    <p><button type="button" data-add-contact onClick=${() => keep([...rows, { role: roles[0], name: "", phone: "", email: "", addresses: {}, hours: [], order: String(rows.length + 1), language: "zh" }])}>${t("contactbook.add")}</button></p>
    ${placed.length < problems.length || !problems.length ? html`<${Result} desk=${desk} name=${name} done="" />` : ""}
    <div class="form-end"><button type="button" onClick=${() => {
      keep(null);
      desk.requests.forget(name);
      onDone();
    }}>${t("close.back")}</button><button class="primary" data-save disabled=${result?.phase === "doing"}>${t("contactbook.save")}</button></div>
  </form>`;
}

/** When somebody can be called, by the centre's clock; none: at any time. */
function Hours({ hours, onChange }) {
  const set = (i, part) => onChange(hours.map((each, n) => (n === i ? { ...each, ...part } : each)));
  return html`<fieldset class="hours"><legend>${t("contactbook.hours")} ${!hours.length && t("contactbook.always")}</legend>
    ${hours.map((each, i) => html`<div key=${i} class="hour-row"><span class="day-row" role="group" aria-label=${t("contactbook.days")}>${EVERY_DAY.map((day) => html`<button key=${day} type="button" aria-pressed=${each.days.includes(day)} onClick=${() => set(i, { days: each.days.includes(day) ? each.days.filter((one) => one !== day) : [...each.days, day].sort() })}>${word("weekday_short", day)}</button>`)}</span>
      <label>${t("contactbook.begins")} <input type="time" value=${each.from} required onInput=${(event) => set(i, { from: event.currentTarget.value })} /></label>
      <label>${t("contactbook.ends")} <input type="time" value=${each.to === "24:00" ? "00:00" : each.to} required onInput=${(event) => set(i, { to: event.currentTarget.value === "00:00" ? "24:00" : event.currentTarget.value })} /></label>
      <button type="button" onClick=${() => onChange(hours.filter((_, n) => n !== i))}>${t("contactbook.remove_hours")}</button></div>`)}
    <button type="button" data-add-hours onClick=${() => onChange([...hours, { days: [1, 2, 3, 4, 5], from: "08:00", to: "18:00" }])}>${t("contactbook.add_hours")}</button></fieldset>`;
}

/** The micro fire stations 微型消防站 of a grid, each with its people. */
export function Stations({ desk, grid }) {
  const stations = useAnswer(() => desk.api.get("/stations", { grid, limit: MOST_STATIONS }), [grid]);
  const [editing, setEditing] = useState("");
  const may = ["operator", "admin"].includes(desk.operator.value?.role);
  const items = stations.data?.items ?? [];
  return html`<${Asking} answer=${stations} none=${stations.data && !items.length ? t("contactbook.no_stations") : ""} />
    ${items.map((station) => {
      const path = `/stations/${encodeURIComponent(station.station)}`;
      return html`<section key=${station.station} data-station=${station.station}><h4>${station.name || station.station} <small>${station.station}</small></h4>
        ${editing === station.station ? html`<${Editor} desk=${desk} name=${path} items=${station.contacts} roles=${ROLES.station} put=${(contacts) => ({ path, body: { name: station.name, lon: station.lon, lat: station.lat, grid: station.grid, unit: station.unit, contacts } })} onDone=${() => {
          setEditing("");
          stations.again();
        }} />` : html`<ul class="people">${station.contacts.map((each) => html`<${Person} key=${each.id} desk=${desk} each=${each} />`)}</ul>
          ${may && html`<p><button onClick=${() => {
            desk.requests.forget(path);
            setEditing(station.station);
          }}>${t("contactbook.change")}</button></p>`}`}</section>`;
    })}
    ${stations.data?.next_cursor && html`<p class="why">${t("unit.more", { n: MOST_STATIONS })}</p>`}`;
}
