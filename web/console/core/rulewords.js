// A rule of the rulebook as sentences: what it compares, its limit, way back, delay and source, or what it waits for. Durations in µs.
import { listed, percent, quantity, serverLanguage, t, titleIn, word } from "./i18n.js";

const UNITS = [["d", 86_400e6], ["h", 3_600e6], ["min", 60e6], ["s", 1e6]];

/** A duration in the largest unit that divides it: 30 s, 10 min, 25 h, 14 d. */
export function span(micros) {
  const [unit, size] = UNITS.find(([name, size]) => micros % Number(size) === 0 && !(name === "d" && micros < 3 * 86_400e6)) ?? ["s", 1e6];
  return t(`rulespan.${unit}`, { n: quantity(micros / Number(size)) });
}

/** What stands between the parts of a sentence. */
const joint = () => (serverLanguage() === "zh" ? "；" : "; ");

const unitOf = (unit) => word("uom", unit);

/** A number with its unit, a range, or what the device's own file says. */
export function amount(given) {
  if (given.attribute) return t("rulesaid.own", { name: given.attribute, unit: unitOf(given.unit) });
  if (given.low !== undefined) return t("rulesaid.range", { low: quantity(given.low), high: quantity(given.high), unit: unitOf(given.unit) });
  return `${quantity(given.value)} ${unitOf(given.unit)}`;
}

const metricOf = (rule) => (rule.metric ? word("metric", rule.metric) : t("rulesaid.value"));
const compared = ({ side, limit }) => `${word("side", side)} ${amount(limit)}`;
const events = (names) => names.map((name) => word("event", name)).join(t("rulesaid.or"));

/** What is held against the limits. */
function figureOf(rule) {
  const { limit, rate, window, pattern, trend, imbalance } = rule.condition;
  const metric = metricOf(rule);
  if (limit?.of_last) return t("rulesaid.of_last", { metric, n: limit.of_last.n, m: limit.of_last.m });
  if (rate) return t("rulesaid.rate", { metric, over: span(rate.over) });
  if (window) return t("rulesaid.window", { metric: window.counting ? `${metric} ${compared(window.counting)}` : metric, of: word("figure_of", window.of), over: span(window.over) });
  if (pattern) return t("rulesaid.pattern", { metric, learning: span(pattern.learning) });
  if (trend) return t("rulesaid.trend", { metric, to: amount(trend.to), over: span(trend.over) });
  if (imbalance) return t("rulesaid.imbalance", { metric, channels: listed(imbalance.channels), least: amount(imbalance.least) });
  return metric;
}

/** When a band begins and is over, in one sentence. */
function bandOf(rule, band, side) {
  const parts = [t("rulesaid.raises", { figure: figureOf(rule), side: word("side", side), limit: amount(band.limit) })];
  if (band.on_delay) parts.push(t("rulesaid.for", { time: span(band.on_delay) }));
  if (band.and_samples) parts.push(t("rulesaid.and_samples", { n: band.and_samples }));
  if (band.or_samples) parts.push(t("rulesaid.or_samples", { n: band.or_samples }));
  if (band.clear) parts.push(t("rulesaid.clear", { limit: amount(band.clear) }));
  if (band.deadband) parts.push(t("rulesaid.deadband", { limit: amount(band.deadband) }));
  if (band.off_delay) parts.push(t("rulesaid.off", { time: span(band.off_delay) }));
  if (band.latch) parts.push(t("rulesaid.latch"));
  return parts.join(joint());
}

function silenceOf({ of, interval_from: from, interval_below: below }, band) {
  const after = band.after ? span(band.after) : [
    t("rulesaid.intervals", { n: band.intervals ?? 1 }),
    band.at_least && t("rulesaid.at_least", { time: span(band.at_least) }),
    band.at_most && t("rulesaid.at_most", { time: span(band.at_most) }),
  ].filter(Boolean).join(joint());
  return [
    t(`rulesilence.${of}`, { time: after }),
    from > 0 && t("rulesaid.interval_from", { time: span(from) }),
    below && t("rulesaid.interval_below", { time: span(below) }),
  ].filter(Boolean).join(joint());
}

function eventOf(event) {
  const named = event.all_of ? listed(event.events.map((name) => word("event", name))) : events(event.events);
  const parts = [
    event.missing_for ? t("rulesaid.event_missing", { events: named, time: span(event.missing_for) })
      : event.count ? t("rulesaid.event_count", { events: named, n: event.count, time: span(event.within) })
        : t(event.own_alert ? "rulesaid.event_own" : event.all_of ? "rulesaid.event_all" : "rulesaid.event", { events: named }),
  ];
  if (event.components > 1) parts.push(t("rulesaid.points", { n: event.components }));
  if (event.component) parts.push(event.component);
  if (event.on_delay) parts.push(t("rulesaid.for", { time: span(event.on_delay) }));
  if (event.off_delay) parts.push(t("rulesaid.off", { time: span(event.off_delay) }));
  if (event.latch) parts.push(t("rulesaid.latch"));
  return parts.join(joint());
}

function clauseOf(clause, titles) {
  const who = [...clause.rules.map((id) => `“${titles.get(id) ?? id}”`), ...clause.events.map((name) => word("event", name)), ...clause.classes.map((each) => word("class", each))];
  const parts = [t("rulesaid.clause", { n: clause.devices, what: who.join(t("rulesaid.or")) })];
  if (clause.share) parts.push(t("rulesaid.share", { share: percent(clause.share) }));
  if (clause.within) parts.push(t("rulesaid.within", { time: span(clause.within) }));
  if (clause.priority) parts.push(t("rulesaid.at_least_priority", { priority: word("priority", clause.priority) }));
  return parts.join(joint());
}

function combinationOf(each, titles) {
  const parts = [t("rulesaid.together", { group: word("rulegroup", each.group), all: each.all.map((clause) => clauseOf(clause, titles)).join(t("rulesaid.and")) })];
  if (each.none.length) parts.push(t("rulesaid.none", { none: each.none.map((clause) => clauseOf(clause, titles)).join(t("rulesaid.or")) }));
  if (each.followed_within) parts.push(t("rulesaid.followed", { time: span(each.followed_within) }));
  if (each.on_delay) parts.push(t("rulesaid.for", { time: span(each.on_delay) }));
  if (each.off_delay) parts.push(t("rulesaid.off", { time: span(each.off_delay) }));
  if (each.latch) parts.push(t("rulesaid.latch"));
  return parts.join(joint());
}

function qualityOf(each) {
  const parts = [word("rulequality", each.of)];
  if (each.samples) parts.push(t("rulesaid.samples", { n: each.samples }));
  if (each.over) parts.push(t(each.of === "clock_skew" ? "rulesaid.skew_over" : "rulesaid.within", { time: span(each.over) }));
  if (each.clear) parts.push(t("rulesaid.clear", { limit: span(each.clear) }));
  if (each.attributes) parts.push(listed(each.attributes));
  return parts.join(joint());
}

/**
 * Each band, or the one condition, as a sentence. `titles`: of rules by id, in the operator's language.
 * @returns {{priority: number | null, text: string, title: string, source: string}[]}
 */
export function sentencesOf(rule, titles = new Map()) {
  const { condition } = rule;
  const one = (each, text) => [{ priority: each.priority ?? null, text, title: "", source: each.source }];
  if (condition.silence) return condition.silence.bands.map((band) => ({ priority: band.priority, text: silenceOf(condition.silence, band), title: "", source: band.source }));
  if (condition.event) return one(condition.event, eventOf(condition.event));
  if (condition.quality) return one(condition.quality, qualityOf(condition.quality));
  if (condition.combination) return one(condition.combination, combinationOf(condition.combination, titles));
  if (condition.confirmation) return one(condition.confirmation, t("rulesaid.confirmation", { time: span(condition.confirmation.within) }));
  const measured = condition.limit ?? condition.rate ?? condition.window ?? condition.pattern ?? condition.trend ?? condition.imbalance;
  const only = measured?.only && t("rulesaid.only", { metric: metricOf(rule), compared: compared(measured.only) });
  return (measured?.bands ?? []).map((band) => ({
    priority: band.priority,
    text: [bandOf(rule, band, measured.side), only].filter(Boolean).join(joint()),
    title: band.title ? titleIn(band.title) : "",
    source: band.source,
  }));
}

/** When a rule is active, in words; empty: always. */
export function scheduleOf(schedule) {
  if (!schedule) return "";
  const { days, during, season } = schedule;
  return [
    days && listed(days.map((day) => word("ruleday", day))),
    during && (during.start ? `${during.start} – ${during.end}` : typeof during === "string" ? word("ruleduring", during) : `${during.from} – ${during.to}`),
    season && `${season.from ?? season.start} – ${season.to ?? season.end}`,
  ].filter(Boolean).join(" · ");
}
