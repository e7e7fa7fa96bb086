// 联网单位: its file, its devices and how many of them report, whom to call, its alerts.
import { html } from "../vendor/htm-preact.mjs";
import { integer, percent, t, word } from "../core/i18n.js";
import { AlertEntries } from "./device.js";
import { Asking, useAnswer } from "./entries.js";
import { RiskOfUnit } from "./risk.js";

const MOST = 200;

export function UnitPanel({ desk }) {
  const unit = desk.subject.value?.unit;
  if (!unit) return html`<p>${t("unit.none")}</p>`;
  return html`<${File} key=${unit} desk=${desk} unit=${unit} />`;
}

function File({ desk, unit }) {
  const file = useAnswer(() => desk.api.unit(unit), [unit]);
  const devices = useAnswer(() => desk.api.devicesOf(unit, MOST), [unit]);
  const alerts = useAnswer(() => desk.api.alertsOf({ unit }), [unit]);
  if (!file.data) return html`<${Asking} answer=${file} />`;
  const known = file.data;
  const { online, offline, never_seen: never } = known.devices;
  const total = online + offline + never;
  const facts = [
    ["category", word("category", known.category)],
    ["address", known.address],
    ["grid", known.grid],
    ["contact", [known.contact_name, known.contact_phone].filter(Boolean).join(" · ")],
    ["devices", t("unit.counts", { online: integer(online), offline: integer(offline), never: integer(never) })],
    ["online_rate", total ? percent(online / total) : t("rate.unknown")],
    ["buildings", known.buildings.map((building) => `${building.name || building.code} (${integer(building.floors.length)})`).join(" · ")],
  ];
  return html`<div class="file" data-unit=${unit}>
    <h3>${known.name || unit} <small>${unit}</small></h3>
    <dl class="facts">${facts.map(([name, value]) => value && html`<div key=${name}><dt>${t(`unit.${name}`)}</dt><dd class="num">${value}</dd></div>`)}</dl>
    <h3>${t("panel.risk")}</h3>
    <${RiskOfUnit} desk=${desk} unit=${unit} />
    <h3>${t("device.alerts")}</h3>
    <${Asking} answer=${alerts} none=${alerts.data?.items.length === 0 ? t("device.no_alerts") : ""} />
    <${AlertEntries} desk=${desk} items=${alerts.data?.items ?? []} />
    <h3>${t("unit.list")}</h3>
    <${Asking} answer=${devices} none=${devices.data?.items.length === 0 ? t("unit.no_devices") : ""} />
    <ul class="entries">${devices.data?.items.map((device) => html`<li key=${device.device}><button class="entry" data-to-device=${device.device} onClick=${() => desk.openDevice(device.unit, device.device)}>
      <b>${word("kind", device.kind)}</b><span>${device.place || device.device}</span><span class=${device.status === "online" ? "muted" : ""}>${word("status", device.status)}</span></button></li>`)}</ul>
    ${devices.data?.next_cursor && html`<p class="why">${t("unit.more", { n: integer(MOST) })}</p>`}
  </div>`;
}
