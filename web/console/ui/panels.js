// The panels beside the queue, one at a time in the place of the detail: never over the queue, a banner or the clock.
import { useLayoutEffect } from "../vendor/preact-hooks.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { t } from "../core/i18n.js";
import { AccountsPanel } from "./accounts.js";
import { Board } from "./board.js";
import { ClosedList } from "./closed.js";
import { HeldList } from "./held.js";
import { MapView } from "./citymap.js";
import { DevicePanel } from "./device.js";
import { Icon } from "./icons.js";
import { MorePanel } from "./more.js";
import { OverviewPanel } from "./overview.js";
import { RejectsPanel } from "./rejects.js";
import { ReportForm } from "./report.js";
import { RiskPanel } from "./risk.js";
import { RulesPanel } from "./rules.js";
import { ScriptPanel } from "./script.js";
import { SelfTestsPanel } from "./selftests.js";
import { ShiftLogPanel } from "./shiftlog.js";
import { UnitPanel } from "./unit.js";
import { WatchPanel } from "./watch.js";
import { WindowsPanel } from "./windows.js";

const PANELS = { held: HeldList, board: Board, windows: WindowsPanel, closed: ClosedList, report: ReportForm, map: MapView, more: MorePanel, overview: OverviewPanel, device: DevicePanel, unit: UnitPanel, risk: RiskPanel, rules: RulesPanel, rejects: RejectsPanel, script: ScriptPanel, watch: WatchPanel, shiftlog: ShiftLogPanel, selftests: SelfTestsPanel, accounts: AccountsPanel };

export function Panel({ desk, name, onBack }) {
  const Inside = PANELS[name];
  useLayoutEffect(() => {
    document.querySelector(".side")?.scrollTo(0, 0);
  }, []);
  return html`<section id="panel" class="panel" tabindex="-1" data-panel=${name} aria-label=${t(`panel.${name}`)}>
    <div class="panel-head">
      <h2>${t(`panel.${name}`)}</h2>
      <button onClick=${onBack}><${Icon} name="back" />${t("panel.close")} <kbd>Esc</kbd></button>
    </div>
    <${Inside} desk=${desk} />
  </section>`;
}
