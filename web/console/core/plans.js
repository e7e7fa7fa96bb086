// 平面图: which part of a plan is in sight, where its places are on the screen, and the calls that read and write plans.

export const MOST_BYTES = 8 * 1024 * 1024;
export const MEDIA = ["image/png", "image/jpeg", "image/webp"];
const CLOSEST = 16;

/** @typedef {{x: number, y: number, zoom: number}} Look the middle of what is seen, 0 to 1 of the plan; zoom 1 shows all of it */
/** @type {Look} */
export const WHOLE = { x: 0.5, y: 0.5, zoom: 1 };

/** Pixels of the screen for one pixel of the plan. `box`: the size it is shown in. */
export const scaleOf = (look, plan, box) => Math.min(box.width / plan.width, box.height / plan.height) * look.zoom;

/** What is seen, in pixels of the plan: `[left, top, width, height]`, as a viewBox has them. */
export function seen(look, plan, box) {
  const scale = scaleOf(look, plan, box);
  const [wide, high] = [box.width / scale, box.height / scale];
  return [look.x * plan.width - wide / 2, look.y * plan.height - high / 2, wide, high];
}

/** The nearest of some shapes of a box, so that a plan fills it: a class of plans.css. */
export const shapeOf = ({ width, height }) => {
  const found = [["wide", 2], ["long", 1.6], ["even", 1.2], ["high", 0.85]].find(([, least]) => width / height >= Number(least) * 0.95);
  return found ? found[0] : "high";
};

/** Where a place of the screen, from the corner of the box, is on the plan; 0 to 1 inside it. */
export function placeAt([px, py], look, plan, box) {
  const [left, top] = seen(look, plan, box);
  const scale = scaleOf(look, plan, box);
  return { x: (left + px / scale) / plan.width, y: (top + py / scale) / plan.height };
}

/** Nothing is pushed out of sight: what fits stays in the middle, what does not keeps its edges. */
function kept({ x, y, zoom }, plan, box) {
  const scale = scaleOf({ zoom }, plan, box);
  const within = (at, half) => (half >= 0.5 ? 0.5 : Math.min(1 - half, Math.max(half, at)));
  return { x: within(x, box.width / scale / plan.width / 2), y: within(y, box.height / scale / plan.height / 2), zoom };
}

export const movedBy = ([dx, dy], look, plan, box) => {
  const scale = scaleOf(look, plan, box);
  return kept({ x: look.x - dx / scale / plan.width, y: look.y - dy / scale / plan.height, zoom: look.zoom }, plan, box);
};

/** Closer or farther by a factor, the place under `at` (pixels of the box) staying where it is. */
export function zoomed(factor, at, look, plan, box) {
  const zoom = Math.min(CLOSEST, Math.max(1, look.zoom * factor));
  const under = placeAt(at, look, plan, box);
  const [dx, dy] = [at[0] - box.width / 2, at[1] - box.height / 2];
  const scale = scaleOf({ zoom }, plan, box);
  return kept({ x: under.x - dx / scale / plan.width, y: under.y - dy / scale / plan.height, zoom }, plan, box);
}

/** A place by steps of an arrow key: a hundredth, with Shift a thousandth, never off the plan. */
export function nudged(place, code, fine) {
  const step = fine ? 0.001 : 0.01;
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[code] ?? [0, 0];
  const within = (at) => Math.round(Math.min(1, Math.max(0, at)) * 10_000) / 10_000;
  return { x: within(place.x + dx * step), y: within(place.y + dy * step) };
}

/** What a device, or a point of a panel, goes by. */
export const nameOf = ({ device, component }) => component || device || "";
/** What the mark of an alert is called: the point of a panel, or the device; never the words of an alarm. */
export const calledAs = (alert) => (["panel", "gateway"].includes(alert.device_kind) && alert.component) || alert.device || alert.subject || "";
export const keyOf = ({ device, component }) => JSON.stringify([device, component]);

/**
 * Marks of alerts as they are drawn, the worst last: of several in one place the worst, with how many there are; it is the one
 * looked at, and waits, if any of them is or does. A fire is never under a fault of the same detector.
 * @template {{x: number, y: number, label: string, own?: boolean, waiting?: boolean}} Mark
 * @param {Mark[]} marks worst first
 */
export function heaped(marks) {
  const found = new Map();
  for (const mark of marks) {
    const key = `${mark.x} ${mark.y}`;
    const first = found.get(key);
    if (first) found.set(key, { mark: { ...first.mark, own: first.mark.own || mark.own, waiting: first.mark.waiting || mark.waiting }, n: first.n + 1 });
    else found.set(key, { mark, n: 1 });
  }
  return [...found.values()].map(({ mark, n }) => (n > 1 ? { ...mark, label: `${mark.label} ×${n}` } : mark)).reverse();
}

const UPLOAD_MS = 120_000;

const unitPath = (unit) => `/units/${encodeURIComponent(unit)}/plans`;

/** The floors of a unit with their plans and what stands on them. */
export const plansOf = (api, unit) => api.request("GET", unitPath(unit));

/** Each is placed, or said why not. */
export const putPositions = (api, unit, positions) => api.request("PUT", `${unitPath(unit)}/positions`, { body: { positions } });

const floorPath = (unit, floor) => `${unitPath(unit)}/${encodeURIComponent(floor.building)}/${encodeURIComponent(floor.floor)}`;

export const withdrawPlan = (api, unit, floor) => api.request("DELETE", floorPath(unit, floor));

/** Sends an image, which may take a while. @returns {Promise<import("./api.js").Answer>} never rejects */
export const putPlan = (api, unit, floor, file) => api.request("PUT", floorPath(unit, floor), { file, patienceMs: UPLOAD_MS });
