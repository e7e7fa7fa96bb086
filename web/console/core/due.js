// Until when somebody has to do the next step of a fire: what is left of it on server time, and that it is overdue.

/** @typedef {{deadline: string, at: number, limitMs: number, leftMs: number, overdue: boolean}} Due */

/** What is awaited of an alert and how much of its time is left, negative once it is over; null where nothing is. @returns {Due | null} */
export function dueOf(alert, nowMs) {
  if (!alert.due || alert.state === "closed") return null;
  const at = Date.parse(alert.due.at);
  const leftMs = at - nowMs;
  return { deadline: alert.due.deadline, at, limitMs: alert.due.limit_s * 1000, leftMs, overdue: leftMs <= 0 };
}

const two = (n) => String(n).padStart(2, "0");

/** 0:23, 12:05, 1:02:03. What is left is rounded up and what is over is rounded down: 0:00 is when it turns. */
export function countdown(leftMs) {
  const seconds = leftMs > 0 ? Math.ceil(leftMs / 1000) : Math.floor(-leftMs / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
