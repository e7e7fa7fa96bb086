// The command table of the keyboard: which key means what, and when a key press is not one.
// Beside A (受理) on the keyboard, Q W S Z X mean nothing: the wrong key does no harm.

/** Keys by position on the keyboard (event.code): an input method changes event.key, never event.code. */
const COMMANDS = [
  { code: "KeyA", command: "acknowledge" },
  { code: "KeyJ", command: "next" },
  { code: "KeyK", command: "previous" },
  { code: "ArrowDown", command: "next", repeats: true },
  { code: "ArrowUp", command: "previous", repeats: true },
  { code: "Home", command: "first" },
  { code: "End", command: "last" },
  { code: "Enter", command: "open" },
  { code: "KeyV", command: "verify" },
  { code: "KeyF", command: "forward" },
  { code: "KeyR", command: "receipt" },
  { code: "KeyC", command: "close" },
  { code: "Digit1", command: "script" },
  { code: "KeyF", shift: true, command: "follow_up" },
  { code: "KeyC", shift: true, command: "cancel" },
  { code: "KeyV", shift: true, command: "video" },
  { code: "KeyL", command: "shelve" },
  { code: "KeyU", command: "restore" },
  { code: "KeyT", command: "assign" },
  { code: "KeyG", command: "group" },
  { code: "KeyH", command: "held" },
  { code: "KeyB", command: "board" },
  { code: "KeyD", command: "windows" },
  { code: "KeyO", command: "closed" },
  { code: "KeyN", command: "report" },
  { code: "KeyI", command: "watch" },
  { code: "KeyM", command: "mute" },
  { code: "KeyP", command: "map" },
  { code: "KeyE", command: "more" },
  { code: "Slash", command: "filter" },
  { code: "Slash", shift: true, command: "help" },
  { code: "Escape", command: "back" },
];

/** Commands by one letter, digit or sign; an operator may turn these off (WCAG 2.1.4). */
const isSingle = ({ code }) => code.startsWith("Key") || code.startsWith("Digit") || code === "Slash";

/** Part of a word being composed by an input method (its Escape and Enter belong to it, too). */
export const isComposing = (event) => event.isComposing || (event.keyCode === 229 && /^(Escape|Enter)$/.test(event.code));

/**
 * The command of a key press, or null. A held key repeats only arrows: holding A acknowledges once.
 * `singleKeys`: whether letters are commands.
 */
export function commandOf(event, singleKeys) {
  if (isComposing(event) || event.ctrlKey || event.altKey || event.metaKey) return null;
  const found = COMMANDS.find((entry) => entry.code === event.code && Boolean(entry.shift) === event.shiftKey);
  if (!found || (event.repeat && !found.repeats)) return null;
  if (!singleKeys && isSingle(found)) return null;
  return found.command;
}

/** Keys that only change the meaning of others; they do not count as "a key press". */
export const isModifier = (event) => /^(Shift|Control|Alt|Meta|CapsLock|NumLock|Fn)/.test(event.code);

/** Whether the focused element takes text, so that letters are text there. */
export const takesText = (element) =>
  Boolean(element?.isContentEditable || (element && /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName)));
