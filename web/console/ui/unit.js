// 联网单位: its file and rates, whom to call, its alerts, how it is connected, its floor plans, its devices.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { integer, t, word } from "../core/i18n.js";
import { ContactBook, Stations } from "./contactbook.js";
import { PagedAlerts } from "./device.js";
import { Asking, useAnswer } from "./entries.js";
import { UnitPlans } from "./plans.js";
import { UnitRates } from "./rates.js";
import { RiskOfUnit } from "./risk.js";
import { Connection, Refused, SelfTests, Windows } from "./upkeep.js";

const MOST = 200;
const EVERY_MS = 30_000;

export function UnitPanel({ desk }) {
  const unit = desk.subject.value?.unit;
  if (!unit) return html`<p>${t("unit.none")}</p>`;
  return html`<${File} key=${unit} desk=${desk} unit=${unit} />`;
}

function File({ desk, unit }) {
  const file = useAnswer(() => desk.api.unit(unit), [unit], EVERY_MS);
  const devices = useAnswer(() => desk.api.devicesOf(unit, MOST), [unit], EVERY_MS);
  if (!file.data) return html`<${Asking} answer=${file} />`;
  const known = file.data;
  const { online, offline, never_seen: never } = known.devices;
  const facts = [
    ["category", word("category", known.category)],
    ["address", known.address],
    ["grid", known.grid],
    ["devices", t("unit.counts", { online: integer(online), offline: integer(offline), never: integer(never) })],
    ["buildings", known.buildings.map((building) => `${building.name || building.code} (${integer(building.floors.length)})`).join(" · ")],
  ];
  return html`<div class="file" data-unit=${unit}>
    ${file.error && html`<${Asking} answer=${file} />`}
    <h3>${known.name || unit} <small>${unit}</small></h3>
    <dl class="facts">${facts.map(([name, value]) => value && html`<div key=${name}><dt>${t(`unit.${name}`)}</dt><dd class="num">${value}</dd></div>`)}</dl>
    <${UnitRates} desk=${desk} file=${known} />
    <h3>${t("panel.risk")}</h3>
    <${RiskOfUnit} desk=${desk} unit=${unit} />
    <h3>${t("contactbook.title")}</h3>
    <${ContactBook} desk=${desk} kind="unit" code=${unit} />
    ${known.grid && html`<${Fold} name="grid" title=${t("contactbook.of_grid", { grid: known.grid })}><${ContactBook} desk=${desk} kind="grid" code=${known.grid} /></${Fold}>
      <${Fold} name="stations" title=${t("contactbook.of_stations", { grid: known.grid })}><${Stations} desk=${desk} grid=${known.grid} /></${Fold}>`}
    <${Fold} name="centre" title=${t("contactbook.of_centre")}><${ContactBook} desk=${desk} kind="centre" code="" /></${Fold}>
    <h3>${t("device.alerts")}</h3>
    <${PagedAlerts} desk=${desk} which=${{ unit }} />
    <${Connection} desk=${desk} unit=${unit} counts=${known.devices} />
    <${Refused} desk=${desk} unit=${unit} />
    <${Windows} desk=${desk} unit=${unit} />
    <${SelfTests} desk=${desk} unit=${unit} />
    <${UnitPlans} desk=${desk} unit=${unit} />
    <h3>${t("unit.list")}</h3>
    <${Asking} answer=${devices} none=${devices.data?.items.length === 0 ? t("unit.no_devices") : ""} />
    <ul class="entries">${devices.data?.items.map((device) => html`<li key=${device.device}><button class="entry" data-to-device=${device.device} onClick=${() => desk.openDevice(device.unit, device.device)}>
      <b>${word("kind", device.kind)}</b><span>${device.place || device.device}</span><span class=${device.status === "online" ? "muted" : ""}>${word("status", device.status)}</span></button></li>`)}</ul>
    ${devices.data?.next_cursor && html`<p class="why">${t("unit.more", { n: integer(MOST) })}</p>`}
  </div>`;
}

/** What is asked for only once it is opened. */
function Fold({ name, title, children }) {
  const [open, setOpen] = useState(false);
  return html`<details class="fold" data-fold=${name} open=${open} onToggle=${(event) => setOpen(event.currentTarget.open)}><summary>${title}</summary>${open && children}</details>`;
}
