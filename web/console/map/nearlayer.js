// The nearest water and stations of the selected alert: small marks with their distance, above the devices and below every alarm.
import { Layer } from "../vendor/ol-console.mjs";
import { Sheet } from "./sheet.js";
import { drawKind } from "./sprites.js";

const SIZE = 9;
const BESIDE = SIZE + 5;
const HIT_PX = 13;

export class NearLayer extends Layer {
  constructor({ colours }) {
    super({ zIndex: 5 });
    this.colours = colours;
    /** @type {any[]} `{x, y, kind, label, faulty, west, thing}`, `west`: it lies west of the alert, x and y in metres of the map, `thing`: what it is */
    this.marks = [];
    this.sheet = new Sheet("map-near");
  }

  getSourceState() {
    return "ready";
  }

  show(marks) {
    this.marks = marks;
    this.changed();
  }

  render(frame) {
    const { canvas } = this.sheet;
    if (this.sheet.serves(frame, this.getRevision())) return canvas;
    const { ink, wide, high, ratio, center, resolution } = this.sheet.begin(frame, this.getRevision());
    ink.scale(ratio, ratio);
    const seen = this.marks.map((mark) => ({ mark, x: Math.round(wide / 2 + (mark.x - center[0]) / resolution), y: Math.round(high / 2 - (mark.y - center[1]) / resolution) }))
      .filter(({ x, y }) => x >= -SIZE && y >= -SIZE && x <= wide + SIZE && y <= high + SIZE);
    for (const { mark, x, y } of seen) {
      ink.save();
      ink.translate(x, y);
      this.draw(ink, mark);
      ink.restore();
    }
    const taken = seen.map(({ x, y }) => [x - SIZE, y - SIZE, x + SIZE, y + SIZE]);
    for (const { mark, x, y } of seen) this.label(ink, mark, x, y, taken);
    return canvas;
  }

  /** Its distance beside it, away from the alarm or on the other side; where there is no room the list beside the map says it. */
  label(ink, { label, west }, x, y, taken) {
    ink.font = "13px system-ui, sans-serif";
    const long = ink.measureText(label).width;
    const boxOf = (left) => (left ? [x - BESIDE - long, y - SIZE, x - BESIDE, y + SIZE] : [x + BESIDE, y - SIZE, x + BESIDE + long, y + SIZE]);
    const box = [west, !west].map(boxOf).find((each) => !taken.some((other) => each[0] < other[2] && each[2] > other[0] && each[1] < other[3] && each[3] > other[1]));
    if (!box) return;
    taken.push(box);
    ink.textBaseline = "middle";
    ink.lineWidth = 4;
    ink.strokeStyle = this.colours.ground;
    ink.strokeText(label, box[0], y);
    ink.fillStyle = this.colours.text;
    ink.fillText(label, box[0], y);
  }

  /** A plate with the shape of the kind; what may give no water is crossed out and dashed. */
  draw(ink, { kind, faulty }) {
    ink.beginPath();
    ink.rect(-SIZE, -SIZE, 2 * SIZE, 2 * SIZE);
    ink.fillStyle = this.colours.ground;
    ink.fill();
    ink.lineWidth = 1.5;
    ink.setLineDash(faulty ? [3, 2] : []);
    ink.strokeStyle = this.colours.text;
    ink.stroke();
    ink.setLineDash([]);
    drawKind(ink, kind);
    ink.fillStyle = this.colours.text;
    ink.fill();
    if (faulty) {
      ink.beginPath();
      ink.moveTo(-SIZE, SIZE);
      ink.lineTo(SIZE, -SIZE);
      ink.lineWidth = 2;
      ink.stroke();
    }
  }

  /** What of it lies under a finger, as it was given, with `far` in metres of the map. */
  hit([x, y], resolution) {
    return this.marks.map((mark) => ({ ...mark, far: Math.hypot(mark.x - x, mark.y - y) })).filter(({ far }) => far < HIT_PX * resolution);
  }
}
