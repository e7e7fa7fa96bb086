// Counts of the open alerts, by priority and by what keeps them out of the queue, kept while they come and go.
import { demands, isHeld, isTesting } from "./marks.js";

export const PRIORITIES = [1, 2, 3, 4];

/** How many alerts there are of each sort, kept while they come and go: sixty thousand are not counted for each that changes. */
export class Tally {
  constructor() {
    this.open = [0, 0, 0, 0, 0];
    this.waiting = [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]; // not of an announced test, and of one
    this.asides = { shelved: 0, suppressed: 0, out_of_service: 0, in_test: 0 };
    this.held = 0;
  }

  note(alert, by) {
    if (isHeld(alert)) {
      this.asides[alert.hold] += by;
      this.held += by;
      return;
    }
    const testing = isTesting(alert);
    this.open[alert.priority] += by;
    if (demands(alert)) this.waiting[Number(testing)][alert.priority] += by;
    if (testing) this.asides.in_test += by;
  }

  counts() {
    const [real, testing] = this.waiting;
    return Object.fromEntries(PRIORITIES.map((priority) => [priority, { open: this.open[priority], waiting: real[priority] + testing[priority] }]));
  }

  /** Most urgent priority that waits; 0 when nothing does. */
  most(testing) {
    return PRIORITIES.find((priority) => this.waiting[Number(testing)][priority] > 0) ?? 0;
  }
}
