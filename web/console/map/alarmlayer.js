// Alarms on the map: above everything, each with the shape and digit of its priority; where several stand in one place, the worst, with their number.
import { Layer } from "../vendor/ol-console.mjs";
import { sheet } from "./sheet.js";

const SIZE = 11;
const HIT_PX = 18;

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

/** Worst first: lower priority digit, then unacknowledged, then the newest. */
export const worseFirst = (a, b) => a.priority - b.priority || Number(b.waiting) - Number(a.waiting) || b.raisedMs - a.raisedMs;

/**
 * Alarms that would cover one another, worst first in each group; a fire stands for itself wherever it is not in the very place of another.
 * `at`: the pixel of an alarm.
 */
export function heaps(alarms, at) {
  const found = new Map();
  for (const alarm of [...alarms].sort(worseFirst)) {
    const [x, y] = at(alarm);
    const cell = alarm.fire ? 4 : 14;
    const key = ((Math.round(x / cell) + 32_768) * 65_536 + Math.round(y / cell) + 32_768) * 2 + Number(alarm.fire); // a word for each of 60,000 costs too much
    const heap = found.get(key);
    if (heap) heap.alarms.push(alarm);
    else found.set(key, { x, y, alarms: [alarm] });
  }
  return [...found.values()];
}

export class AlarmLayer extends Layer {
  constructor({ colours }) {
    super({ zIndex: 10 });
    this.colours = colours;
    /** @type {any[]} `{id, x, y, priority, waiting, fire, raisedMs}`, x and y in metres of the map */
    this.alarms = [];
    this.selected = "";
    this.canvas = document.createElement("canvas");
    this.canvas.className = "map-alarms";
    this.drawn = [];
  }

  getSourceState() {
    return "ready";
  }

  show(alarms, selected) {
    this.alarms = alarms;
    this.selected = selected;
    this.changed();
  }

  render(frame) {
    const { canvas } = this;
    const { ink, wide, high, ratio } = sheet(canvas, frame);
    const { resolution, center, rotation } = frame.viewState;
    const [cos, sin] = [Math.cos(rotation) / resolution, Math.sin(rotation) / resolution];
    const at = ({ x, y }) => {
      const [dx, dy] = [x - center[0], y - center[1]];
      return [wide / 2 + dx * cos - dy * sin, high / 2 - dy * cos - dx * sin];
    };
    const inSight = this.alarms.filter((alarm) => {
      const [x, y] = at(alarm);
      return x > -SIZE && y > -SIZE && x < wide + SIZE && y < high + SIZE;
    });
    this.drawn = heaps(inSight, at);
    const off = document.documentElement.dataset.blink === "off";
    for (const heap of [...this.drawn].reverse()) this.draw(ink, ratio, heap, off);
    return canvas;
  }

  draw(ink, ratio, { x, y, alarms }, off) {
    const [worst] = alarms;
    const selected = alarms.some((alarm) => alarm.id === this.selected);
    ink.setTransform(ratio, 0, 0, ratio, Math.round(x) * ratio, Math.round(y) * ratio);
    if (selected) {
      ink.beginPath();
      ink.arc(0, 0, SIZE + 7, 0, 7);
      ink.lineWidth = 2.5;
      ink.strokeStyle = this.colours.text;
      ink.stroke();
    }
    outline(ink, worst.priority);
    ink.lineWidth = 5;
    ink.strokeStyle = this.colours.ground;
    ink.stroke();
    ink.lineWidth = 1.5;
    ink.strokeStyle = worst.waiting ? this.colours.text : this.colours.ground;
    ink.stroke();
    ink.globalAlpha = worst.waiting && off ? 0.45 : 1;
    ink.fillStyle = this.colours[`p${worst.priority}`];
    ink.fill();
    ink.globalAlpha = 1;
    ink.fillStyle = this.colours.ink;
    ink.font = "bold 12px system-ui, sans-serif";
    ink.textAlign = "center";
    ink.textBaseline = "middle";
    ink.fillText(String(worst.priority), 0, worst.priority === 1 ? 2 : 0.5);
    if (alarms.length > 1) {
      ink.font = "bold 11px system-ui, sans-serif";
      const text = `×${alarms.length}`;
      ink.lineWidth = 4;
      ink.strokeStyle = this.colours.ground;
      ink.strokeText(text, SIZE + 11, -SIZE);
      ink.fillStyle = this.colours.text;
      ink.fillText(text, SIZE + 11, -SIZE);
    }
  }

  /** Ids of the alarms under a pixel, worst first. */
  hit([px, py]) {
    const near = this.drawn.filter(({ x, y }) => Math.hypot(x - px, y - py) < HIT_PX);
    return near.sort((a, b) => worseFirst(a.alarms[0], b.alarms[0])).flatMap((heap) => heap.alarms.map((alarm) => alarm.id));
  }
}
