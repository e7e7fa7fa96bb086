// Rates 接入率、在线率、完好率 as a page draws them: never rounded up, days in a row with their gaps. Arithmetic only.

export const RATES = ["connection", "online", "intact"];
export const DAYS = 30;
const DAY_MS = 86_400_000;

/** Cut, not rounded, to a tenth of a per cent: 999 of 1,000 devices are not all of them, and 89.96 % is not 90. */
export const cut = (rate) => Math.floor(rate * 1000 + 1e-9) / 1000;

const dayMs = (name) => Date.parse(`${name}T00:00:00Z`);

/** One value a day for DAYS days up to the newest one, null where there is none. */
export function seriesOf(days, name) {
  if (!days.length) return [];
  const last = dayMs(days[days.length - 1].day);
  const series = new Array(DAYS).fill(null);
  for (const day of days) {
    const i = DAYS - 1 - Math.round((last - dayMs(day.day)) / DAY_MS);
    if (i >= 0) series[i] = day[name]?.rate ?? null;
  }
  return series;
}

/** Where a line begins anew after a gap; a value alone between two gaps is a run of one. */
export function runsOf(series) {
  const runs = [];
  let run = /** @type {{i: number, value: number}[]} */ ([]);
  series.forEach((value, i) => {
    if (value === null) {
      if (run.length) runs.push(run);
      run = [];
    } else run.push({ i, value });
  });
  if (run.length) runs.push(run);
  return runs;
}

/** The least value drawn: below every value and the target, so that a fall of a few per cent is seen. */
export function floorOf(series, target) {
  const least = Math.min(target, ...series.filter((value) => value !== null));
  return Math.max(0, Math.floor((least - 0.02) * 20) / 20);
}
