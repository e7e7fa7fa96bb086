// The centre's zone: every time of day on the page is written and read in it, whatever zone this computer is set to.
import { signal } from "../vendor/signals.mjs";

/** A name of the IANA database; empty, the browser's own, until the service has said which. */
export const zone = signal("");

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** Takes the centre's zone; one this browser does not know leaves the browser's own. */
export function setZone(name) {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    zone.value = name ?? "";
  } catch {
    zone.value = "";
  }
}

const two = (n) => String(n).padStart(2, "0");

function format() {
  let known = formats.get(zone.value);
  if (!known) {
    const all = /** @type {const} */ ({ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
    formats.set(zone.value, (known = new Intl.DateTimeFormat("en-US", { ...all, timeZone: zone.value || undefined })));
  }
  return known;
}

/** What the centre's calendar and clock show. @returns {Record<"year" | "month" | "day" | "hour" | "minute" | "second", number>} */
export function partsOf(ms) {
  /** @type {any} */
  const parts = {};
  for (const { type, value } of format().formatToParts(ms)) parts[type] = Number(value);
  return parts;
}

/** 2026-11-22 at the centre. */
export function dayOf(ms) {
  const { year, month, day } = partsOf(ms);
  return `${year}-${two(month)}-${two(day)}`;
}

/** How far the centre's clock is ahead of UTC, ms. */
function ahead(ms) {
  const { year, month, day, hour, minute, second } = partsOf(ms);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
}

const DAY_MS = 86_400_000;

/**
 * The instant, ms, of `2026-11-22T08:00` as a field of the page says it, by the centre's clock. Where that clock is put
 * back and shows it twice, the first; where it is put forward and never shows it, as much later. NaN where it is none.
 */
export function instantOf(text) {
  const shown = Date.parse(`${text}Z`);
  if (Number.isNaN(shown)) return NaN;
  const [before, after] = [shown - ahead(shown - DAY_MS), shown - ahead(shown + DAY_MS)];
  const fits = (ms) => ms + ahead(ms) === shown;
  if (fits(before)) return before; // ahead before the change is the greater one: the first of two
  return fits(after) ? after : before;
}

/** By its offset, for it is asked each second and dear to ask; a computer that is carried off has another. */
const here = { offset: NaN, name: "" };

/** The zone this computer is set to, where its clock shows another time than the centre's; else empty. */
export function elsewhere(ms) {
  const offset = new Date(ms).getTimezoneOffset();
  if (!zone.value || -offset * 60_000 === ahead(ms)) return "";
  if (offset !== here.offset) Object.assign(here, { offset, name: new Intl.DateTimeFormat().resolvedOptions().timeZone });
  return here.name;
}
