// A floor plan 平面图 with marks on it: looked at closer and moved by mouse, touch and keyboard; an image that fails says so.
import { useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { t } from "../core/i18n.js";
import { WHOLE, movedBy, placeAt, scaleOf, seen, shapeOf, zoomed } from "../core/plans.js";

const SHAPES = {
  1: "M0-13 13 10H-13z",
  2: "M0-13 13 0 0 13-13 0z",
  3: "M-11-11h22v22h-22z",
  4: "M-11 0a11 11 0 1 0 22 0a11 11 0 1 0-22 0z",
};
const STILL_PX = 4; // a finger that moves less has not moved the plan
const CLOSER = 1.5;
const TO_POINT = 2.5;
const NAMED = 1.5; // from here on every mark has its name

/**
 * `plan`: url, width, height. `marks`: `{key, x, y, priority, own, waiting, doubtful, label, chosen}`; without a priority a device.
 * `onPlace({x, y})`: a click on the plan. `onKeys(event)`: keys first; true takes one. `point`: what "to the point" goes to. `over`: words above the sheet.
 */
export function PlanView({ plan, marks, label, point = null, over = null, onPlace = undefined, onMark = undefined, onKeys = undefined }) {
  const ground = useRef(/** @type {any} */ (null));
  const [box, setBox] = useState({ width: 0, height: 0 });
  const [look, setLook] = useState(WHOLE);
  const image = useImage(plan.url);
  const pointers = useRef(/** @type {Map<number, number[]>} */ (new Map()));
  const moved = useRef(0);

  useLayoutEffect(() => {
    const measure = () => setBox({ width: ground.current.clientWidth, height: ground.current.clientHeight });
    const watcher = new ResizeObserver(measure);
    watcher.observe(ground.current);
    measure();
    return () => watcher.disconnect();
  }, []);
  useEffect(() => setLook(WHOLE), [plan.url]);

  const ready = box.width > 0 && box.height > 0;
  const scale = ready ? scaleOf(look, plan, box) : 1;
  const middle = [box.width / 2, box.height / 2];
  const zoom = (factor, at = middle) => setLook((now) => zoomed(factor, at, now, plan, box));
  const inBox = (event) => {
    const edge = ground.current.getBoundingClientRect();
    return [event.clientX - edge.left, event.clientY - edge.top];
  };

  const onPointerDown = (event) => {
    if (event.button > 0) return;
    ground.current.setPointerCapture(event.pointerId);
    pointers.current.set(event.pointerId, inBox(event));
    if (pointers.current.size === 1) moved.current = 0;
  };
  const onPointerMove = (event) => {
    const before = pointers.current.get(event.pointerId);
    if (!before) return;
    const now = inBox(event);
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    pointers.current.set(event.pointerId, now);
    moved.current += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (other) {
      const apart = (at) => Math.max(1, Math.hypot(at[0] - other[0], at[1] - other[1]));
      zoom(apart(now) / apart(before), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]);
    } else if (moved.current > STILL_PX) setLook((old) => movedBy([now[0] - before[0], now[1] - before[1]], old, plan, box));
  };
  const onPointerEnd = (event) => {
    const down = pointers.current.delete(event.pointerId);
    if (!down || event.type === "pointercancel" || moved.current > STILL_PX || pointers.current.size) return;
    const at = inBox(event);
    const place = placeAt(at, look, plan, box);
    const near = onMark && nearest(marks, at, (mark) => onScreen(mark, look, plan, box));
    if (near) onMark(near);
    else if (onPlace && place.x >= 0 && place.x <= 1 && place.y >= 0 && place.y <= 1) onPlace(place);
  };
  const onWheel = (event) => {
    if (document.activeElement !== ground.current) return; // else it scrolls on to what stands below
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, inBox(event));
  };
  const onKeyDown = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (!onKeys?.(event) && !turn(event)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  const turn = (event) => {
    const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.code];
    if (step) setLook((now) => movedBy(step, now, plan, box));
    else if (event.key === "+" || event.key === "=") zoom(CLOSER);
    else if (event.key === "-") zoom(1 / CLOSER);
    else if (event.key === "0" || event.code === "Home") setLook(WHOLE);
    else return false;
    return true;
  };

  return html`<div class="plan-view ${shapeOf(plan)} ${look.zoom < NAMED ? "far" : ""}" data-image=${image} data-zoom=${look.zoom.toFixed(2)}>
    ${over && html`<div class="plan-over">${over}</div>`}
    <div ref=${ground} class="plan-ground ${look.zoom > 1 ? "closer" : ""} ${onPlace ? "placing" : ""}" tabindex="0" role="application" aria-label=${`${label}. ${t("plan.keys")}`}
      onPointerDown=${onPointerDown} onPointerMove=${onPointerMove} onPointerUp=${onPointerEnd} onPointerCancel=${onPointerEnd} onWheel=${onWheel} onKeyDown=${onKeyDown}>
      ${ready && html`<svg class="plan-sheet" viewBox=${seen(look, plan, box).join(" ")} preserveAspectRatio="none" aria-hidden="true">
        <rect class="plan-paper" width=${plan.width} height=${plan.height} />
        ${image === "ready" && html`<image href=${plan.url} width=${plan.width} height=${plan.height} preserveAspectRatio="none" />`}
        ${marks.map((mark) => html`<${Mark} key=${mark.key} mark=${mark} plan=${plan} scale=${scale} />`)}
      </svg>`}
    </div>
    ${image === "failed" && html`<p class="plan-trouble" role="alert">${t("plan.image_failed")}</p>`}
    ${image === "loading" && html`<p class="plan-trouble muted" role="status">${t("plan.image_loading")}</p>`}
    <div class="plan-tools">
      <button onClick=${() => zoom(CLOSER)} aria-label=${t("map.closer")}>+</button>
      <button onClick=${() => zoom(1 / CLOSER)} aria-label=${t("map.farther")}>−</button>
      <button onClick=${() => setLook(WHOLE)}>${t("plan.whole")}</button>
      ${point && html`<button data-to-point onClick=${() => setLook(zoomed(TO_POINT, middle, { ...WHOLE, x: point.x, y: point.y }, plan, box))}>${t("plan.to_point")}</button>`}
    </div>
  </div>`;
}

/** "loading", "ready" or "failed"; the image is asked for once it is needed, and kept by the browser. */
function useImage(url) {
  const [state, setState] = useState({ url, word: "loading" });
  useEffect(() => {
    let wanted = true;
    const sheet = new Image();
    const say = (word) => wanted && setState({ url, word });
    sheet.onload = () => say("ready");
    sheet.onerror = () => say("failed");
    sheet.src = url;
    return () => {
      wanted = false;
    };
  }, [url]);
  return state.url === url ? state.word : "loading";
}

function Mark({ mark, plan, scale }) {
  const { x, y, priority, own, waiting, doubtful, label, chosen } = mark;
  const kind = priority ? `alarm symbol p${priority} ${waiting ? "waiting" : ""}` : "thing";
  return html`<g class="plan-mark ${kind} ${own ? "own" : ""} ${chosen ? "chosen" : ""} ${doubtful ? "doubtful" : ""}" data-mark=${mark.key}
    transform=${`translate(${x * plan.width} ${y * plan.height}) scale(${(own ? 1.25 : 1) / scale})`}>
    ${(own || chosen) && html`<circle class="halo" r="21" />`}
    ${priority
      ? html`<path class="edge" d=${SHAPES[priority]} /><g class="shape"><path d=${SHAPES[priority]} /></g><text y=${priority === 1 ? 7.5 : 5} text-anchor="middle">${priority}</text>`
      : html`<circle class="dot" r="4" />`}
    ${label && html`<text class="name" x=${x > 0.6 ? -25 : 25} y="5" text-anchor=${x > 0.6 ? "end" : "start"}>${label}</text>`}
  </g>`;
}

const HIT_PX = 14;

function onScreen(mark, look, plan, box) {
  const [left, top] = seen(look, plan, box);
  const scale = scaleOf(look, plan, box);
  return [(mark.x * plan.width - left) * scale, (mark.y * plan.height - top) * scale];
}

function nearest(marks, [px, py], at) {
  const far = (mark) => {
    const [x, y] = at(mark);
    return Math.hypot(x - px, y - py);
  };
  return marks.filter((mark) => far(mark) < HIT_PX).sort((a, b) => far(a) - far(b))[0] ?? null;
}
