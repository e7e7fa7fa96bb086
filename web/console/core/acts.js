// Operator acts and what became of them: never shown as done before the server says so.
import { signal } from "../vendor/signals.mjs";
import { isUnacknowledged } from "./alarms.js";
import { actionKey } from "./api.js";

/**
 * @typedef {{verb: string, phase: "doing" | "done" | "already" | "closed" | "changed" | "refused" | "unknown" | "blocked",
 *   by?: string, at?: number, code?: string, message?: string}} Outcome
 * already: somebody else was first · changed: the alert changed under the act, nothing was done · unknown: no answer
 * came, asking again is safe · blocked: not sent, because the connection is lost
 */
export class Acts {
  /** `mayWrite()`: whether the feed is live. `onAlert(alert)`: an answer carries the alert's newest state. */
  constructor({ api, mayWrite, operator, onAlert }) {
    this.api = api;
    this.mayWrite = mayWrite;
    this.operator = operator;
    this.onAlert = onAlert;
    /** @type {import("../vendor/signals.mjs").Signal<Map<string, Outcome>>} by `alert id + verb` */
    this.outcomes = signal(new Map());
    /** @type {Map<string, string>} keys of acts without an answer, kept so that a second try is the same act */
    this.unanswered = new Map();
  }

  /** @returns {Outcome | undefined} */
  outcome(id, verb) {
    return this.outcomes.value.get(`${id} ${verb}`);
  }

  record(id, outcome) {
    this.outcomes.value = new Map(this.outcomes.value).set(`${id} ${outcome.verb}`, outcome);
  }

  forget(id, verb) {
    const left = new Map(this.outcomes.value);
    left.delete(`${id} ${verb}`);
    this.outcomes.value = left;
  }

  /** 受理 */
  async acknowledge(alert) {
    const verb = "acknowledge";
    if (alert.state === "closed") {
      return this.record(alert.id, { verb, phase: "closed", by: alert.closed_by, at: Date.parse(alert.closed_at) });
    }
    if (!isUnacknowledged(alert)) return this.record(alert.id, { verb, ...acknowledgedBy(alert, "already") });
    return this.send(alert, verb, { expected_version: alert.version }, (current) =>
      acknowledgedBy(current, current.acknowledged_by === this.operator() ? "done" : "already"),
    );
  }

  /** @returns {Promise<Outcome | undefined>} */
  note(alert, text) {
    return this.send(alert, "note", { text }, () => ({ phase: "done" }));
  }

  /** 办结: `disposition` was chosen and confirmed by the operator. */
  close(alert, disposition, cause, note) {
    const body = { disposition, expected_version: alert.version };
    if (cause) body.cause = cause;
    if (note) body.note = note;
    return this.send(alert, "close", body, () => ({ phase: "done" }));
  }

  async send(alert, verb, body, succeeded) {
    const { id } = alert;
    if (this.outcome(id, verb)?.phase === "doing") return undefined;
    if (!this.mayWrite()) {
      this.record(id, { verb, phase: "blocked" });
      return this.outcome(id, verb);
    }
    this.record(id, { verb, phase: "doing" });
    const act = `${id} ${verb} ${JSON.stringify(body)}`;
    const key = this.unanswered.get(act) ?? actionKey();
    this.unanswered.set(act, key);
    const answer = await this.api.act(id, verb, body, key);
    if (answer.status !== 0 && answer.status < 500) this.unanswered.delete(act);
    if (answer.ok) {
      this.onAlert(answer.data);
      this.record(id, { verb, ...succeeded(answer.data) });
    } else {
      const current = answer.details?.current;
      if (current) this.onAlert(current);
      this.record(id, { verb, ...failed(verb, answer, current, alert.version) });
    }
    return this.outcome(id, verb);
  }
}

const acknowledgedBy = (alert, phase) => ({
  phase,
  by: alert.acknowledged_by ?? "",
  at: alert.acknowledged_at ? Date.parse(alert.acknowledged_at) : undefined,
});

/** `version`: that of the alert the operator acted on; a conflict that is not about it is a refusal. */
function failed(verb, answer, current, version) {
  if (answer.status === 0) return { phase: "unknown" };
  if (current) {
    if (current.state === "closed") return { phase: "closed", by: current.closed_by, at: Date.parse(current.closed_at) };
    if (verb === "acknowledge" && !isUnacknowledged(current)) return acknowledgedBy(current, "already");
    if (current.version !== version) return { phase: "changed", message: answer.message };
  }
  return { phase: "refused", code: answer.code, message: answer.message };
}
