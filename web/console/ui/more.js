// The way to what is not looked at every minute: overview, watch, units and devices, rules, rejects, accounts.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { t, word } from "../core/i18n.js";
import { Asking, useAnswer } from "./entries.js";

const PLACES = ["overview", "watch", "roster", "shiftlog", "selftests", "map", "risk", "rules", "rejects", "mine"];

const placesOf = (desk) => [...PLACES, ...(desk.operator.value?.role === "admin" ? ["accounts"] : [])].filter((name) => name !== "map" || !desk.cityMap.value); // it is in sight

export function MorePanel({ desk }) {
  const [words, setWords] = useState("");
  return html`<ul class="places">${placesOf(desk).map((name) => html`<li key=${name}><button data-opens=${name} onClick=${() => desk.openPanel(name)}>${t(`panel.${name}`)}</button></li>`)}</ul>
    <label>${t("more.find")} <input name="find" value=${words} placeholder=${t("more.find_hint")} onChange=${(event) => setWords(event.currentTarget.value.trim())} /></label>
    ${words && html`<${Found} key=${words} desk=${desk} words=${words} />`}`;
}

function Found({ desk, words }) {
  const units = useAnswer(() => desk.api.findUnits(words), [words]);
  const devices = useAnswer(() => desk.api.findDevices(words), [words]);
  const none = units.data?.items.length === 0 && devices.data?.items.length === 0;
  return html`<${Asking} answer=${units.error ? units : devices} none=${none ? t("more.nothing") : ""} />
    <ul class="entries">
      ${units.data?.items.map((unit) => html`<li key=${unit.unit}><button class="entry" data-to-unit=${unit.unit} onClick=${() => desk.openUnit(unit.unit)}><b>${unit.name || unit.unit}</b><span>${unit.address}</span><span>${word("category", unit.category)}</span></button></li>`)}
      ${devices.data?.items.map((device) => html`<li key=${`${device.unit}/${device.device}`}><button class="entry" data-to-device=${device.device} onClick=${() => desk.openDevice(device.unit, device.device)}><b>${word("kind", device.kind)} ${device.device}</b><span>${device.unit_name} ${device.place}</span><span>${word("status", device.status)}</span></button></li>`)}
    </ul>`;
}
