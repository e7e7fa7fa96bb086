// The part of the address after #: what a seat looks at, so that a reload or a colleague given the link sees the same.
import { CHOICES, LONGEST_WORDS, NO_FILTER } from "./search.js";

const LONGEST = 2_000;
/** As much of what is not understood as is shown. */
const SHOWN = 40;
const CODE = /^[A-Za-z0-9_-]{1,64}$/;
export const isUnit = (code) => CODE.test(code);
/** An alert's id, an incident's with `i-`, the key of one not stored yet with `p-`. */
const ALERT = /^(i-)?[0-9]{1,18}$|^p-[A-Za-z0-9_-]{1,64}$/;

/** @typedef {{filter: import("./search.js").Filter, alert: string, panel: string, subject: {unit: string, device: string} | null}} Place */

/** @returns {string} without the # */
export function written(/** @type {Place} */ { filter, alert, panel, subject }) {
  const said = [];
  const say = (name, value) => value && said.push(`${name}=${encodeURIComponent(value).replaceAll("%2C", ",").replaceAll("%2F", "/")}`);
  say("q", filter.q.trim());
  for (const kind of Object.keys(CHOICES)) say(kind, filter[kind].join(","));
  say("unit", filter.unit);
  say("mine", filter.mine ? "1" : "");
  say("alert", alert);
  say("panel", panel);
  if (panel && subject) say("of", [subject.unit, subject.device].filter(Boolean).join("/"));
  return said.join("&");
}

/**
 * What an address says, as far as it can be understood: it may be old, mistyped, or written by somebody who means harm.
 * `isPanel(name)`: whether there is such a panel. `ignored`: what was not understood, cut short, to be shown as text only.
 * @returns {Place & {ignored: string[]}}
 */
export function read(hash, isPanel) {
  /** @type {Place & {ignored: string[]}} */
  const place = { filter: { ...NO_FILTER }, alert: "", panel: "", subject: null, ignored: [] };
  const said = hash.replace(/^#/, "");
  if (said.length > LONGEST) return { ...place, ignored: [`${said.slice(0, SHOWN)}…`] };
  const ignore = (name, value) => {
    const whole = value === "" ? name : `${name}=${value}`;
    place.ignored.push(whole.length > SHOWN ? `${whole.slice(0, SHOWN)}…` : whole);
  };
  let of = "";
  for (const [name, value] of new URLSearchParams(said)) {
    if (name in CHOICES && Object.hasOwn(CHOICES, name)) {
      const asked = value.split(",");
      place.filter[name] = CHOICES[name].filter((each) => asked.includes(each));
      for (const each of asked) if (!CHOICES[name].includes(each)) ignore(name, each);
    } else if (name === "q" && value.length <= LONGEST_WORDS) place.filter.q = value;
    else if (name === "unit" && CODE.test(value)) place.filter.unit = value;
    else if (name === "mine" && value === "1") place.filter.mine = true;
    else if (name === "alert" && ALERT.test(value)) place.alert = value;
    else if (name === "panel" && isPanel(value)) place.panel = value;
    else if (name === "of" && value.split("/").length <= 2 && value.split("/").every((part) => CODE.test(part))) of = value;
    else ignore(name, value);
  }
  const [unit, device = ""] = of.split("/");
  if (unit) place.subject = { unit, device };
  if ((place.panel === "unit" && !unit) || (place.panel === "device" && !device)) {
    ignore("panel", place.panel);
    place.panel = "";
  }
  return place;
}
