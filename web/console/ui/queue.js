// The queue 待处置警情: filter, the windowed list, and the strips for what the filter or the scroll would hide.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { age, clockTime, integer, t, titleOf, word } from "../core/i18n.js";
import { demands, isTesting } from "../core/marks.js";
import { Headline } from "./headline.js";
import { itemsOf, lastOf, outOfSight, windowOf } from "./layout.js";
import { Choices, Filter, FiresOutside, Unfollowed } from "./narrow.js";
import { Row, labelOf, placeOf } from "./row.js";
import { Symbol } from "./symbol.js";

/** Rows of a queue no wider than this, in px, have three lines (css/queue.css): on a phone, or enlarged. */
const NARROW = 560;
const ROW = { wide: { row: 54, headline: 40, heading: 28 }, narrow: { row: 78, headline: 58, heading: 28 } };
const DOCK = { row: 34, head: 28, roomy: 640 };
const AT_TOP = 8;

export function Queue({ desk, onOpen }) {
  const view = useHeldView(desk);
  const [choosing, setChoosing] = useState(false);
  const old = desk.feedStatus.value !== "live" && desk.loaded.value && desk.lostAt;
  return html`<section class="queue ${old ? "old" : ""}" aria-label=${t("queue.title")}>
    <div class="queue-head">
      <h2>${t("queue.title")}</h2>
      <span class="num muted" data-queue-count>${
        view.value.shown.length === view.value.queue.length
          ? integer(view.value.queue.length)
          : t("queue.of", { n: integer(view.value.shown.length), all: integer(view.value.queue.length) })
      }</span>
      ${old && html`<b class="fault as-of">${t("banner.as_of", { time: clockTime(old) })}</b>`}
      <${Filter} desk=${desk} open=${choosing} onOpen=${() => setChoosing(!choosing)} />
    </div>
    <${Choices} desk=${desk} open=${choosing} />
    <${Unfollowed} desk=${desk} />
    <${FiresOutside} desk=${desk} fires=${view.value.firesOutside} waiting=${view.value.waitingOutside} />
    <${List} desk=${desk} shown=${view.value.shown} sections=${view.value.sections} rows=${view.value.rows} hold=${view.hold} onOpen=${onOpen} />
  </section>`;
}

/** Rows do not move under a pointer that is down: the view stands still until it is up again. */
function useHeldView(desk) {
  const held = useRef(/** @type {any} */ (null));
  const [, again] = useState(0);
  useEffect(() => {
    const release = () => {
      if (!held.current) return;
      // after the click that follows pointerup
      setTimeout(() => {
        held.current = null;
        again((n) => n + 1);
      });
    };
    addEventListener("pointerup", release);
    addEventListener("pointercancel", release);
    return () => {
      removeEventListener("pointerup", release);
      removeEventListener("pointercancel", release);
    };
  }, []);
  const newest = { ...desk.view.value, rows: desk.rows.value };
  return { value: held.current ?? newest, hold: () => (held.current ??= newest) };
}

function List({ desk, shown, sections, rows, hold, onOpen }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const [box, setBox] = useState({ top: 0, height: 600, width: innerWidth });
  const [above, setAbove] = useState(0);
  const before = useRef(/** @type {any} */ (null));
  const selectedId = desk.selectedId.value;
  const narrow = box.width <= NARROW;
  const heights = narrow ? ROW.narrow : ROW.wide;
  const placed = useMemo(() => itemsOf(rows, sections, heights), [rows, sections, heights]);
  const { items, tops, total, at, unlisted } = placed;
  const dockRows = box.height < DOCK.roomy ? 2 : 3;
  const dockHeight = DOCK.head + dockRows * DOCK.row;

  useEffect(() => {
    const element = /** @type {HTMLElement} */ (list.current);
    const whole = /** @type {HTMLElement} */ (element.closest(".queue"));
    const measure = () => setBox({ top: element.scrollTop, height: element.clientHeight, width: whole.clientWidth });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, []);

  // What the operator reads stays where it is when rows come or go above it; at the top, new alarms slide in.
  useLayoutEffect(() => {
    const element = /** @type {HTMLElement} */ (list.current);
    const old = before.current;
    if (old && old.at !== at && element.scrollTop > AT_TOP) {
      const { scrollTop } = element;
      const begun = Math.max(0, lastOf(old.tops, (top) => top <= scrollTop));
      const anchor = old.items.slice(begun).find((item) => item.id && at.has(item.id));
      if (anchor) {
        const shift = tops[at.get(anchor.id)] - old.tops[old.at.get(anchor.id)];
        if (shift) element.scrollTop += shift;
        const known = old.at;
        const fresh = items.filter((item, i) => item.alert && tops[i] < element.scrollTop && !known.has(item.id)).length;
        if (fresh) setAbove((n) => n + fresh);
      }
    }
    before.current = { items, tops, at };
  }, [rows, narrow]);
  useEffect(() => {
    if (box.top <= AT_TOP) setAbove(0);
  }, [box.top <= AT_TOP]);

  // A selection made by key, tile or strip comes into sight once; afterwards the operator scrolls as he likes.
  useLayoutEffect(() => {
    const element = /** @type {HTMLElement} */ (list.current);
    const index = selectedId === null ? undefined : at.get(selectedId);
    if (index === undefined) return;
    const top = tops[index];
    const above = heights.heading + (items[index - 1]?.incident ? heights.headline : 0); // its headline stays in sight, and so does the very top
    const dock = total > element.clientHeight ? dockHeight : 0;
    if (top - above < element.scrollTop) element.scrollTop = Math.max(0, top - above);
    else if (top + items[index].height > element.scrollTop + element.clientHeight - dock) {
      element.scrollTop = top + items[index].height - element.clientHeight + dock;
    }
  }, [selectedId]);

  const { first, last } = windowOf(tops, total, heights, box);
  const hidden = outOfSight(placed, box, dockHeight);
  const drawn = items.slice(first, last + 1);
  const live = desk.feedStatus.value === "live";
  const selectedDrawn = drawn.some((item) => item.id === selectedId);

  return html`<div class="list">
    <div id="queue-list" ref=${list} class="scroller" role="listbox" tabindex="0" aria-label=${t("queue.title")}
        aria-activedescendant=${selectedDrawn ? `alert-${selectedId}` : undefined} onPointerDown=${hold}>
      <div class="canvas" role="none" style=${{ height: `${total + (total > box.height ? dockHeight : 0)}px` }}>
        ${drawn.map((item, i) => {
          const top = tops[first + i];
          if (item.heading) return html`<${Heading} key=${`p${item.heading}`} item=${item} top=${top} />`;
          if (item.unlisted) return html`<${Unlisted} key=${item.id} item=${item} top=${top} size=${rows.length} />`;
          const { id, alert } = item;
          const onSelect = () => {
            desk.select(id);
            onOpen();
          };
          if (!alert) return html`<${Headline} key=${id} item=${item} top=${top} size=${rows.length} selected=${id === selectedId} now=${desk.now.value} onSelect=${onSelect} onToggle=${() => desk.toggle(item.incident.id)} />`;
          return html`<${Row} key=${id} item=${item} top=${top} size=${rows.length}
              selected=${id === selectedId} now=${desk.now.value} live=${live} act=${desk.acts.outcome(id, "acknowledge")} onSelect=${onSelect} />`;
        })}
      </div>
    </div>
    ${!shown.length && html`<p class="empty">${t(!desk.loaded.value ? (desk.kpis.value?.store === "unavailable" ? "queue.unread" : "queue.loading") : desk.filtering.value ? "queue.none_match" : "queue.empty")}</p>`}
    ${above > 0 && html`<button class="above" onClick=${() => {
      /** @type {HTMLElement} */ (list.current).scrollTop = 0;
      list.current?.focus();
    }}>${t("queue.above", { n: above })}</button>`}
    ${hidden.length + unlisted > 0 && html`<${Dock} desk=${desk} hidden=${hidden} unlisted=${unlisted} rows=${dockRows} />`}
  </div>`;
}

/** The beginning of a priority, with its own counts; its words are in the header's tiles for a screen reader. */
function Heading({ item, top }) {
  return html`<div class="heading p${item.heading}" aria-hidden="true" style=${{ transform: `translateY(${top}px)`, height: `${item.height}px` }}>
    <${Symbol} priority=${item.heading} /><b>${word("priority", item.heading)}</b>
    <span>${t("queue.section", { open: item.open, waiting: item.waiting })}</span>
  </div>`;
}

/** The end of a priority that has more than anybody scrolls through: how many more, and how to come by them. */
function Unlisted({ item, top, size }) {
  const { unlisted, section, position, height } = item;
  return html`<div id=${`alert-${item.id}`} class="row unlisted" role="option" aria-disabled="true" aria-selected=${false} aria-posinset=${position} aria-setsize=${size} data-unlisted=${unlisted.open}
      style=${{ transform: `translateY(${top}px)`, height: `${height}px` }}>
    <${Symbol} priority=${section} /><span>${t("queue.unlisted", { open: integer(unlisted.open), waiting: integer(unlisted.waiting) })}</span>
  </div>`;
}

/** Priority 1 and 2 that nobody acknowledged and that the scroll hides, `unlisted` of them without a row: in sight under any number of latched fires. */
function Dock({ desk, hidden, unlisted, rows }) {
  return html`<section class="dock" aria-label=${t("queue.dock_label")} data-out-of-sight=${hidden.length + unlisted}>
    <div class="dock-head"><b>${t("queue.dock", { n: integer(hidden.length + unlisted) })}</b>
      ${[1, 2].map((priority) => {
        const n = hidden.filter((alert) => alert.priority === priority).length + (priority === 2 ? unlisted : 0);
        return n > 0 && html`<span class="inline"><${Symbol} priority=${priority} waiting /> ${word("priority", priority)} ${integer(n)}</span>`;
      })}
    </div>
    ${hidden.slice(0, rows).map((alert) => html`<button key=${alert.id} class="dock-row ${isTesting(alert) ? "testing" : ""}" title=${labelOf(alert)} onClick=${() => {
      desk.select(alert.id);
      document.getElementById("queue-list")?.focus();
    }}>
      <${Symbol} priority=${alert.priority} waiting />
      <span class="cut">${isTesting(alert) && html`<span class="flag in_test">${word("flag", "in_test")}</span> `}<b>${titleOf(alert)}</b> ${placeOf(alert)}</span>
      <span class="num">${age(desk.now.value - alert.raisedMs)}</span>
    </button>`)}
  </section>`;
}
