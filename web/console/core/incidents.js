// Incidents 警情 by id, and the rows of the queue: alerts of one incident together under its headline, fires never hidden.
import { Groups } from "./groups.js";
import { demands, isFire, isTesting } from "./marks.js";
import { compareAlerts } from "./order.js";
import { PRIORITIES, Tally } from "./tally.js";

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

/**
 * What of a folded group is in sight beside its fires: the selected alert, and the first that waits at priority 1 or 2 where no fire
 * that waits leads the group: what comes after such a fire must not push another incident's fire down.
 */
function unfolded(rest, selectedId, lead) {
  const leading = isFire(lead) && demands(lead) ? undefined : rest.find((alert) => alert.priority <= 2 && demands(alert));
  const seen = rest.filter((alert) => alert === leading || alert.id === selectedId);
  return rest.length - seen.length < 2 ? rest : seen; // one row instead of a word about one row
}

/** How many rows of a priority are listed. Nobody scrolls further; fires and all of priority 1 are, however many there are. */
const MOST_ROWS = 1_000;

/** How many alerts a list has of each priority. */
export function sectionsOf(alerts) {
  const tally = new Tally();
  for (const alert of alerts) tally.note(alert, 1);
  return tally.counts();
}

/**
 * The rows of the queue, in order. An alert's row: `{id, alert, section, grouped}`. A headline's: `{id, incident, section, members,
 * folded, waiting, expanded, foldable}`: the alerts it stands for, how many are folded away and how many of those wait.
 * Where a priority has more than `most` rows the last one is `{id, section, unlisted: {open, waiting}}`; the selected alert is listed all the same.
 * `alerts`: in queue order, of which `sections` and `groups` say what is in them. `section`: the priority the row stands under.
 */
export function rowsOf(alerts, incidents, expanded, selectedId, { sections = sectionsOf(alerts), groups = new Groups(alerts), most = MOST_ROWS } = {}) {
  const rows = [];
  /** By id: the groups may be newer than the list, for rows are made anew between two paintings, too. */
  const placed = new Set();
  const begun = new Set();
  /** By priority, what has a row or is folded away under one. */
  const listed = sectionsOf([]);
  let selected = selectedId === null;
  const note = (alert) => {
    listed[alert.priority].open += 1;
    if (demands(alert)) listed[alert.priority].waiting += 1;
  };
  const put = (alert, section, grouped) => {
    if (grouped) placed.add(alert.id);
    note(alert);
    selected ||= alert.id === selectedId;
    rows.push({ id: alert.id, alert, section, grouped });
  };
  const take = (alert, section) => {
    const group = incidents.has(alert.incident_id) ? groups.of(alert.incident_id) : undefined;
    if (!group) return put(alert, section, false);
    if (placed.has(alert.id)) return;
    if (begun.has(alert.incident_id)) {
      for (const member of group) if (!placed.has(member.id) && alike(member, alert)) put(member, section, true);
      if (!placed.has(alert.id)) put(alert, section, true);
      return;
    }
    begun.add(alert.incident_id);
    const rest = group.filter((member) => !isFire(member));
    const open = expanded.has(alert.incident_id);
    const shown = open ? rest : unfolded(rest, selectedId, alert);
    const seen = new Set(shown);
    const folded = rest.filter((member) => !seen.has(member));
    rows.push({
      id: rowIdOf(alert.incident_id), section, incident: incidents.get(alert.incident_id), members: group, folded: folded.length, waiting: folded.filter(demands).length,
      expanded: open, foldable: open ? unfolded(rest, selectedId, alert).length < rest.length : folded.length > 0,
    });
    if (isFire(alert)) {
      for (const member of group) if (isFire(member) && alike(member, alert)) put(member, section, true);
      if (!placed.has(alert.id)) put(alert, section, true);
    }
    for (const member of shown) if (!placed.has(member.id)) put(member, section, true);
    for (const member of folded) {
      placed.add(member.id);
      note(member);
    }
    if (!placed.has(alert.id)) put(alert, section, true);
  };
  let at = 0;
  for (const section of PRIORITIES) {
    const before = rows.length;
    const end = at + sections[section].open;
    const limit = section === 1 ? Infinity : most;
    for (; at < end && rows.length - before < limit; at += 1) take(alerts[at], section);
    if (at < end && !selected) {
      const rest = alerts.slice(at, end).find((alert) => alert.id === selectedId);
      if (rest && !placed.has(rest.id)) {
        put(rest, section, false);
        placed.add(rest.id); // its incident may begin further down
      }
    }
    at = end;
    const [open, waiting] = [sections[section].open - listed[section].open, sections[section].waiting - listed[section].waiting];
    if (open > 0) rows.push({ id: `more-${section}`, section, unlisted: { open, waiting } });
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
const stopsAt = (row) => row.alert || (row.members && row.folded === row.members.length);

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
