// The panels beside the queue, one at a time in the place of the detail: never over the queue, a banner or the clock.
// None is needed before the queue stands: each is fetched when it is first opened, or once the page is idle, so that all are there when the connection is lost.
import { useEffect, useLayoutEffect, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { t } from "../core/i18n.js";
import { Guard } from "./guard.js";
import { Icon } from "./icons.js";
import { ReportForm } from "./report.js";
import { ScriptPanel } from "./script.js";

/** @type {Record<string, () => Promise<any>>} one line a panel: its name, and where its component is */
const PANELS = {
  held: () => import("./held.js").then((file) => file.HeldList),
  board: () => import("./board.js").then((file) => file.Board),
  windows: () => import("./windows.js").then((file) => file.WindowsPanel),
  closed: () => import("./closed.js").then((file) => file.ClosedList),
  report: async () => ReportForm, // what is typed right after its key is text, not commands
  map: () => import("./citymap.js").then((file) => file.MapView),
  more: () => import("./more.js").then((file) => file.MorePanel),
  overview: () => import("./overview.js").then((file) => file.OverviewPanel),
  device: () => import("./device.js").then((file) => file.DevicePanel),
  unit: () => import("./unit.js").then((file) => file.UnitPanel),
  risk: () => import("./risk.js").then((file) => file.RiskPanel),
  rules: () => import("./rules.js").then((file) => file.RulesPanel),
  rejects: () => import("./rejects.js").then((file) => file.RejectsPanel),
  script: async () => ScriptPanel, // whoever needs it, needs it when other things fail
  watch: () => import("./watch.js").then((file) => file.WatchPanel),
  shiftlog: () => import("./shiftlog.js").then((file) => file.ShiftLogPanel),
  selftests: () => import("./selftests.js").then((file) => file.SelfTestsPanel),
  backtest: () => import("./backtest.js").then((file) => file.BacktestPanel),
  roster: () => import("./roster.js").then((file) => file.RosterPanel),
  mine: () => import("./account.js").then((file) => file.MinePanel),
  accounts: () => import("./accounts.js").then((file) => file.AccountsPanel),
};

/** What is fetched when it is wanted: the panels, and the display on the wall, which is a page of its own. */
const FETCHED = { ...PANELS, wall: () => import("./wall.js").then((file) => file.Wall) };

/** @type {Map<string, any>} components that are here */
const here = new Map([["report", ReportForm], ["script", ScriptPanel]]);

export const isPanel = (name) => Object.hasOwn(PANELS, name);

async function fetched(name) {
  if (!here.has(name)) here.set(name, await FETCHED[name]());
  return here.get(name);
}

const PAUSE_MS = 5_000;
/** What stands in the queue by then was painted. */
const FIRST_MS = 1_500;
let fetching = false;

/** Fetches what is not here yet, one after the other while the page is idle; what does not come is tried again. */
export function fetchInTheBackground() {
  if (fetching) return;
  fetching = true;
  const next = (ms) => setTimeout(() => requestIdleCallback(fetchOne, { timeout: PAUSE_MS }), ms);
  const fetchOne = () => {
    const name = Object.keys(PANELS).find((each) => !here.has(each));
    if (name) fetched(name).then(() => next(0), () => next(PAUSE_MS));
  };
  next(FIRST_MS);
}

/** A panel's inside, as soon as it is here; `place`: what keeps its place until then. */
export function Fetched({ desk, name, place = null }) {
  const [, arrived] = useState(0);
  const [trouble, setTrouble] = useState("");
  const Inside = here.get(name);
  const live = desk.feedStatus.value === "live";
  useEffect(() => {
    let wanted = !here.has(name);
    let timer = 0;
    const failed = (error) => {
      if (!wanted) return;
      setTrouble(t("panel.not_here", { why: String(error?.message ?? error) }));
      timer = setTimeout(ask, PAUSE_MS);
    };
    const ask = () => fetched(name).then(() => wanted && arrived((n) => n + 1), failed);
    if (wanted) ask();
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [live]);
  if (Inside) return html`<${Guard}><${Inside} desk=${desk} /></${Guard}>`;
  return trouble ? html`<p class="trouble" role="alert">${trouble}</p>` : (place ?? html`<p class="muted">${t("board.loading")}</p>`);
}

export function Panel({ desk, name, onBack }) {
  useLayoutEffect(() => {
    document.querySelector(".side")?.scrollTo(0, 0);
  }, []);
  return html`<section id="panel" class="panel" tabindex="-1" data-panel=${name} aria-label=${t(`panel.${name}`)}>
    <div class="panel-head">
      <h2>${t(`panel.${name}`)}</h2>
      <button onClick=${onBack}><${Icon} name="back" />${t("panel.close")} <kbd>Esc</kbd></button>
    </div>
    <${Fetched} desk=${desk} name=${name} />
  </section>`;
}
