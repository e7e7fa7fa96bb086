// Words in the operator's language, and times, ages and numbers as that language writes them; times of day are the centre's.
import { signal } from "../vendor/signals.mjs";
import { dayOf, zone } from "./zone.js";

export const LANGUAGES = ["zh-CN", "en"];

/** @type {Record<string, Record<string, string>>} */
const tables = {};

export const language = signal("zh-CN");

/** Loads every language at once, so that switching works while the connection is lost. */
export async function loadLanguages() {
  await Promise.all(
    LANGUAGES.map(async (name) => {
      const answer = await fetch(new URL(`../i18n/${name}.json`, import.meta.url));
      if (!answer.ok) throw new Error(`i18n/${name}.json: HTTP ${answer.status}`);
      tables[name] = await answer.json();
    }),
  );
}

/** The language chosen before, else English for an English browser, else Chinese. */
export function preferredLanguage(saved, browserLanguages) {
  if (LANGUAGES.includes(saved)) return saved;
  return /^en\b/i.test(browserLanguages[0] ?? "") ? "en" : "zh-CN";
}

/** The text of `key` with its {placeholders} filled; a missing key shows itself, loudly, rather than nothing. */
export function t(key, values = {}) {
  const text = tables[language.value]?.[key];
  if (text === undefined) return `⟦${key}⟧`;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** The word for a value the server may extend: unknown values show as they came. */
export function word(group, value) {
  return tables[language.value]?.[`${group}.${value}`] ?? String(value);
}

/** The same word in every language, for searching. */
export const wordInAll = (group, value) => LANGUAGES.map((name) => tables[name]?.[`${group}.${value}`] ?? "").join(" ");

/** The language as the server's documents name it. */
export const serverLanguage = () => (language.value === "en" ? "en" : "zh");

/** A title of the server's in the operator's language. */
export const titleIn = (title) => title?.[serverLanguage()] ?? "";

/** The same of an alert. */
export const titleOf = (alert) => titleIn(alert.title) || alert.rule;

/**
 * Why the server refused, in the operator's language: English as it said it; else a sentence made of the code, and of the
 * fields that `details` name. @param {{code?: string, message?: string, details?: any}} error
 */
export function refusalOf({ code = "", message = "", details }) {
  if (language.value === "en" && message) return message;
  const known = word("error", code);
  const sentence = known === code ? t("error.other", { code }) : known;
  const fields = Array.isArray(details) ? details.map(({ where }) => word("input", String(where).split(".").at(-1))).filter(Boolean) : [];
  return fields.length ? t("error.fields", { sentence, fields: listed([...new Set(fields)]) }) : sentence;
}

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();
function format(kind, options) {
  const key = `${language.value} ${kind} ${zone.value}`;
  let known = formats.get(key);
  if (!known) formats.set(key, (known = new Intl.DateTimeFormat(language.value, { hourCycle: "h23", timeZone: zone.value || undefined, ...options })));
  return known;
}

/** 11:24:36 */
export const clockTime = (ms) => format("time", { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(ms);

/** 2026-11-22 in both languages: sortable, and never month and day confused. */
export const day = dayOf;

/** Time of day, with the date when it was not today. */
export const moment = (ms, nowMs) => (day(ms) === day(nowMs) ? clockTime(ms) : `${day(ms)} ${clockTime(ms)}`);

/** The same in a narrow column: 11-22 23:54 for another day. */
export const shortMoment = (ms, nowMs) =>
  day(ms) === day(nowMs) ? clockTime(ms) : `${day(ms).slice(5)} ${clockTime(ms).slice(0, 5)}`;

/** How long ago, in two units at most: 42 秒, 3 分 12 秒, 5 时 03 分, 2 天 4 时. */
export function age(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, "0");
  if (seconds < 60) return t("age.seconds", { s: seconds });
  if (seconds < 3600) return t("age.minutes", { m: Math.floor(seconds / 60), s: two(seconds % 60) });
  if (seconds < 86400) return t("age.hours", { h: Math.floor(seconds / 3600), m: two(Math.floor((seconds % 3600) / 60)) });
  return t("age.days", { d: Math.floor(seconds / 86400), h: Math.floor((seconds % 86400) / 3600) });
}

/** @type {Map<string, Intl.NumberFormat>} one is dear to make, and a screen has hundreds of numbers */
const numbers = new Map();
function number(kind, value, options = {}) {
  const key = `${language.value} ${kind}`;
  let known = numbers.get(key);
  if (!known) numbers.set(key, (known = new Intl.NumberFormat(language.value, options)));
  return known.format(value);
}

/** A measured value as an operator reads it: four significant digits, no false precision. */
export const quantity = (value) => (value === null || value === undefined ? "" : number("quantity", value, { maximumSignificantDigits: 4 }));

/** A share of 1 in per cent, one decimal at most. */
export const percent = (share) => number("percent", share, { style: "percent", maximumFractionDigits: 1 });

export const integer = (value) => number("integer", value);

/** Several names in a row: 甲、乙和丙. */
export const listed = (names) => new Intl.ListFormat(language.value).format(names);
