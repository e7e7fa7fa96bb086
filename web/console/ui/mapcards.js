// What a click on the map found: a short list to choose from where several things lie there, and a card of each.
import { useEffect, useRef } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { metresBetween } from "../core/devices.js";
import { age, integer, language, listed, quantity, t, titleOf, word } from "../core/i18n.js";
import { demands } from "../core/marks.js";
import { Asking, useAnswer } from "./entries.js";
import { Icon } from "./icons.js";
import { Symbol } from "./symbol.js";

const AGAIN_MS = 10_000;
const MOST_ALERTS = 5;
const MOST_VALUES = 6;

const keyOf = (thing) => [thing.kind, thing.id ?? thing.code ?? `${thing.unit}/${thing.device ?? thing.number}`].join(" ");

/** `here`: `{things, more, chosen}`, see map/citymap.js; a device has its `unit` and `device`, or only its `number` where nobody could say. */
export function Here({ desk, here, onChoose, onClose }) {
  const { things, more, chosen } = here;
  const self = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    self.current?.querySelector(chosen ? ".close" : "li button")?.focus({ preventScroll: true });
  }, [here]);
  return html`<section class="map-found" ref=${self} aria-label=${t("map.here")} data-device=${chosen?.device && `${chosen.unit}/${chosen.device}`} data-thing=${chosen && keyOf(chosen)}>
    <div class="map-side-head"><h3>${chosen ? nameOf(desk, chosen) : t("map.here_n", { n: integer(things.length) })}</h3>
      ${chosen && things.length > 1 && html`<button onClick=${() => onChoose(null)}>${t("map.to_list")}</button>`}
      <button class="close" onClick=${onClose} aria-label=${t("panel.close")}><${Icon} name="back" /></button></div>
    ${chosen ? html`<${Card} key=${keyOf(chosen)} desk=${desk} thing=${chosen} />` : html`<ul class="entries map-here">${things.map((thing) => html`<li key=${keyOf(thing)}><button class="entry" data-thing=${keyOf(thing)} onClick=${() => onChoose(thing)}><${Thing} desk=${desk} thing=${thing} /></button></li>`)}</ul>`}
    ${more > 0 && html`<p class="why">${t("map.more_here", { n: integer(more) })}</p>`}
  </section>`;
}

/** As of the last painting. */
const alertOf = (desk, id) => desk.view.value && desk.alarms.get(id);

function nameOf(desk, thing) {
  if (thing.kind === "alarm") return titleOf(alertOf(desk, thing.id) ?? {});
  if (thing.kind === "device") return word("kind", thing.file?.kind ?? desk.plant.columns.kindOf(thing.number));
  return thing.name || thing.code;
}

function Thing({ desk, thing }) {
  if (thing.kind === "alarm") {
    const alert = alertOf(desk, thing.id);
    return alert ? html`<${Symbol} priority=${alert.priority} waiting=${demands(alert)} /><span><b>${titleOf(alert)}</b> ${alert.unit_name ?? alert.unit} ${alert.place ?? ""}</span>` : html`<span class="muted">${t("map.gone")}</span>`;
  }
  if (thing.kind === "device") {
    const { file } = thing;
    return html`<b>${nameOf(desk, thing)}</b><span>${file ? file.place || file.device : t("map.unread")}</span><span>${word("status", file?.status ?? desk.plant.columns.statusOf(thing.number))}</span>`;
  }
  return html`<b>${t(`map.${thing.kind}`)}</b><span>${thing.name || thing.code}</span>`;
}

function Card({ desk, thing }) {
  if (thing.kind === "station") return html`<${StationCard} desk=${desk} code=${thing.code} />`;
  if (thing.kind === "unit") return html`<${UnitCard} desk=${desk} unit=${thing.code} />`;
  if (thing.device) return html`<${DeviceCard} desk=${desk} unit=${thing.unit} device=${thing.device} />`;
  return html`<p class="trouble" role="alert">${t("map.unread")}</p>`;
}

/** How far something is from the selected alert, as the crow flies. */
function FromAlert({ desk, lon, lat }) {
  const alert = desk.selected.value;
  if (!alert) return null;
  const near = desk.dossier.of("near", alert.id).data; // the place of its unit where it has none
  const [fromLon, fromLat] = [alert.lon ?? near?.lon ?? null, alert.lat ?? near?.lat ?? null];
  if (fromLon === null || lon === null || lon === undefined) return null;
  return html`<p class="num" data-from-alert>${t("map.from_alert", { n: integer(Math.round(metresBetween(fromLon, fromLat, lon, lat))), title: titleOf(alert) })}</p>`;
}

/** Open alerts of a unit or a device, each a way to it. */
function OpenAlerts({ desk, unit, device = "" }) {
  const alerts = desk.alerts.value.filter((alert) => alert.unit === unit && (!device || alert.device === device));
  if (!alerts.length) return html`<p class="muted" data-open="0">${t("map.no_alerts")}</p>`;
  return html`<ul class="entries" data-open=${alerts.length}>${alerts.slice(0, MOST_ALERTS).map((alert) => html`<li key=${alert.id}><button class="entry" data-to-alert=${alert.id} onClick=${() => desk.select(alert.id)}>
      <${Symbol} priority=${alert.priority} waiting=${demands(alert)} /><span><b>${titleOf(alert)}</b> ${alert.place ?? ""}</span><span>${word("state", alert.state)}</span></button></li>`)}
    ${alerts.length > MOST_ALERTS && html`<li class="why">${t("map.more_alerts", { n: integer(alerts.length - MOST_ALERTS) })}</li>`}</ul>`;
}

function DeviceCard({ desk, unit, device }) {
  const file = useAnswer(() => desk.api.device(unit, device), [unit, device], AGAIN_MS);
  const latest = useAnswer(() => desk.api.latest(unit, device), [unit, device], AGAIN_MS);
  const known = file.data;
  const now = desk.now.value;
  const values = latest.data?.items ?? [];
  return html`<${Asking} answer=${file} />
    ${known && html`<p>${known.unit_name || unit} · ${known.place || device}</p>
      <p>${word("status", known.status)}${known.last_seen_at ? ` · ${t("device.seen", { age: age(now - Date.parse(known.last_seen_at)) })}` : ""}</p>
      <${FromAlert} desk=${desk} lon=${known.lon} lat=${known.lat} />`}
    <${OpenAlerts} desk=${desk} unit=${unit} device=${device} />
    <${Asking} answer=${latest} none=${latest.data?.items.length === 0 ? t("device.silent") : ""} />
    <ul class="map-values">${values.slice(0, MOST_VALUES).map((item) => html`<li key=${item.metric}><span>${word("metric", item.metric.split(".")[0])} ${item.metric.split(".")[1] ?? ""}</span>
      <b class="num">${quantity(item.value)} ${word("uom", item.uom)}</b><small class="muted num">${age(now - Date.parse(item.ts))}</small></li>`)}</ul>
    <p><button class="link" onClick=${() => desk.openDevice(unit, device)}>${t("detail.open_device")}</button></p>`;
}

function UnitCard({ desk, unit }) {
  const file = useAnswer(() => desk.api.unit(unit), [unit], AGAIN_MS);
  const known = file.data;
  return html`<${Asking} answer=${file} />
    ${known && html`<p>${[word("category", known.category), known.address].filter(Boolean).join(" · ")}</p>
      <p class="num">${t("unit.counts", { online: integer(known.devices.online), offline: integer(known.devices.offline), never: integer(known.devices.never_seen) })}</p>
      ${known.contact_phone && html`<p>${known.contact_name} <a class="dial num" href=${`tel:${known.contact_phone}`}><${Icon} name="phone" />${known.contact_phone}</a></p>`}
      <${FromAlert} desk=${desk} lon=${known.lon} lat=${known.lat} />`}
    <${OpenAlerts} desk=${desk} unit=${unit} />
    <p><button class="link" onClick=${() => desk.openUnit(unit)}>${t("map.open_unit")}</button></p>`;
}

function StationCard({ desk, code }) {
  const file = useAnswer(() => desk.plant.station(code), [code]);
  const known = file.data;
  return html`<${Asking} answer=${file} />
    ${known && html`<p>${[t("near.station"), known.grid && t("map.in_grid", { grid: known.grid })].filter(Boolean).join(" · ")}</p>
      <${FromAlert} desk=${desk} lon=${known.lon} lat=${known.lat} />
      ${!known.contacts.length && html`<p class="why">${t("contacts.none")}</p>`}
      <ul class="map-people">${known.contacts.map((each) => html`<li key=${each.id}><b>${each.name}</b> <span>${word("role", each.role)}</span>
        ${each.phone ? html`<a class="dial num" href=${`tel:${each.phone}`}><${Icon} name="phone" />${each.phone}</a>` : html`<span class="muted">${t("contacts.no_phone")}</span>`}
        ${each.hours.length > 0 && html`<small class="muted">${t("map.hours", { hours: listed(each.hours.map(hoursText)) })}</small>`}</li>`)}</ul>`}`;
}

const weekday = (day) => new Intl.DateTimeFormat(language.value, { weekday: "short", timeZone: "UTC" }).format(Date.UTC(2024, 0, day)); // 1: a Monday

/** Hours somebody can be reached, with the days where not on all of them. */
const hoursText = ({ days, from, to }) => `${days.length === 7 ? "" : `${listed(days.map(weekday))} `}${from}–${to}`;

/** Alarms in sight of the map as a list: the same for whoever does not see it, or has no mouse. */
export function InSight({ desk, sight, onClose }) {
  const { count, ids } = sight;
  const alerts = ids.map((id) => alertOf(desk, id)).filter(Boolean);
  return html`<section class="map-sight" aria-label=${t("map.sight")}>
    <div class="map-side-head"><h3>${t("map.sight")}</h3><button class="close" onClick=${onClose} aria-label=${t("panel.close")}><${Icon} name="back" /></button></div>
    ${!count && html`<p class="muted">${t("map.sight_none")}</p>`}
    <ol class="entries">${alerts.map((alert) => html`<li key=${alert.id}><button class="entry" data-in-sight=${alert.id} aria-current=${alert.id === desk.selectedId.value} onClick=${() => desk.select(alert.id)}>
      <${Symbol} priority=${alert.priority} waiting=${demands(alert)} /><span><b>${titleOf(alert)}</b> ${alert.unit_name ?? alert.unit} ${alert.place ?? ""}</span><span>${word("state", alert.state)}</span></button></li>`)}</ol>
    ${count > ids.length && html`<p class="why">${t("map.sight_more", { n: integer(count - ids.length) })}</p>`}
  </section>`;
}
