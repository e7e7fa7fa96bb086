// The map beside the queue: drawn by map/citymap.js, fed by what the queue shows; without it everything else works on.
import { useEffect, useRef, useState } from "../vendor/preact-hooks.mjs";
import { effect } from "../vendor/signals.mjs";
import { html } from "./html.js";
import { integer, language, t, word } from "../core/i18n.js";
import { Icon } from "./icons.js";
import { Here, InSight } from "./mapcards.js";
import { Layers } from "./maplayers.js";
import { marksOf } from "./near.js";
import { RiskMode } from "./riskmode.js";
import { Symbol } from "./symbol.js";

const PLACES_AGAIN_MS = 300_000;
const AGAIN_MS = 10_000;

/** Things of the map as they are shown: of a device who it is, each once. */
async function named(desk, things) {
  const known = await Promise.all(things.map(async (thing) => {
    if (thing.number === undefined) return thing;
    const file = await desk.plant.device(thing.number);
    return file ? { ...thing, file, unit: file.unit, device: file.device } : thing;
  }));
  const seen = new Set();
  return known.filter((thing) => {
    const key = thing.device ? `${thing.unit}/${thing.device}` : "";
    return !key || (!seen.has(key) && seen.add(key));
  });
}

export function MapView({ desk }) {
  const target = useRef(null);
  const city = desk.cityMap;
  const [edges, setEdges] = useState([]);
  const [sight, setSight] = useState({ count: 0, ids: [], placeless: 0 });
  const [trouble, setTrouble] = useState("");
  const [groundTrouble, setGroundTrouble] = useState("");
  /** What stands beside the map, never over it: layers, sight, here or nothing. */
  const [side, setSide] = useState("");
  const [here, setHere] = useState(/** @type {any} */ (null));
  const turn = useRef(0);

  const onHere = async ({ things, more }) => {
    const mine = (turn.current += 1);
    if (things.length === 1 && things[0].kind === "alarm") {
      setSide((old) => (old === "here" ? "" : old));
      return desk.select(things[0].id);
    }
    const known = await named(desk, things);
    if (mine !== turn.current) return; // something else was clicked meanwhile
    setHere({ things: known, more, chosen: known.length === 1 && known[0].kind !== "alarm" ? known[0] : null });
    setSide((old) => (known.length ? "here" : old === "here" ? "" : old));
  };
  const toMap = () => {
    setSide("");
    /** @type {any} */ (target.current)?.focus({ preventScroll: true });
  };
  const choose = (thing) => {
    if (thing?.kind !== "alarm") return setHere({ ...here, chosen: thing });
    setSide("");
    desk.select(thing.id);
  };

  useEffect(() => {
    let gone = false;
    let again = 0;
    /** @type {any} its own: another place of the map may stand by the time this one goes */
    let mine = null;
    const stops = [];
    const begin = async () => {
      try {
        const [{ CityMap }, { columns, base }] = await Promise.all([import("../map/citymap.js"), desk.plant.load()]);
        if (gone) return;
        setTrouble("");
        city.value = mine = new CityMap({
          target: target.current, columns, base, onHere, onEdges: setEdges, onSight: setSight,
          onTrouble: (why) => setGroundTrouble(why && t(why === "tiles" ? "map.no_tiles" : "map.no_base", { why })),
        });
        stops.push(effect(() => {
          desk.plant.revision.value; // statuses of devices
          mine.statusesChanged();
        }));
        stops.push(effect(() => mine.setHidden(desk.settings.mapHidden.value)));
        stops.push(effect(() => {
          const found = desk.plant.places.value;
          if (found?.places) mine.setPlaces(found.places, found.grids);
        }));
        desk.plant.lookForPlaces();
        const timer = setInterval(() => desk.plant.lookForPlaces(), PLACES_AGAIN_MS);
        stops.push(() => clearInterval(timer));
      } catch (error) {
        if (gone) return;
        setTrouble(t("map.unavailable", { why: String(error?.message ?? error) }));
        again = setTimeout(begin, AGAIN_MS);
      }
    };
    begin();
    return () => {
      gone = true;
      clearTimeout(again);
      for (const stop of stops) stop();
      mine?.dispose();
      if (city.value === mine) city.value = null;
    };
  }, []);

  const { queue, held } = desk.view.value;
  const selected = desk.selectedId.value ?? "";
  useEffect(() => {
    city.value?.show(queue, held, selected);
  }, [queue, held, selected, city.value]);

  useEffect(() => {
    city.value?.setNamed(side === "sight");
  }, [side, city.value]);

  const near = desk.dossier.of("near", selected).data;
  useEffect(() => {
    city.value?.showNear(marksOf(near));
  }, [near, city.value, language.value]);

  const onKey = (event) => {
    if (event.key === "Enter") city.value?.pickMiddle();
    else if (event.key === "=") city.value?.zoom(1); // + without its shift
    else return;
    event.preventDefault();
  };
  const onSideKey = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault(); // it closes this, not what is beside the map
    toMap();
  };

  const { placeless } = sight;
  const base = desk.plant.base.value;
  const hidden = desk.settings.mapHidden.value.size;
  const opener = (name, text) => html`<button aria-expanded=${side === name} data-side-of=${name} onClick=${() => setSide(side === name ? "" : name)}>${text}</button>`;
  return html`<section class="map" aria-label=${t("map.label")} data-ready=${Boolean(city.value)}>
    <div class="map-tools" role="group" aria-label=${t("map.tools")}>
      <button onClick=${() => city.value?.zoom(1)} aria-label=${t("map.closer")}>+</button>
      <button onClick=${() => city.value?.zoom(-1)} aria-label=${t("map.farther")}>−</button>
      <button onClick=${() => desk.mapBack()}>${t("map.back")} <kbd>P</kbd></button>
      ${opener("layers", hidden ? html`${t("map.layers")} <b data-hidden=${hidden}>${t("map.hidden", { n: integer(hidden) })}</b>` : t("map.layers"))}
      ${opener("sight", html`${t("map.sight")} <b class="num" data-sight=${sight.count}>${integer(sight.count)}</b>`)}
      ${placeless > 0 && html`<span data-placeless>${t("map.placeless", { n: integer(placeless) })}</span>`}
    </div>
    <div class="map-body ${side ? "with-side" : ""}">
      <div class="map-side" onKeyDown=${onSideKey} hidden=${!side}>
        ${side === "layers" && html`<${Layers} desk=${desk} onClose=${toMap} />`}
        ${side === "sight" && html`<${InSight} desk=${desk} sight=${sight} onClose=${toMap} />`}
        ${side === "here" && here && html`<${Here} desk=${desk} here=${here} onChoose=${choose} onClose=${toMap} />`}
      </div>
      <div class="map-stage">
        <div class="map-ground" ref=${target} tabindex="0" role="application" aria-label=${t("map.keys")} onKeyDown=${onKey}></div>
        <div class="map-cross" aria-hidden="true"></div>
        ${edges.map((edge) => html`<button key=${edge.sector} class="map-edge ${edge.sector}" onClick=${() => desk.select(edge.id)} title=${t("map.out_of_sight", { n: integer(edge.count) })}>
          <${Symbol} priority=${edge.priority} waiting=${true} /><span class="num">${integer(edge.count)}</span></button>`)}
      </div>
    </div>
    <div class="map-foot">
      <${RiskMode} desk=${desk} city=${city} />
      ${(trouble || groundTrouble) && html`<p class="map-trouble" role="status"><${Icon} name="warning" />${trouble || groundTrouble}</p>`}
      ${base && (base.attribution || base.review_number) && html`<p class="map-source">${[base.attribution, base.review_number].filter(Boolean).join(" · ")}</p>`}
    </div>
  </section>`;
}
