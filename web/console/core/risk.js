// 四色风险: what is asked of the server, and what it means; its colours are never those of alarms.

/** The worst first; "unknown": nothing is known of it, and it has no colour. */
export const BANDS = ["extreme", "high", "medium", "low", "unknown"];

const LATE = 3; // rounds missed until what is shown counts as old

export const bandOf = (item) => item.band ?? "unknown";

/** `query`: by, band, unit, grid, within, limit, cursor of GET /api/v1/risk. */
export const riskOf = (api, query) => api.request("GET", `/risk?${new URLSearchParams(query)}`);

/** How old what is shown is, in ms; null where it was never reckoned. */
export const ageOf = (page, nowMs) => (page.computed_at ? Math.max(0, nowMs - Date.parse(page.computed_at)) : null);

export function isOld(page, nowMs) {
  const age = ageOf(page, nowMs);
  return age === null || age > LATE * page.every_s * 1000;
}

/** What weighs most on the whole, whichever part it is of. */
export function heaviest(item, most) {
  const all = item.parts.flatMap((part) => part.reasons.map((reason) => ({ ...reason, weighs: reason.takes * part.weight })));
  return all.sort((a, b) => b.weighs - a.weighs).slice(0, most);
}

/** Every page of a list, at most `most` items; the first page's own fields beside them. */
async function whole(api, path, query, most) {
  const items = [];
  let page = /** @type {any} */ (null);
  let cursor = "";
  do {
    const answer = await api.request("GET", `${path}?${new URLSearchParams({ ...query, limit: "1000", ...(cursor && { cursor }) })}`);
    if (!answer.ok) return answer;
    page ??= answer.data;
    items.push(...answer.data.items);
    cursor = answer.data.next_cursor;
  } while (cursor && items.length < most);
  return { ok: true, data: { ...page, items } };
}

const MOST_GRIDS = 10_000;

/** Grids with their boundaries and how they stand. */
export async function gridsOnMap(api) {
  const [grids, risk] = await Promise.all([whole(api, "/grids", {}, MOST_GRIDS), whole(api, "/risk", { by: "grid" }, MOST_GRIDS)]);
  if (!grids.ok) return grids;
  if (!risk.ok) return risk;
  const standing = new Map(risk.data.items.map((item) => [item.code, item]));
  const drawn = grids.data.items.filter(({ boundary }) => boundary).map(({ grid, name, boundary }) => ({ name: name || grid, ring: boundary, band: bandOf(standing.get(grid) ?? {}) }));
  return { ok: true, data: { ...risk.data, grids: drawn } };
}
