// Laid over the page from outside: its frames, how long a key takes to be handled and painted, and when a fire is painted.
(() => {
  const bench = (globalThis.firetowerBench = { on: false, frames: [], keys: [], fires: [], came: {}, ready: {}, socket: null });
  const NAMED = /bench-[a-z0-9]+-\d+x/g;
  const wall = () => performance.timeOrigin + performance.now();
  const Socket = globalThis.WebSocket;
  globalThis.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given);
      bench.socket = this;
      this.addEventListener("message", ({ data }) => {
        if (!bench.on || typeof data !== "string") return;
        const now = wall();
        for (const [name] of data.matchAll(NAMED)) bench.came[name] ??= now;
      });
    }
  };

  const TIMED = new Set(["KeyJ", "KeyK", "KeyA"]);
  const awaited = { keys: [], fires: [] };
  /** What a key changes: what is selected, and what became of an act. */
  const mark = () => `${document.querySelector(".row.selected")?.id} ${document.querySelector("[data-outcome]")?.dataset.outcome}`;

  addEventListener("keydown", (event) => {
    if (bench.on && !event.repeat && TIMED.has(event.code)) awaited.keys.push({ code: event.code, at: event.timeStamp, before: mark(), handled: null, painted: null });
  }, true);
  // after every listener of the page: it stands at the end of the way
  addEventListener("keydown", (event) => {
    const key = awaited.keys.find(({ at }) => at === event.timeStamp);
    if (key) key.handled = performance.now() - key.at;
  });

  new MutationObserver((changes) => {
    if (!bench.on) return;
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) {
        if (!(node instanceof Element)) continue;
        const rows = node.matches(".row, .dock-row") ? [node] : node.querySelectorAll(".dock-row"); // the first of them comes with its strip
        for (const row of rows) {
          const [name] = row.textContent.match(NAMED) ?? [];
          if (name) awaited.fires.push({ name, node: row });
        }
      }
    }
  }).observe(document, { childList: true, subtree: true });

  /** Runs when a frame is done: what is in the page by then is painted. */
  const look = () => {
    bench.ready.live ??= document.querySelector("[data-feed=live]") ? performance.now() : undefined;
    bench.ready.map ??= document.querySelector(".map[data-ready=true] canvas.map-points") ? performance.now() : undefined;
    if (awaited.keys.length) {
      const now = performance.now();
      const seen = mark();
      awaited.keys = awaited.keys.filter((key) => {
        if (key.before === seen && now - key.at < 3_000) return true;
        if (key.before !== seen) key.painted = now - key.at;
        bench.keys.push(key);
        return false;
      });
    }
    if (awaited.fires.length) {
      // the headline of an incident of fires stands above its fires, as it should
      const isFires = (row) => row.matches(".headline") && row.querySelector(".counts-line").textContent.includes("火警");
      const others = [...document.querySelectorAll("#queue-list .row")].filter((row) => !row.textContent.match(NAMED) && !isFires(row));
      const placed = others.map((row) => ({ top: row.getBoundingClientRect().top, text: row.textContent.slice(0, 120) }));
      for (const { name, node } of awaited.fires) {
        if (!node.isConnected) continue; // the list was scrolled and took the row away before it was painted
        const { top } = node.getBoundingClientRect();
        const docked = node.matches(".dock-row");
        bench.fires.push({ name, at: wall(), docked, above: docked ? [] : placed.filter((one) => one.top < top).map(({ text }) => text) });
      }
      awaited.fires = [];
    }
  };
  const after = new MessageChannel();
  after.port1.onmessage = look;
  let last = 0;
  const frame = (now) => {
    if (bench.on && last) bench.frames.push(now - last);
    last = now;
    after.port2.postMessage(0);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);

  /** Resolved once three frames in a row drew nothing in queue, map or panel and nothing is left to do, or after `patience` ms: whether it came to that. */
  bench.quiet = (patience) =>
    new Promise((resolve) => {
      const until = performance.now() + patience;
      let still = 0;
      const drawing = new MutationObserver(() => (still = 0));
      // a canvas of the map is given its width each time it is drawn
      for (const node of document.querySelectorAll("#queue-list, .map-stage, .side")) drawing.observe(node, { childList: true, subtree: true, attributes: true, attributeFilter: ["width"] });
      const next = () => {
        still += 1;
        const over = performance.now() > until;
        if (still <= 3 && !over) return requestAnimationFrame(next);
        drawing.disconnect();
        requestIdleCallback(() => resolve(!over), { timeout: 200 });
      };
      requestAnimationFrame(next);
    });

  bench.begin = () => {
    Object.assign(bench, { on: true, frames: [], keys: [], fires: [], came: {} });
    Object.assign(awaited, { keys: [], fires: [] });
  };
  bench.end = () => {
    bench.on = false;
    const { frames, keys, fires, came } = bench;
    Object.assign(bench, { frames: [], keys: [], fires: [], came: {} });
    return { frames, keys: [...keys, ...awaited.keys], fires, came };
  };
})();
