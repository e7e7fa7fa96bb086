// Operator acts and what became of them: never shown as done before the server says so, never lost without a word.
import { signal } from "../vendor/signals.mjs";
import { actionKey } from "./api.js";
import { monotonic } from "./clock.js";
import { isFire, isUnacknowledged } from "./marks.js";
import { remembered } from "./newest.js";
import { eventMsOf, idOfKey, isProvisional } from "./provisional.js";

const RETRY_MS = [2_000, 4_000, 8_000, 15_000];
/** A provisional alarm that is gone, and no alert in its place for so long: there was nothing left to acknowledge. */
const GONE_MS = 60_000;
/** Acts whose result has a place of its own on the page. */
const OWN_PLACE = new Set(["acknowledge", "note", "close"]);

/**
 * @typedef {{verb: string, phase: "doing" | "done" | "already" | "closed" | "changed" | "refused" | "waiting" | "blocked" | "gone" | "withdrawn",
 *   by?: string, at?: number, code?: string, message?: string, english?: string}} Outcome
 * already: somebody else was first · changed: the alert changed under the act, nothing was done · waiting: the store or
 * the answer stayed away, it is tried again by itself with the same key · blocked: not sent, because the connection is
 * lost · gone: what was to be acknowledged was a repeat of an alert that is already dealt with · withdrawn: taken back
 */
export class Acts {
  /** `mayWrite()`: whether the feed is live. `storeOk()`: as last heard; else an act waits in sight from the first. `onAlert(alert)`: an answer carries the alert's newest state. */
  constructor({ api, waiting, clock, storeOk = () => true, mayWrite, operator, onAlert, steady = monotonic }) {
    this.api = api;
    this.waiting = waiting;
    this.clock = clock;
    this.storeOk = storeOk;
    this.mayWrite = mayWrite;
    this.operator = operator;
    this.onAlert = onAlert;
    this.steady = steady;
    /** @type {import("../vendor/signals.mjs").Signal<Map<string, Outcome>>} by `alert id + verb` */
    this.outcomes = signal(new Map());
    /** @type {Map<string, string>} the verb done last to an alert, other than to acknowledge, note or close it */
    this.last = new Map();
    /** @type {Set<string>} acts on their way */
    this.asked = new Set();
    this.retrying = false;
    this.failures = 0;
    this.retryAt = 0;
    /** @type {Map<string, number>} steady ms since when an alarm to be acknowledged is nowhere to be seen, by act */
    this.missing = new Map();
  }

  /** @returns {Outcome | undefined} */
  outcome(id, verb) {
    return this.outcomes.value.get(`${id} ${verb}`);
  }

  record(id, outcome) {
    if (!OWN_PLACE.has(outcome.verb)) remembered(this.last, id, outcome.verb);
    this.outcomes.value = remembered(new Map(this.outcomes.value), `${id} ${outcome.verb}`, outcome);
  }

  forget(id, verb) {
    if (!this.outcomes.value.has(`${id} ${verb}`)) return; // most of what rouses was never acted upon
    const left = new Map(this.outcomes.value);
    left.delete(`${id} ${verb}`);
    this.outcomes.value = left;
  }

  /** Takes up what the account left waiting before a reload. */
  enter(account) {
    this.waiting.open(account);
    for (const entry of this.waiting.waiting()) {
      this.waiting.put({ ...entry, tries: Math.max(1, entry.tries) });
      this.record(idOf(entry), { verb: entry.verb, phase: "waiting", at: entry.since });
    }
    this.soon();
  }

  leave() {
    this.last.clear();
    this.waiting.close();
    this.outcomes.value = new Map();
    this.missing.clear();
  }

  /** 受理. One of an alarm that is not stored yet waits for its alert. */
  async acknowledge(alert) {
    const verb = "acknowledge";
    if (alert.state === "closed") {
      return this.record(alert.id, { verb, phase: "closed", by: alert.closed_by, at: Date.parse(alert.closed_at) });
    }
    if (!isUnacknowledged(alert)) return this.record(alert.id, { verb, ...acknowledgedBy(alert, "already") });
    return this.send(alert, verb, { expected_version: alert.version });
  }

  /** @returns {Promise<Outcome | undefined>} */
  note(alert, text) {
    return this.send(alert, "note", { text });
  }

  /** Any other act on the alert as the operator saw it; `body`: what he wrote and chose. */
  act(alert, verb, body) {
    return this.send(alert, verb, { ...body, expected_version: alert.version });
  }

  async send(alert, verb, body) {
    const { id } = alert;
    const phase = this.outcome(id, verb)?.phase;
    if (phase === "doing" || (phase === "waiting" && verb !== "note")) return undefined;
    if (!this.mayWrite()) {
      this.record(id, { verb, phase: "blocked" });
      return this.outcome(id, verb);
    }
    const stored = !isProvisional(alert);
    const inSight = !stored || !this.storeOk();
    const entry = {
      key: actionKey(), verb, body, id: stored ? id : null, alertKey: alert.key, version: alert.version, fire: isFire(alert), priority: alert.priority,
      eventMs: eventMsOf(alert), title: alert.title, where: [alert.unit_name ?? alert.unit ?? alert.subject, alert.place].filter(Boolean).join(" · "),
      since: this.clock.now(), tries: 0, inSight, phase: "waiting",
    };
    this.waiting.put(entry); // before the request: a reload in the middle of it finds out what became of it
    this.record(id, { verb, phase: inSight ? "waiting" : "doing", at: entry.since });
    const answered = stored && this.attempt(entry);
    if (!inSight) await answered; // else it is in the list by now, and what was typed may go
    return this.outcome(id, verb);
  }

  /** @returns {Promise<boolean>} whether there was an answer that ends the act */
  async attempt(entry) {
    const { key, id, verb } = entry;
    this.asked.add(key);
    const answer = await this.api.act(id, verb, entry.body, key);
    this.asked.delete(key);
    const kept = this.waiting.get(key)?.phase === "waiting";
    if (!answer.ok && isAway(answer)) {
      if (kept) {
        this.waiting.put({ ...entry, tries: entry.tries + 1 });
        this.record(id, { verb, phase: "waiting", at: entry.since });
        if (entry.tries === 0) this.soon(RETRY_MS[0]);
      }
      return false;
    }
    if (answer.status === 401) return false; // it waits for the next sign-in
    const current = answer.ok ? answer.data : answer.details?.current;
    if (current) this.onAlert(current);
    const outcome = answer.ok ? this.succeeded(verb, answer.data) : failed(verb, answer, current, entry.version);
    if (!kept && !answer.ok) return true; // taken back meanwhile, and nothing was done
    this.record(id, { verb, ...outcome });
    if (entry.tries > 0 || entry.inSight) this.waiting.end(key, outcome);
    else this.waiting.drop(key);
    return true;
  }

  succeeded(verb, alert) {
    if (verb !== "acknowledge") return { phase: "done" };
    return acknowledgedBy(alert, alert.acknowledged_by === this.operator() ? "done" : "already");
  }

  /** Takes an act back. Had the server carried it out without a word reaching us, the alert itself shows it. */
  withdraw(key) {
    const entry = this.waiting.get(key);
    if (!entry) return;
    if (entry.phase === "waiting") this.record(idOf(entry), { verb: entry.verb, phase: "withdrawn" });
    this.waiting.drop(key);
  }

  // trying again -----------------------------------------------------------------------------------

  /** Tries again in `ms`, whatever the pause was. */
  soon(ms = 0) {
    this.failures = 0;
    this.retryAt = this.steady() + ms;
  }

  /** To be called every second or so. */
  tick() {
    this.waiting.tick();
    if (this.steady() >= this.retryAt && this.mayWrite()) this.retry();
  }

  async retry() {
    if (this.retrying) return;
    this.retrying = true;
    try {
      for (const { key } of this.waiting.waiting()) {
        const entry = this.waiting.get(key);
        if (!entry?.id || entry.phase !== "waiting" || this.asked.has(key)) continue;
        if (await this.attempt(entry)) continue;
        this.retryAt = this.steady() + RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
        this.failures += 1;
        return; // in the order they were done in: a closing never overtakes its acknowledgement
      }
      this.retryAt = this.steady() + RETRY_MS[0];
    } finally {
      this.retrying = false;
    }
  }

  // acknowledgements of what was not stored yet ----------------------------------------------------

  /** Whether the operator has acknowledged all that is known of an alert: it sounds no more here. */
  silences(alert) {
    return this.waiting
      .waiting()
      .some((entry) => entry.verb === "acknowledge" && isAbout(entry, alert) && !overtaken(entry, alert));
  }

  /** The alert asks for attention again: an acknowledgement that waits was not of this. */
  roused(alert) {
    for (const entry of this.waiting.waiting()) {
      if (entry.verb !== "acknowledge" || !isAbout(entry, alert) || !overtaken(entry, alert)) continue;
      this.waiting.end(entry.key, { phase: "changed", message: "" });
      this.record(alert.id, { verb: entry.verb, phase: "changed", message: "" });
    }
  }

  /** Carries out what waited for its alert to be stored. `alarms`: core/alarms.js. */
  settle(alarms, storeOk) {
    const unsettled = this.waiting.waiting().filter((entry) => entry.id === null);
    if (!unsettled.length) return;
    for (const entry of unsettled) {
      const alert = alarms.byKey.get(entry.alertKey);
      const provisional = alarms.provisional.has(idOfKey(entry.alertKey));
      const since = this.missing.get(entry.key);
      const gone = !alert && !provisional && storeOk;
      if (gone && since === undefined) this.missing.set(entry.key, this.steady());
      if (!gone) this.missing.delete(entry.key);
      if (alert && !provisional) this.place(entry, alert);
      else if (gone && since !== undefined && this.steady() - since > GONE_MS) {
        this.missing.delete(entry.key);
        this.waiting.end(entry.key, { phase: "gone" });
      }
    }
  }

  place(entry, alert) {
    const { verb } = entry;
    const tries = Math.max(1, entry.tries);
    if (overtaken(entry, alert)) {
      this.waiting.end(entry.key, { phase: "changed", message: "" });
      return this.record(alert.id, { verb, phase: "changed", message: "" });
    }
    if (!isUnacknowledged(alert)) {
      const outcome = this.succeeded(verb, alert);
      this.waiting.end(entry.key, outcome);
      return this.record(alert.id, { verb, ...outcome });
    }
    const placed = { ...entry, id: alert.id, version: alert.version, body: { expected_version: alert.version }, tries };
    this.waiting.put(placed);
    this.record(alert.id, { verb, phase: "waiting", at: entry.since });
    this.soon();
    return this.retry();
  }
}

const idOf = (entry) => entry.id ?? `p-${entry.alertKey}`;

const isAbout = (entry, alert) => (entry.id !== null && entry.id === alert.id) || (entry.alertKey !== undefined && entry.alertKey === alert.key);

/** Since the act it rose, or a further fire was said. */
const overtaken = (entry, alert) =>
  alert.priority < entry.priority || (isFire(alert) && (!entry.fire || eventMsOf(alert) > entry.eventMs));

/** No answer, or one that says "not now". */
const isAway = ({ status }) => status === 0 || status >= 500 || status === 429;

const acknowledgedBy = (alert, phase) => ({
  phase,
  by: alert.acknowledged_by ?? "",
  at: alert.acknowledged_at ? Date.parse(alert.acknowledged_at) : undefined,
});

/** `version`: that of the alert the operator acted on; a conflict that is not about it is a refusal. */
function failed(verb, answer, current, version) {
  if (current) {
    if (current.state === "closed" && verb !== "reopen") return { phase: "closed", by: current.closed_by, at: Date.parse(current.closed_at) };
    if (verb === "acknowledge" && !isUnacknowledged(current)) return acknowledgedBy(current, "already");
    if (current.version !== version) return { phase: "changed", message: answer.message, english: answer.english };
  }
  return { phase: "refused", code: answer.code, message: answer.message, english: answer.english };
}
