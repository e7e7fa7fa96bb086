// Acts that could not be carried out yet: in sight, kept over a reload for the account that did them, one entry each.
import { signal } from "../vendor/signals.mjs";

const PREFIX = "firetower.act.";
/** An act older than this is not carried out any more without being asked for again. */
const TOO_OLD_MS = 12 * 3_600_000;
/** How long a good end stays in sight; any other stays until it is dismissed. */
const SEEN_MS = 60_000;

/**
 * @typedef {{key: string, verb: string, id: string | null, alertKey: string | undefined, body: any, version: number,
 *   fire: boolean, priority: number, eventMs: number, title: any, where: string, since: number, tries: number, inSight: boolean,
 *   phase: string, by?: string, at?: number, code?: string, message?: string, endedAt?: number}} Entry
 * key: the Idempotency-Key · id: null while the alert is not stored yet, and is known by alertKey only ·
 * phase: waiting, or how it ended (see Outcome in acts.js)
 */
export class WaitingActs {
  /** `clock`: whoever says server time. */
  constructor({ clock, storage = () => localStorage }) {
    this.clock = clock;
    this.storage = storage;
    this.account = "";
    /** @type {import("../vendor/signals.mjs").Signal<Entry[]>} oldest first */
    this.entries = signal([]);
  }

  /** Reads what the account left waiting, in this browser. Storage may be forbidden: then a reload forgets. */
  open(account) {
    this.account = account;
    const found = [];
    try {
      const storage = this.storage();
      for (let i = 0; i < storage.length; i += 1) {
        const name = storage.key(i);
        if (name?.startsWith(this.name(""))) found.push(JSON.parse(storage.getItem(name) ?? ""));
      }
    } catch {
      // what cannot be read cannot be carried out
    }
    this.entries.value = found.sort((a, b) => a.since - b.since);
    for (const entry of this.waiting()) {
      if (this.clock.now() - entry.since > TOO_OLD_MS) this.end(entry.key, { phase: "refused", code: "too_old" });
    }
  }

  /** Takes the list out of sight at sign-out; it waits for the account's next sign-in. */
  close() {
    this.account = "";
    this.entries.value = [];
  }

  name(key) {
    return `${PREFIX}${this.account}.${key}`;
  }

  get(key) {
    return this.entries.value.find((entry) => entry.key === key);
  }

  waiting() {
    return this.entries.value.filter((entry) => entry.phase === "waiting");
  }

  /** Those in sight: an act on its first way to the server is not yet one that waits. */
  seen() {
    return this.entries.value.filter((entry) => entry.tries > 0 || entry.inSight || entry.phase !== "waiting");
  }

  /** @param {Entry} entry a new one, or a known one changed */
  put(entry) {
    const known = this.get(entry.key);
    this.entries.value = known ? this.entries.value.map((one) => (one === known ? entry : one)) : [...this.entries.value, entry];
    try {
      this.storage().setItem(this.name(entry.key), JSON.stringify(entry));
    } catch {
      // still in sight and still tried, as long as the page lives
    }
  }

  end(key, outcome) {
    const entry = this.get(key);
    if (entry) this.put({ ...entry, ...outcome, endedAt: this.clock.now() });
  }

  drop(key) {
    this.entries.value = this.entries.value.filter((entry) => entry.key !== key);
    try {
      this.storage().removeItem(this.name(key));
    } catch {
      // it was not kept
    }
  }

  /** Lets go of good ends that were in sight long enough. */
  tick() {
    const old = this.clock.now() - SEEN_MS;
    for (const entry of this.entries.value) {
      if ((entry.phase === "done" || entry.phase === "already") && (entry.endedAt ?? 0) < old) this.drop(entry.key);
    }
  }
}
