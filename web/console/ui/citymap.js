// The map beside the queue: drawn by map/citymap.js, fed by what the queue shows; without it everything else works on.
import { useEffect, useRef, useState } from "../vendor/preact-hooks.mjs";
import { effect } from "../vendor/signals.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { demands, isFire } from "../core/alarms.js";
import { integer, language, t, word } from "../core/i18n.js";
import { marksOf } from "./near.js";
import { Icon } from "./icons.js";
import { RiskMode } from "./riskmode.js";
import { Symbol } from "./symbol.js";

const KINDS = ["hydrant", "smoke", "electrical", "water_level"];

export function MapView({ desk }) {
  const target = useRef(null);
  const city = desk.cityMap;
  const [edges, setEdges] = useState([]);
  const [trouble, setTrouble] = useState("");
  const [found, setFound] = useState(/** @type {any} */ (null));

  useEffect(() => {
    let gone = false;
    let stop = () => {};
    const begin = async () => {
      try {
        const [{ CityMap }, { columns, base }] = await Promise.all([import("../map/citymap.js"), desk.plant.load()]);
        if (gone) return;
        city.value = new CityMap({
          target: target.current, columns, base,
          onAlarms: ([first]) => desk.select(first),
          onDevice: async (number) => setFound(number === null ? null : await desk.plant.device(number)),
          onEdges: setEdges, onTrouble: (text) => setTrouble(t("map.no_base", { why: text })),
        });
        stop = effect(() => {
          desk.plant.revision.value; // statuses of devices
          city.value?.statusesChanged();
        });
      } catch (error) {
        if (!gone) setTrouble(t("map.unavailable", { why: String(error?.message ?? error) }));
      }
    };
    begin();
    return () => {
      gone = true;
      stop();
      city.value?.dispose();
      city.value = null;
    };
  }, []);

  const { alerts } = desk.view.value;
  const selected = desk.selectedId.value ?? "";
  useEffect(() => {
    city.value?.show(
      alerts.map((alert) => ({ id: alert.id, lon: alert.lon, lat: alert.lat, priority: alert.priority, waiting: demands(alert), fire: isFire(alert), raisedMs: alert.raisedMs })),
      selected,
    );
  }, [alerts, selected, city.value]);

  const near = desk.dossier.of("near", selected).data;
  useEffect(() => {
    city.value?.showNear(marksOf(near));
  }, [near, city.value, language.value]);

  const placeless = alerts.filter((alert) => alert.lon === null || alert.lat === null).length;
  const base = desk.plant.base.value;
  return html`<section class="map" aria-label=${t("map.label")} data-ready=${Boolean(city.value)}>
    <div class="map-ground" ref=${target} tabindex="0" role="application" aria-label=${t("map.keys")}></div>
    ${edges.map((edge) => html`<button key=${edge.sector} class="map-edge ${edge.sector}" onClick=${() => desk.select(edge.id)} title=${t("map.out_of_sight", { n: integer(edge.count) })}>
      <${Symbol} priority=${edge.priority} waiting=${true} /><span class="num">${integer(edge.count)}</span></button>`)}
    <div class="map-tools">
      <button onClick=${() => city.value?.zoom(1)} aria-label=${t("map.closer")}>+</button>
      <button onClick=${() => city.value?.zoom(-1)} aria-label=${t("map.farther")}>−</button>
      <button onClick=${() => desk.mapBack()}>${t("map.back")} <kbd>P</kbd></button>
    </div>
    <${RiskMode} desk=${desk} city=${city} />
    <p class="map-legend">${KINDS.map((kind) => html`<span key=${kind} class="map-kind" data-kind=${kind}>${word("kind", kind)}</span>`)}
      ${placeless > 0 && html`<span data-placeless>${t("map.placeless", { n: integer(placeless) })}</span>`}</p>
    ${base && (base.attribution || base.review_number) && html`<p class="map-source">${[base.attribution, base.review_number].filter(Boolean).join(" · ")}</p>`}
    ${trouble && html`<p class="map-trouble" role="status">${trouble}</p>`}
    ${found && html`<${Found} desk=${desk} found=${found} onClose=${() => setFound(null)} />`}
  </section>`;
}

/** The device that was clicked. */
function Found({ desk, found, onClose }) {
  return html`<div class="map-found" role="status" data-device=${`${found.unit}/${found.device}`}>
    <button class="close" onClick=${onClose} aria-label=${t("panel.close")}><${Icon} name="back" /></button>
    <p><b>${word("kind", found.kind)}</b> · ${word("status", found.status)}</p>
    <p>${found.unit_name || found.unit} · ${found.place || found.device}</p>
    <p><button class="link" onClick=${() => desk.openDevice(found.unit, found.device)}>${t("detail.open_device")}</button></p>
  </div>`;
}
