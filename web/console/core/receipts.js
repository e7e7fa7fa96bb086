// What is wrong between us and 119 and red on every seat: nobody there took a fire, or a follow-up or cancellation did not reach them. It sounds until somebody acts.
import { signal } from "../vendor/signals.mjs";
import { awaitsReceipt, isForwarded, isTesting, redFrom } from "./marks.js";

/**
 * unreceipted: told through the interface, no receipt · call_119: there is no interface, nobody has called yet ·
 * cancel_failed, follow_up_failed: given up. @returns {string} empty: nothing is wrong
 */
export function wrongAt119(alert, nowMs) {
  const { handover, state } = alert;
  if (state === "closed") return "";
  if (handover?.cancel === "failed") return "cancel_failed";
  if (awaitsReceipt(alert)) return nowMs >= redFrom(alert) ? (handover ? "unreceipted" : "call_119") : "";
  return isForwarded(alert) && handover?.follow_ups_failed > 0 ? "follow_up_failed" : "";
}

export class Receipts {
  constructor() {
    /** @type {import("../vendor/signals.mjs").Signal<{alert: any, why: string, name: string}[]>} the oldest first */
    this.red = signal([]);
    /** @type {Set<string>} what this seat opened the script about: it stays red and sounds here no more */
    this.heard = new Set();
  }

  /** Looks again. @returns {{sounds: boolean, fresh: boolean}} whether any of it sounds, and whether some of that is new */
  look(alerts, nowMs) {
    const before = new Set(this.red.value.map(({ name }) => name));
    const red = [];
    for (const alert of alerts) {
      const why = wrongAt119(alert, nowMs);
      if (why) red.push({ alert, why, name: [alert.id, why, alert.forwarded_at, alert.handover?.follow_ups_failed].join(" ") });
    }
    red.sort((a, b) => a.alert.raisedMs - b.alert.raisedMs);
    if (red.length || before.size) this.red.value = red;
    const names = new Set(red.map(({ name }) => name));
    for (const name of this.heard) if (!names.has(name)) this.heard.delete(name);
    const sounding = red.filter(({ alert, name }) => !isTesting(alert) && !this.heard.has(name));
    return { sounds: sounding.length > 0, fresh: sounding.some(({ name }) => !before.has(name)) };
  }

  /** The script of an alert is open here: whoever sits here is at it. */
  hear(id) {
    for (const { alert, name } of this.red.value) if (alert.id === id) this.heard.add(name);
  }

  forget() {
    this.red.value = [];
    this.heard.clear();
  }
}
