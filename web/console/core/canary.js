// The canary 金丝雀: an alarm of Firetower's own every 30 s, which proves the way from device to screen.
import { monotonic } from "./clock.js";

/** Three missed. */
const OVERDUE_MS = 90_000;

export class Canary {
  constructor({ steady = monotonic } = {}) {
    this.steady = steady;
    /** @type {string | null | undefined} undefined: this server says nothing of canaries · null: none was committed yet */
    this.sentAt = undefined;
    /** Steady ms at which the newest one was sent, or since when none is known. */
    this.since = 0;
  }

  /** Takes a frame's word. The age goes on by this console's own clock, whatever becomes of the server's. */
  take(canary, serverMs) {
    if (canary === undefined) return;
    const sentAt = canary?.sent_at ?? null;
    if (sentAt === this.sentAt) return;
    this.sentAt = sentAt;
    this.since = this.steady() - (sentAt === null ? 0 : Math.max(0, serverMs - Date.parse(sentAt)));
  }

  get known() {
    return this.sentAt !== undefined;
  }

  /** Ms since the newest one was sent, or since none is known. */
  age() {
    return this.steady() - this.since;
  }

  overdue() {
    return this.known && this.age() > OVERDUE_MS;
  }
}
