// Readings over time: uPlot draws them when a chart is first looked at; limits drawn in, gaps left open, values in a table for who does not see it.
import { useEffect, useRef, useState } from "../vendor/preact-hooks.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { clockTime, day, language, quantity, t, word } from "../core/i18n.js";
import { zone } from "../core/zone.js";

const POINTS = 400;
const COLOURS = ["--focus", "--p3", "--p4", "--p2"];

/** Buckets by channel, each with a gap (null) where nothing was said for longer than three buckets. */
export function seriesOf(items, widthS) {
  const channels = new Map();
  for (const item of items) {
    const points = channels.get(item.metric) ?? [];
    channels.set(item.metric, points);
    const at = Date.parse(item.ts) / 1000;
    const last = points.at(-1);
    if (last && at - last.at > Math.max(3 * widthS, 3)) points.push({ at: (last.at + at) / 2, min: null, max: null, mean: null });
    points.push({ at, min: item.min, max: item.max, mean: item.mean });
  }
  return channels;
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
 * `from`, `to`: ms. `limits`: `[{value, word}]` drawn in. `marks`: `[{at, word}]`, instants in ms. `onZoom(from, to)`: a stretch was chosen.
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
          series: [{}, ...[...channels.keys()].map((name, i) => ({ label: name, stroke: colour(COLOURS[i % COLOURS.length]), width: 1.5, points: { show: found.items.length < 60 } }))],
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
  }, [found, language.value]);

  const channels = found ? [...seriesOf(found.items, found.width_s)] : [];
  return html`<figure class="chart" data-chart=${metric} data-points=${found?.items.length ?? ""}>
    <figcaption>${word("metric", metric.split(".")[0])} ${uom && html`<small>${word("uom", uom)}</small>`}${limits.map(({ value, word: name }) => html` · <span class="chart-limit">${name} ${quantity(value)}</span>`)}</figcaption>
    ${error ? html`<p class="trouble" role="alert">${error}</p>` : found?.items.length === 0 ? html`<p class="muted">${t("chart.none")}</p>` : html`<div class="chart-ground" ref=${target} aria-hidden="true"></div>`}
    ${channels.length > 0 && html`<table class="chart-table"><caption class="unseen">${t("chart.table")}</caption><tbody>${channels.map(([name, points]) => html`<tr key=${name}><th scope="row">${channelOf(name)}</th>
      <td class="num">${t("chart.range", figuresIn(points))}</td></tr>`)}</tbody></table>`}
  </figure>`;
}

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
  ink.save();
  ink.beginPath();
  ink.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ink.clip();
  ink.lineWidth = 1.5;
  ink.strokeStyle = colour("--p2");
  ink.setLineDash([6, 4]);
  for (const { value } of limits) {
    const y = plot.valToPos(value, "y", true);
    ink.beginPath();
    ink.moveTo(bbox.left, y);
    ink.lineTo(bbox.left + bbox.width, y);
    ink.stroke();
  }
  ink.strokeStyle = colour("--text");
  ink.setLineDash([2, 3]);
  for (const { at } of marks) {
    const x = plot.valToPos(at / 1000, "x", true);
    ink.beginPath();
    ink.moveTo(x, bbox.top);
    ink.lineTo(x, bbox.top + bbox.height);
    ink.stroke();
  }
  ink.restore();
}
