// Announced windows 公告窗口 by id: tests, drills, maintenance, impairments, permits; what is asked for, in force, to come.

export const KINDS = ["test", "drill", "maintenance", "impairment", "water_permit"];
/** The longest a test may last. */
export const LONGEST_TEST_MINUTES = 240;

const ORDER = { requested: 0, active: 1, planned: 2 };

/** Where a window stands now: its times go on without a word from the server. */
export function stateAt(window, nowMs) {
  if (window.state === "refused" || window.state === "ended" || nowMs >= Date.parse(window.ends_at)) return window.state === "refused" ? "refused" : "ended";
  if (!window.approved_at && window.state === "requested") return "requested";
  return nowMs >= Date.parse(window.starts_at) ? "active" : "planned";
}

export class WindowStore {
  constructor() {
    /** @type {Map<string, any>} those that are not over */
    this.known = new Map();
  }

  replace(list) {
    this.known = new Map();
    this.merge(list);
  }

  merge(list) {
    for (const window of list) {
      if (window.state === "ended" || window.state === "refused") this.known.delete(window.id);
      else this.known.set(window.id, window);
    }
  }

  /** Those not over, with their state now: asked for, in force, to come; the one that ends first on top. */
  at(nowMs) {
    return [...this.known.values()]
      .map((window) => ({ ...window, state: stateAt(window, nowMs) }))
      .filter(({ state }) => state in ORDER)
      .sort((a, b) => ORDER[a.state] - ORDER[b.state] || Date.parse(a.ends_at) - Date.parse(b.ends_at));
  }

  counts(nowMs) {
    const counts = { requested: 0, active: 0, planned: 0 };
    for (const { state } of this.at(nowMs)) counts[state] += 1;
    return counts;
  }
}
