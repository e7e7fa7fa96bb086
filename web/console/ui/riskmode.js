// 四色风险 as a mode of the map: a button that keeps its state, the layer while it is on, and the legend with its age.
import { useEffect, useRef, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { age, language, t, word } from "../core/i18n.js";
import { BANDS, ageOf, bandOf, gridsOnMap, isOld, riskOf } from "../core/risk.js";

const EVERY_MS = 15_000;
const MOST_UNITS = "500";
const WORLD = 6_378_137; // metres, of the map's own sphere
const MARGIN = 0.01; // degrees: where a base map shifts places, units stand a little outside of what is seen

export const wordsOf = (band) => ({ letter: word("risk_letter", band), word: word("risk_band", band) });

/** The band's letter on its hatch; the word beside it is the caller's. */
export const Letter = ({ band }) => html`<span class="risk-letter" data-band=${band} aria-hidden="true">${word("risk_letter", band)}</span>`;

/** What a view of the map covers: west, south, east, north in degrees. */
function degrees([left, bottom, right, top]) {
  const lon = (x) => (x / WORLD) * (180 / Math.PI);
  const lat = (y) => Math.atan(Math.sinh(y / WORLD)) * (180 / Math.PI);
  return [lon(left) - MARGIN, lat(bottom) - MARGIN, lon(right) + MARGIN, lat(top) + MARGIN].map((each) => each.toFixed(5)).join(",");
}

export function RiskMode({ desk, city }) {
  const [on, setOn] = useState(desk.settings.read("risk") === "on");
  const [page, setPage] = useState(/** @type {any} */ (null));
  const [trouble, setTrouble] = useState("");
  const layer = useRef(/** @type {any} */ (null));
  const toggle = () => {
    desk.settings.save("risk", on ? "off" : "on");
    setOn(!on);
  };
  const { value } = city;
  const old = page !== null && isOld(page, desk.now.value);

  useEffect(() => {
    if (value) import("../map/risklayer.js").catch(() => {}); // so that it is here when the connection is lost; pressed, it says why not
  }, [value]);

  useEffect(() => {
    if (!on || !value) return undefined;
    let gone = false;
    let stop = () => {};
    import("../map/risklayer.js").then(({ RiskLayer }) => {
      if (gone) return;
      const shown = (layer.current = new RiskLayer({ project: (place) => value.project(place), words: wordsOf }));
      value.map.addLayer(shown);
      value.setRated(true);
      const look = async () => {
        const answer = await gridsOnMap(desk.api);
        if (gone) return;
        setTrouble(answer.ok ? "" : answer.message);
        if (answer.ok) setPage(answer.data);
      };
      const units = async () => {
        const view = value.map.getView();
        if (!RiskLayer.isNear(view.getResolution() ?? Infinity)) return;
        const answer = await riskOf(desk.api, { by: "unit", limit: MOST_UNITS, within: degrees(view.calculateExtent(value.map.getSize())) });
        if (!gone && answer.ok) shown.showUnits(answer.data.items.map((item) => ({ lon: item.lon, lat: item.lat, band: bandOf(item) })));
      };
      const timer = setInterval(() => [look(), units()], EVERY_MS);
      value.map.on("moveend", units);
      look();
      units();
      stop = () => {
        clearInterval(timer);
        value.map.un("moveend", units);
        value.map.removeLayer(shown);
        value.setRated(false);
        layer.current = null;
      };
    }).catch((error) => !gone && setTrouble(String(error?.message ?? error)));
    return () => {
      gone = true;
      stop();
    };
  }, [on, value]);

  useEffect(() => {
    if (page) layer.current?.showGrids(page.grids, old);
  }, [page, old, language.value, layer.current]);

  return html`<button class="risk-mode" aria-pressed=${on} onClick=${toggle}>${t("risk.mode")}</button>
    ${on && html`<div class="risk-legend" data-risk-legend data-old=${old} role="group" aria-label=${t("panel.risk")}>
      ${BANDS.map((band) => html`<span key=${band}><${Letter} band=${band} /> ${word("risk_band", band)}</span>`)}
      ${page && html`<span class="num ${old ? "risk-old" : "muted"}">${ageWords(page, desk.now.value, old)}</span>`}
      ${page && page.grids.length === 0 && html`<span>${t("risk.no_boundaries")}</span>`}
      ${trouble && html`<span role="alert">${t("risk.failed", { message: trouble })}</span>`}
    </div>`}`;
}

/** How old it is, loudly once it is stale. */
export function ageWords(page, nowMs, old) {
  const ms = ageOf(page, nowMs);
  if (ms === null) return t("risk.never");
  return t(old ? "risk.old" : "risk.age", { age: age(ms) });
}
