// Alarms on the map: above everything, each with the shape and digit of its priority; where several stand in one place, the worst, with their number.
import { Layer } from "../vendor/ol-console.mjs";
import { demands } from "../core/marks.js";
import { Sheet } from "./sheet.js";
import { byLead, heaps } from "./spots.js";

const SIZE = 11;
const HIT_PX = 18;
/** How far a symbol reaches with its edge. */
const REACH = SIZE + 4;
const MOST_PICTURES = 300;

/** Shapes as in the queue: triangle, diamond, square, circle. */
function outline(ink, priority) {
  ink.beginPath();
  if (priority === 1) {
    ink.moveTo(0, -SIZE);
    ink.lineTo(SIZE, SIZE * 0.8);
    ink.lineTo(-SIZE, SIZE * 0.8);
  } else if (priority === 2) {
    ink.moveTo(0, -SIZE);
    ink.lineTo(SIZE, 0);
    ink.lineTo(0, SIZE);
    ink.lineTo(-SIZE, 0);
  } else if (priority === 3) ink.rect(-SIZE * 0.8, -SIZE * 0.8, SIZE * 1.6, SIZE * 1.6);
  else ink.arc(0, 0, SIZE * 0.85, 0, 7);
  ink.closePath();
}

export class AlarmLayer extends Layer {
  constructor({ colours }) {
    super({ zIndex: 10 });
    this.colours = colours;
    /** @type {import("./spots.js").Spot[]} */
    this.spots = [];
    /** @type {import("./spots.js").Spot | null} */
    this.selected = null;
    this.sheet = new Sheet("map-alarms");
    /** @type {ReturnType<typeof heaps>} */
    this.drawn = [];
    this.pictures = /** @type {any} */ (null);
  }

  getSourceState() {
    return "ready";
  }

  /** `selected`: the spot of the selected alarm, null where it has none. */
  show(spots, selected) {
    this.spots = spots;
    this.selected = selected;
    this.changed();
  }

  render(frame) {
    const { canvas } = this.sheet;
    if (this.sheet.serves(frame, this.getRevision())) return canvas;
    const { ink, wide, high, ratio, center, resolution } = this.sheet.begin(frame, this.getRevision());
    const at = ({ x, y }) => [wide / 2 + (x - center[0]) / resolution, high / 2 - (y - center[1]) / resolution];
    const inSight = this.spots.filter((spot) => {
      const [x, y] = at(spot);
      return x > -SIZE && y > -SIZE && x < wide + SIZE && y < high + SIZE;
    });
    this.drawn = heaps(inSight, at);
    const off = document.documentElement.dataset.blink === "off";
    for (const heap of [...this.drawn].reverse()) this.draw(ink, ratio, heap, off);
    return canvas;
  }

  draw(ink, ratio, { x, y, spots }, off) {
    const [worst] = spots[0].alarms;
    const waiting = demands(worst);
    const count = spots.reduce((sum, { alarms }) => sum + alarms.length, 0);
    const selected = spots.includes(this.selected);
    ink.setTransform(ratio, 0, 0, ratio, Math.round(x) * ratio, Math.round(y) * ratio);
    if (selected) {
      ink.beginPath();
      ink.arc(0, 0, SIZE + 7, 0, 7);
      ink.lineWidth = 2.5;
      ink.strokeStyle = this.colours.text;
      ink.stroke();
    }
    const symbol = this.picture(`${worst.priority} ${waiting} ${waiting && off}`, REACH, REACH, ratio, (on) => this.symbol(on, worst.priority, waiting, waiting && off));
    ink.drawImage(symbol, -REACH, -REACH, 2 * REACH, 2 * REACH);
    if (count === 1) return;
    const text = `×${count}`;
    const half = 6 + 4 * text.length;
    ink.drawImage(this.picture(text, half, 10, ratio, (on) => this.count(on, text)), SIZE + 11 - half, -SIZE - 10, 2 * half, 20);
  }

  /** What is drawn again and again, drawn once: `wide` and `high` pixels to each side of its middle. */
  picture(name, wide, high, ratio, draw) {
    const { colours } = this;
    if (this.pictures?.colours !== colours || this.pictures.ratio !== ratio || this.pictures.known.size > MOST_PICTURES) this.pictures = { colours, ratio, known: new Map() };
    const { known } = this.pictures;
    let found = known.get(name);
    if (!found) {
      known.set(name, (found = new OffscreenCanvas(Math.ceil(2 * wide * ratio), Math.ceil(2 * high * ratio))));
      const ink = /** @type {any} */ (found.getContext("2d"));
      ink.scale(ratio, ratio);
      ink.translate(wide, high);
      ink.textAlign = "center";
      ink.textBaseline = "middle";
      draw(ink);
    }
    return found;
  }

  symbol(ink, priority, waiting, dimmed) {
    outline(ink, priority);
    ink.lineWidth = 5;
    ink.strokeStyle = this.colours.ground;
    ink.stroke();
    ink.lineWidth = 1.5;
    ink.strokeStyle = waiting ? this.colours.text : this.colours.ground;
    ink.stroke();
    ink.globalAlpha = dimmed ? 0.45 : 1;
    ink.fillStyle = this.colours[`p${priority}`];
    ink.fill();
    ink.globalAlpha = 1;
    ink.fillStyle = this.colours.ink;
    ink.font = "bold 12px system-ui, sans-serif";
    ink.fillText(String(priority), 0, priority === 1 ? 2 : 0.5);
  }

  count(ink, text) {
    ink.font = "bold 11px system-ui, sans-serif";
    ink.lineWidth = 4;
    ink.strokeStyle = this.colours.ground;
    ink.strokeText(text, 0, 0);
    ink.fillStyle = this.colours.text;
    ink.fillText(text, 0, 0);
  }

  /** Ids of the alarms under a pixel, worst first. */
  hit(pixel) {
    const [px, py] = this.sheet.at(pixel);
    const near = this.drawn.filter(({ x, y }) => Math.hypot(x - px, y - py) < HIT_PX);
    return near.sort((a, b) => byLead(a.spots[0], b.spots[0])).flatMap(({ spots }) => spots.flatMap(({ alarms }) => alarms)).map(({ id }) => id);
  }
}
