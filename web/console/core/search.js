// What an operator may type into the filter to find an alert.
import { wordInAll } from "./i18n.js";

export const wordsOf = (alert) =>
  [
    alert.unit, alert.unit_name, alert.device, alert.component, alert.text, alert.place, alert.subject,
    alert.title?.zh, alert.title?.en, alert.acknowledged_by, alert.assignee,
    wordInAll("class", alert.class), wordInAll("priority", alert.priority), wordInAll("state", alert.state),
    wordInAll("kind", alert.device_kind), alert.metric && wordInAll("metric", alert.metric.split(".")[0]), ...(alert.flags ?? []).map((flag) => wordInAll("flag", flag)),
  ].filter(Boolean).join(" ");
