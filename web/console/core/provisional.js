// Provisional alarms 未落库: rows like any other while the store cannot take them; each becomes the alert of its key.

const PREFIX = "p-";

export const idOfKey = (key) => PREFIX + key;

/** The key in the id of a provisional alarm; empty: it is none. */
export const keyOfId = (id) => (id.startsWith(PREFIX) ? id.slice(PREFIX.length) : "");

export const isProvisional = (alert) => alert.provisional === true;

/** A provisional alarm with everything the queue asks of an alert. `eventMs`: device time of its newest event. */
export const asAlert = (raw) => ({
  ...raw,
  id: idOfKey(raw.key),
  provisional: true,
  state: "unacknowledged",
  hold: "none",
  condition: "active",
  lon: raw.lon ?? null,
  lat: raw.lat ?? null,
  subject: [raw.unit, raw.device].filter(Boolean).join("/"),
  occurrences: 1,
  repeats: 0,
  version: 0,
  raisedMs: Date.parse(raw.received_at),
  eventMs: Date.parse(raw.device_at),
});

/** Whether two tellings of a provisional alarm, or parts of them, differ in nothing. */
export function saysTheSame(a, b) {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  for (const name of names) {
    const [one, other] = [a[name], b[name]];
    if (one === other) continue;
    if (typeof one !== "object" || typeof other !== "object" || !one || !other || !saysTheSame(one, other)) return false;
  }
  return true;
}

/** Device time of the newest event known of an alert, stored or not. */
export const eventMsOf = (alert) => alert.eventMs ?? Date.parse(alert.last_event_at ?? alert.raised_at);

/**
 * Whether the open stored alert of the same key already says all of it: then it is no second row and no second sound.
 * The same distinctions as the service makes when it stores the alarm: a rise, a return and a further fire are news.
 */
export function covers(stored, alarm, demanding) {
  const fire = alarm.class === "fire";
  if (alarm.priority < stored.priority || (fire && stored.class !== "fire")) return false;
  if (demanding) return true;
  if (fire) return eventMsOf(alarm) <= eventMsOf(stored);
  return stored.hold !== "none" || stored.condition !== "normal";
}
