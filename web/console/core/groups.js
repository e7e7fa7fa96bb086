// Open alerts by the incident 警情 they belong to, each group in the order of the queue.
import { compareAlerts } from "./order.js";

/** @typedef {import("./alarms.js").Alert} Alert */

export class Groups {
  constructor(alerts = /** @type {Alert[]} */ ([])) {
    /** @type {Map<string, {members: Map<string, Alert>, sorted: Alert[] | null}>} */
    this.byIncident = new Map();
    for (const alert of alerts) this.add(alert);
  }

  add(alert) {
    if (!alert.incident_id) return;
    const group = this.byIncident.get(alert.incident_id) ?? { members: new Map(), sorted: null };
    group.members.set(alert.id, alert);
    group.sorted = null;
    this.byIncident.set(alert.incident_id, group);
  }

  remove(alert) {
    const group = this.byIncident.get(alert.incident_id);
    if (!group?.members.delete(alert.id)) return;
    group.sorted = null;
    if (!group.members.size) this.byIncident.delete(alert.incident_id);
  }

  /** @returns {Alert[] | undefined} undefined where there are not two */
  of(incidentId) {
    const group = this.byIncident.get(incidentId);
    if (!group || group.members.size < 2) return undefined;
    return (group.sorted ??= [...group.members.values()].sort(compareAlerts));
  }
}
