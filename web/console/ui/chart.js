// Readings over time: uPlot draws them when a chart is first looked at; limits drawn in, gaps left open, values in a table for who does not see it.
import { useEffect, useRef, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { clockTime, day, language, quantity, t, word } from "../core/i18n.js";
import { zone } from "../core/zone.js";

const POINTS = 400;
/** Channels differ by colour and by dash; never the colours of alarms. */
const COLOURS = ["--focus", "--text", "--muted", "--edge"];
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3]];
/** How limits of one look are drawn: [colour, dash]. */
const LOOKS = { limit: ["--p2", [6, 4]], new: ["--p2", [6, 4]], in_force: ["--muted", [2, 3]], both: ["--text", [12, 4]], 1: ["--p1", [10, 4]], 2: ["--p2", [8, 4]], 3: ["--p3", [5, 4]], 4: ["--p4", [2, 4]] };

/** Seconds between two reports, as they usually come. */
function usualOf(points) {
  const steps = points.slice(1).map(({ at }, i) => at - points[i].at).sort((a, b) => a - b);
  return steps[Math.floor(steps.length / 2)] ?? 0;
}

/** Buckets by channel, each with a gap (null) where nothing was said for longer than three buckets and than three reports usually take. */
export function seriesOf(items, widthS) {
  const said = new Map();
  for (const item of items) {
    const points = said.get(item.metric) ?? [];
    said.set(item.metric, points);
    points.push({ at: Date.parse(item.ts) / 1000, min: item.min, max: item.max, mean: item.mean });
  }
  return new Map([...said].map(([name, points]) => [name, withGaps(points, Math.max(3 * widthS, 3, 3 * usualOf(points)))]));
}

function withGaps(all, longest) {
  const points = [];
  for (const point of all) {
    const last = points.at(-1);
    const at = point.at;
    if (last && at - last.at > longest) points.push({ at: (last.at + at) / 2, min: null, max: null, mean: null });
    points.push(point);
  }
  return points;
}

/** One column of times and one a channel, as uPlot wants them. */
export function alignedOf(channels) {
  const times = [...new Set([...channels.values()].flatMap((points) => points.map(({ at }) => at)))].sort((a, b) => a - b);
  const place = new Map(times.map((at, i) => [at, i]));
  const columns = [...channels.values()].map((points) => {
    const column = new Array(times.length).fill(undefined); // undefined: joined over; null: a gap
    for (const { at, mean } of points) column[/** @type {number} */ (place.get(at))] = mean;
    return column;
  });
  return [times, ...columns];
}

/**
 * `from`, `to`: ms. `limits`: `[{value, word, look}]` drawn in. `marks`: `[{at, word, look, over}]`, instants in ms; `over`: it ended there.
 * `onZoom(from, to)`: a stretch was chosen.
 */
export function Chart({ desk, unit, device, metric, uom, from, to, limits = [], marks = [], onZoom = null }) {
  const [found, setFound] = useState(/** @type {any} */ (null));
  const [error, setError] = useState("");
  const target = useRef(null);
  useEffect(() => {
    let wanted = true;
    setError("");
    desk.api.readings(unit, device, { metric, from, to, points: POINTS }).then((answer) => {
      if (!wanted) return;
      if (answer.ok) setFound(answer.data);
      else setError(t("chart.failed", { why: answer.message }));
    });
    return () => {
      wanted = false;
    };
  }, [unit, device, metric, from, to]);

  useEffect(() => {
    if (!found?.items.length) return undefined;
    let plot = null;
    let gone = false;
    const watch = new ResizeObserver(() => target.current && plot?.setSize({ width: target.current.clientWidth, height: 200 }));
    import("../vendor/uplot.mjs").then(({ default: UPlot }) => {
      if (gone || !target.current) return; // looked away meanwhile
      const css = getComputedStyle(target.current);
      const colour = (name) => css.getPropertyValue(name).trim();
      const channels = seriesOf(found.items, found.width_s);
      plot = new UPlot(
        {
          width: target.current.clientWidth, height: 200, legend: { show: false }, ms: 1e-3,
          tzDate: (at) => UPlot.tzDate(new Date(at * 1000), zone.value || undefined),
          cursor: { drag: { x: Boolean(onZoom), y: false, setScale: false } },
          scales: { x: { min: from / 1000, max: to / 1000 }, y: { range: (_, low, high) => rangeOf([low, high, ...limits.map(({ value }) => value)]) } },
          axes: [
            { stroke: colour("--muted"), grid: { stroke: colour("--line") }, values: (_, splits) => splits.map((at) => (to - from > 2 * 86_400_000 ? day(at * 1000).slice(5) : clockTime(at * 1000).slice(0, 5))) },
            { stroke: colour("--muted"), grid: { stroke: colour("--line") }, size: 56 },
          ],
          series: [{}, ...[...channels.keys()].map((name, i) => ({ label: name, stroke: colour(COLOURS[i % COLOURS.length]), width: 1.5, dash: DASHES[i % DASHES.length], points: { show: found.items.length < 60 } }))],
          hooks: {
            draw: [(self) => drawOver(self, limits, marks, colour)],
            setSelect: [(self) => onZoom && self.select.width > 4 && onZoom(self.posToVal(self.select.left, "x") * 1000, self.posToVal(self.select.left + self.select.width, "x") * 1000)],
          },
        },
        alignedOf(channels),
        target.current,
      );
      watch.observe(target.current);
    });
    return () => {
      gone = true;
      watch.disconnect();
      plot?.destroy();
    };
  }, [found, language.value, JSON.stringify([limits, marks])]);

  const channels = found ? [...seriesOf(found.items, found.width_s)] : [];
  return html`<figure class="chart" data-chart=${metric} data-points=${found?.items.length ?? ""}>
    <figcaption>${word("metric", metric.split(".")[0])} ${uom && html`<small>${word("uom", uom)}</small>`}${limits.map(({ value, word: name, look = "limit" }) => html` · <span class="chart-limit" data-look=${look}><${Swatch} name=${`look-${look}`} dash=${(LOOKS[look] ?? LOOKS.limit)[1]} />${name} ${quantity(value)}</span>`)}</figcaption>
    ${error ? html`<p class="trouble" role="alert">${error}</p>` : found?.items.length === 0 ? html`<p class="muted">${t("chart.none")}</p>` : html`<div class="chart-ground" ref=${target} aria-hidden="true"></div>`}
    ${channels.length > 0 && html`<table class="chart-table"><caption class="unseen">${t("chart.table")}</caption><tbody>${channels.map(([name, points], i) => html`<tr key=${name}><th scope="row">${channels.length > 1 && html`<${Swatch} name=${`series-${i % COLOURS.length}`} dash=${DASHES[i % DASHES.length]} />`}${channelOf(name)}</th>
      <td class="num">${t("chart.range", figuresIn(points))}</td></tr>`)}</tbody></table>`}
  </figure>`;
}

const Swatch = ({ name, dash }) => html`<svg class="swatch" viewBox="0 0 28 8" aria-hidden="true"><line x1="0" y1="4" x2="28" y2="4" class=${name} stroke-dasharray=${dash.join(" ")} /></svg>`;

const channelOf = (name) => [word("metric", name.split(".")[0]), name.split(".")[1]].filter(Boolean).join(" ");

/** Least, greatest and last of a channel. */
function figuresIn(points) {
  const said = points.filter(({ mean }) => mean !== null);
  return { min: quantity(Math.min(...said.map(({ min }) => min))), max: quantity(Math.max(...said.map(({ max }) => max))), last: quantity(said.at(-1)?.mean) };
}

function rangeOf(values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const room = (high - low || Math.abs(high) || 1) * 0.08;
  return [low - room, high + room];
}

function drawOver(plot, limits, marks, colour) {
  const { ctx: ink, bbox } = plot;
  const dot = devicePixelRatio;
  ink.save();
  ink.beginPath();
  ink.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ink.clip();
  ink.lineWidth = 1.5 * dot;
  for (const { value, look = "limit" } of limits) {
    const [name, dash] = LOOKS[look] ?? LOOKS.limit;
    const y = plot.valToPos(value, "y", true);
    ink.strokeStyle = colour(name);
    ink.setLineDash(dash.map((length) => length * dot));
    line(ink, bbox.left, y, bbox.left + bbox.width, y);
  }
  for (const { at, look = "", over = false } of marks) {
    const x = plot.valToPos(at / 1000, "x", true);
    ink.strokeStyle = ink.fillStyle = colour(look === "in_force" ? "--muted" : look === "new" ? "--p2" : "--text");
    ink.setLineDash([2 * dot, 3 * dot]);
    line(ink, x, bbox.top, x, bbox.top + bbox.height);
    if (look) flag(ink, x, look === "new" ? bbox.top : bbox.top + bbox.height, (look === "new" ? 1 : -1) * 9 * dot, over);
  }
  ink.restore();
}

function line(ink, x1, y1, x2, y2) {
  ink.beginPath();
  ink.moveTo(x1, y1);
  ink.lineTo(x2, y2);
  ink.stroke();
}

/** A filled triangle where it began, a hollow one where it ended. */
function flag(ink, x, y, size, over) {
  ink.setLineDash([]);
  ink.beginPath();
  ink.moveTo(x - Math.abs(size) * 0.6, y);
  ink.lineTo(x + Math.abs(size) * 0.6, y);
  ink.lineTo(x, y + size);
  ink.closePath();
  if (over) ink.stroke();
  else ink.fill();
}
