// How many alarms come at once: what one operator can follow, and more than that.

/** Counts alarms raised within ten minutes; more than ten are a flood 报警潮 (ISA-18.2, one operator). */
export class FloodMeter {
  static WINDOW_MS = 600_000;
  static LIMIT = 10;

  constructor() {
    /** @type {Map<number, {ids: string[], worst: number, first: number, latest: number}>} by the second they were raised in */
    this.seconds = new Map();
    /** @type {Set<string>} what is counted already: an alert that is opened again was raised once */
    this.known = new Set();
  }

  /** @param {{id: string, raisedMs: number, priority: number}[]} alerts */
  note(alerts) {
    for (const { id, raisedMs, priority } of alerts) {
      if (this.known.has(id)) continue;
      this.known.add(id);
      const second = Math.floor(raisedMs / 1_000);
      const held = this.seconds.get(second);
      if (!held) {
        this.seconds.set(second, { ids: [id], worst: priority, first: raisedMs, latest: raisedMs });
        continue;
      }
      held.ids.push(id);
      held.worst = Math.min(held.worst, priority);
      held.first = Math.min(held.first, raisedMs);
      held.latest = Math.max(held.latest, raisedMs);
    }
  }

  /** @returns {{count: number, worst: number, first: number, latest: number} | null} null while there is no flood */
  read(nowMs) {
    const began = nowMs - FloodMeter.WINDOW_MS;
    const found = { count: 0, worst: 4, first: Infinity, latest: 0 };
    for (const [second, { ids, worst, first, latest }] of this.seconds) {
      if (latest < began) {
        this.seconds.delete(second);
        for (const id of ids) this.known.delete(id);
        continue;
      }
      found.count += ids.length;
      found.worst = Math.min(found.worst, worst);
      found.first = Math.min(found.first, first);
      found.latest = Math.max(found.latest, latest);
    }
    return found.count > FloodMeter.LIMIT ? found : null;
  }
}
