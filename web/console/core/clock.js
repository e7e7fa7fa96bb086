// The server's clock, read from here: every age and time of day on the screen is server time.

const SAMPLES = 8;

/** Monotonic local milliseconds; a corrected wall clock must not make ages jump. */
export const monotonic = () => performance.now();

export class ServerClock {
  /** `wall`, `steady`: local clocks in ms. */
  constructor({ wall = Date.now, steady = monotonic } = {}) {
    this.wall = wall;
    this.steady = steady;
    /** @type {{base: number, roundTrip: number}[]} base = server ms minus steady ms */
    this.samples = [];
  }

  /** One exchange: sent and received on the steady clock, `serverMs` as the answer says; midpoint of the round trip. */
  sample(sentAt, receivedAt, serverMs) {
    const roundTrip = Math.max(0, receivedAt - sentAt);
    const base = serverMs - (sentAt + receivedAt) / 2;
    const best = this.best();
    if (best && Math.abs(base - best.base) > (roundTrip + best.roundTrip) / 2 + 250) this.samples = []; // a clock was set
    this.samples.push({ base, roundTrip });
    if (this.samples.length > SAMPLES) this.samples.shift();
  }

  /** A server time without a question: no better than its way to us, used only until the first exchange. */
  glimpse(serverMs) {
    if (!this.samples.length) this.samples.push({ base: serverMs - this.steady(), roundTrip: 1000 });
  }

  best() {
    return this.samples.reduce((a, b) => (a && a.roundTrip <= b.roundTrip ? a : b), /** @type {any} */ (null));
  }

  /** Server time now in ms since the epoch; the local wall clock until the server was heard. */
  now() {
    const best = this.best();
    return best ? best.base + this.steady() : this.wall();
  }

  /** Local wall clock minus server clock in ms: how wrong this computer's own clock is. */
  offset() {
    return this.best() ? this.wall() - this.now() : 0;
  }

  /** Latest round trip in ms, null before the first exchange. */
  roundTrip() {
    return this.samples.at(-1)?.roundTrip ?? null;
  }
}
