// Which acts an alert takes as it stands, in which order they are offered, and what was written for them and not sent yet.
import { isFire, isForwardable, isForwarded, isTold } from "./marks.js";
import { remembered } from "./newest.js";
import { isProvisional } from "./provisional.js";

/** @type {Record<string, (alert: any) => boolean>} */
const OPEN = {
  verify: () => true,
  forward: (alert) => isForwardable(alert) && !isForwarded(alert) && alert.verification !== "false",
  receipt: isForwarded,
  "follow-up": isTold,
  cancel: isTold,
  close: () => true,
  shelve: (alert) => !isFire(alert) && (alert.hold === "none" || alert.hold === "shelved") && alert.state !== "returned",
  unshelve: (alert) => alert.hold === "shelved",
  assign: () => true,
};

/** Whether an act makes sense for an alert; the server has the last word. */
export function offers(alert, verb) {
  if (isProvisional(alert)) return false;
  if (alert.state === "closed") return verb === "reopen";
  return OPEN[verb]?.(alert) ?? false;
}

export const VERBS = ["verify", "forward", "receipt", "close", "follow-up", "cancel", "shelve", "unshelve", "assign", "reopen"];

/** The name of the form of an act on an alert. */
export const formOf = (alert, verb) => `${alert.id} ${verb}`;

/** What was written in a form and not sent yet, by the form's name; gone at sign-out. */
export class Drafts {
  constructor() {
    /** @type {Map<string, any>} */
    this.kept = new Map();
  }

  get(name) {
    return this.kept.get(name);
  }

  /** @param {any} draft null when there is nothing left of it */
  put(name, draft) {
    if (draft === null) this.kept.delete(name);
    else remembered(this.kept, name, draft);
  }
}
