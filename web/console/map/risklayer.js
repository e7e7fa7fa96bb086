// 四色风险 on the map: hatched areas with a dashed edge, letter and word; no symbol, no flash; above the devices, below all else.
import { Layer } from "../vendor/ol-console.mjs";
import { NAMED_M } from "./gridlayer.js";
import { Sheet } from "./sheet.js";

const NEAR_M = 5; // metres a pixel below which units are drawn
const TILE = 14;
const UNIT = 11; // half a unit's square
const ROOM = 70; // pixels that a grid's letter and word need
const ABOVE = 22; // the middle of a grid, where its station likes to stand, stays free
const LINE = 19;
const FONT = "system-ui, 'Noto Sans CJK SC', sans-serif";
/** Each band's hatch, so that no colour is needed to tell them apart: lines of a tile, [x0, y0, x1, y1]. */
const HATCH = {
  extreme: [[0, TILE, TILE, 0], [0, 0, TILE, TILE], [0, TILE / 2, TILE, TILE / 2]],
  high: [[0, TILE, TILE, 0], [0, 0, TILE, TILE]],
  medium: [[0, TILE, TILE, 0]],
  low: [[0, TILE / 2, TILE / 3, TILE / 2]],
  unknown: [],
};

export class RiskLayer extends Layer {
  /** `project`: degrees to the map's metres; `words(band)`: `{letter, word}`. */
  constructor({ project, words }) {
    super({ zIndex: 2 });
    this.project = project;
    this.words = words;
    this.grids = [];
    this.units = [];
    this.old = false;
    this.sheet = new Sheet("map-risk");
  }

  getSourceState() {
    return "ready";
  }

  /** `grids`: `{name, ring, band}`; `old`: they are stale and stand greyed. */
  showGrids(grids, old) {
    this.old = old;
    this.grids = grids.map((grid) => {
      const ring = grid.ring.map((place) => this.project(place));
      const xs = ring.map(([x]) => x);
      const ys = ring.map(([, y]) => y);
      return { ...grid, ring, box: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] };
    });
    this.changed();
  }

  /** `units`: `{lon, lat, band}`. */
  showUnits(units) {
    this.units = units.map((unit) => {
      const [x, y] = this.project([unit.lon, unit.lat]);
      return { ...unit, x, y };
    });
    this.changed();
  }

  static isNear(resolution) {
    return resolution < NEAR_M;
  }

  render(frame) {
    const { canvas } = this.sheet;
    if (this.sheet.serves(frame, this.getRevision())) return canvas;
    const { ink, wide, high, ratio, center, resolution, extent } = this.sheet.begin(frame, this.getRevision());
    ink.scale(ratio, ratio);
    const css = getComputedStyle(document.documentElement);
    const colour = (band) => css.getPropertyValue(this.old ? "--muted" : `--risk-${band}`).trim();
    const [text, ground] = [css.getPropertyValue("--text").trim(), css.getPropertyValue("--ground").trim()];
    const hatches = Object.fromEntries(Object.keys(HATCH).map((band) => [band, hatch(ink, HATCH[band], colour(band), ratio)]));
    const at = ([x, y]) => [wide / 2 + (x - center[0]) / resolution, high / 2 - (y - center[1]) / resolution];
    const [left, bottom, right, top] = extent;
    const near = RiskLayer.isNear(resolution);
    for (const grid of this.grids) {
      const [w, s, e, n] = grid.box;
      if (e < left || w > right || n < bottom || s > top) continue;
      ink.beginPath();
      for (const place of grid.ring) ink.lineTo(.../** @type {[number, number]} */ (at(place)));
      ink.closePath();
      ink.globalAlpha = near ? 0.25 : 0.6;
      ink.fillStyle = hatches[grid.band];
      ink.fill();
      ink.globalAlpha = 1;
      ink.setLineDash([9, 5]);
      ink.lineWidth = 2;
      ink.strokeStyle = colour(grid.band);
      ink.stroke();
      ink.setLineDash([]);
    }
    for (const unit of near ? this.units : []) {
      const [x, y] = at([unit.x, unit.y]);
      if (x < -UNIT || y < -UNIT || x > wide + UNIT || y > high + UNIT) continue;
      ink.fillStyle = ground;
      ink.fillRect(x - UNIT, y - UNIT, 2 * UNIT, 2 * UNIT);
      ink.fillStyle = hatches[unit.band];
      ink.fillRect(x - UNIT, y - UNIT, 2 * UNIT, 2 * UNIT);
      ink.setLineDash([4, 3]);
      ink.lineWidth = 2;
      ink.strokeStyle = colour(unit.band);
      ink.strokeRect(x - UNIT, y - UNIT, 2 * UNIT, 2 * UNIT);
      ink.setLineDash([]);
      label(ink, [x, y], this.words(unit.band).letter, text, ground);
    }
    for (const grid of this.grids) {
      const [w, s, e, n] = grid.box;
      const room = (e - w) / resolution;
      if (room < ROOM / 2) continue;
      const { letter, word } = this.words(grid.band);
      // among units it stands higher, where fewer of them are
      const [x, y] = at([(w + e) / 2, near ? s + (n - s) * 0.8 : (s + n) / 2]);
      label(ink, [x, y - ABOVE], room > ROOM ? `${letter} ${word}` : letter, text, ground);
      if (room > ROOM && resolution < NAMED_M) label(ink, [x, y - ABOVE - LINE], grid.name, text, ground);
    }
    return canvas;
  }
}

function label(ink, [x, y], words, text, ground) {
  ink.font = `bold 14px ${FONT}`;
  ink.textAlign = "center";
  ink.textBaseline = "middle";
  ink.lineWidth = 4;
  ink.strokeStyle = ground;
  ink.strokeText(words, x, y);
  ink.fillStyle = text;
  ink.fillText(words, x, y);
}

function hatch(ink, lines, colour, ratio) {
  const tile = new OffscreenCanvas(TILE * ratio, TILE * ratio);
  const pen = /** @type {any} */ (tile.getContext("2d"));
  pen.scale(ratio, ratio);
  pen.strokeStyle = colour;
  pen.lineWidth = 1.6;
  pen.beginPath();
  for (const [x0, y0, x1, y1] of lines) {
    pen.moveTo(x0, y0);
    pen.lineTo(x1, y1);
  }
  pen.stroke();
  const pattern = ink.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix().scale(1 / ratio));
  return pattern;
}
