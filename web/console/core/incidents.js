// Incidents 警情 by id, and the rows of the queue: alerts of one incident together under its headline, fires never hidden.
import { compareAlerts, demands } from "./alarms.js";
import { isFire, isTesting } from "./marks.js";

export class IncidentStore {
  constructor() {
    /** @type {Map<string, any>} open incidents */
    this.open = new Map();
  }

  replace(list) {
    this.open = new Map();
    this.merge(list);
  }

  merge(list) {
    for (const incident of list) {
      const held = this.open.get(incident.id);
      if (held && incident.version < held.version) continue;
      if (incident.closed_at) this.open.delete(incident.id);
      else this.open.set(incident.id, incident);
    }
  }
}

const PREFIX = "i-";
export const rowIdOf = (incidentId) => PREFIX + incidentId;

/** Only fires that wait alike stand together: those of another incident that wait are not pushed down by ones that do not. */
const alike = (a, b) => demands(a) === demands(b) && isTesting(a) === isTesting(b);

/** Alerts with a common open incident, by its id: two or more. */
function groupsOf(alerts, incidents) {
  const groups = new Map();
  for (const alert of alerts) {
    if (!alert.incident_id || !incidents.has(alert.incident_id)) continue;
    const group = groups.get(alert.incident_id);
    if (group) group.push(alert);
    else groups.set(alert.incident_id, [alert]);
  }
  for (const [id, group] of groups) if (group.length < 2) groups.delete(id);
  return groups;
}

/**
 * What of a folded group is in sight beside its fires: the selected alert, and the first that waits at priority 1 or 2 where no fire
 * that waits leads the group: what comes after such a fire must not push another incident's fire down.
 */
function unfolded(rest, selectedId, lead) {
  const leading = isFire(lead) && demands(lead) ? undefined : rest.find((alert) => alert.priority <= 2 && demands(alert));
  const seen = rest.filter((alert) => alert === leading || alert.id === selectedId);
  return rest.length - seen.length < 2 ? rest : seen; // one row instead of a word about one row
}

/**
 * The rows of the queue, in order. An alert's row: `{id, alert, section, grouped}`. A headline's: `{id, incident, section, members,
 * folded, waiting, expanded, foldable}`: the alerts it stands for, how many are folded away and how many of those wait.
 * `alerts`: in queue order. `section`: the priority the row stands under.
 */
export function rowsOf(alerts, incidents, expanded, selectedId) {
  const groups = groupsOf(alerts, incidents);
  const rows = [];
  const placed = new Set();
  const begun = new Set();
  const put = (alert, section, grouped) => {
    if (grouped) placed.add(alert);
    rows.push({ id: alert.id, alert, section, grouped });
  };
  for (const alert of alerts) {
    const group = alert.incident_id ? groups.get(alert.incident_id) : undefined;
    const section = alert.priority;
    if (!group) {
      put(alert, section, false);
      continue;
    }
    if (placed.has(alert)) continue;
    const first = !begun.has(alert.incident_id);
    const rest = first ? group.filter((member) => !isFire(member)) : [];
    if (first) {
      begun.add(alert.incident_id);
      const id = rowIdOf(alert.incident_id);
      const open = expanded.has(alert.incident_id);
      const shown = open ? rest : unfolded(rest, selectedId, alert);
      const seen = new Set(shown);
      const folded = rest.filter((member) => !seen.has(member));
      rows.push({
        id, section, incident: incidents.get(alert.incident_id), members: group, folded: folded.length, waiting: folded.filter(demands).length,
        expanded: open, foldable: open ? unfolded(rest, selectedId, alert).length < rest.length : folded.length > 0,
      });
      if (isFire(alert)) for (const member of group) if (isFire(member) && alike(member, alert)) put(member, section, true);
      for (const member of shown) put(member, section, true);
      for (const member of folded) placed.add(member);
    } else {
      for (const member of group) if (!placed.has(member) && alike(member, alert)) put(member, section, true);
    }
  }
  return rows;
}

/** How many of each class, the highest first. */
export function classesOf(members) {
  const counts = new Map();
  for (const { class: name } of members) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts];
}

/** A headline is stopped at only while every alert under it is folded away: keys are for alerts. */
const stopsAt = (row) => row.alert || row.folded === row.members.length;

/** The row `step` stops from the selected one; works although the selected alert has left the list. */
export function neighbour(rows, selectedId, selected, step) {
  const stops = rows.filter(stopsAt);
  if (!stops.length) return null;
  const last = stops.length - 1;
  if (!Number.isFinite(step)) return stops[step > 0 ? last : 0];
  const clamped = (at) => stops[Math.min(last, Math.max(0, at))];
  const at = stops.findIndex((row) => row.id === selectedId);
  if (at >= 0) return clamped(at + step);
  const headline = rows.findIndex((row) => row.id === selectedId);
  if (headline < 0 && !selected) return stops[step > 0 ? 0 : last];
  const next = headline < 0 ? stops.findIndex((row) => row.alert && compareAlerts(row.alert, selected) > 0) : rows.slice(0, headline).filter(stopsAt).length;
  if (next < 0) return stops[last];
  return clamped(step > 0 ? next : next - 1);
}
