// Changes of any kind, one after the other; after each what is kept is compared with what making it anew gives.
async (m, [seed, steps]) => {
    const { Spots } = await import(m.base + "../map/spots.js");
    const { compareAlerts, sectionsOf, demands, isFire, isHeld, isTesting, covers, asAlert } = Object.assign({}, ...await Promise.all(
        ["order", "incidents", "marks", "provisional"].map((name) => import(`${m.base}${name}.js`))));
    let state = seed;
    const below = (n) => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return (state >>> 8) % n;
    };
    const one = (...of) => of[below(of.length)];
    const at = () => new Date(1_800_000_000_000 + below(90) * 1_000).toISOString();
    const heard = { acts: [] };  // alerts whose acknowledgement waits for the store
    const s = new m.AlarmStore({ silenced: ({ id }) => heard.acts.includes(id), silencing: () => heard.acts });
    const spots = new Spots((place) => place);
    let [numbers, listed] = [0, []];
    const raw = (id, version) => ({
        id, key: `k${Number(id) % 40}`, version, repeats: 0, occurrences: 1 + below(3), priority: 1 + below(4), class: one("fire", "fault", "fault", "hazard"),
        state: one("unacknowledged", "acknowledged", "returned", "closed"), hold: one("none", "none", "shelved", "suppressed"),
        held_until: one(null, at()), condition: one("active", "normal"), flags: one([], [], ["in_test"], ["chattering"]),
        raised_at: at(), last_event_at: at(), incident_id: null, unit: `u${below(5)}`, lon: one(null, 1, 2, 3), lat: one(1, 2), shown_at: null });
    const waits = (n) => ({ key: `k${n}`, class: one("fire", "fault"), priority: 1 + below(4), flags: [], title: { zh: one("a", "b"), en: "c" },
        unit: "u", device: "d", component: "", device_at: at(), received_at: at(), lon: one(null, 1), lat: 1 });
    const fail = (step, what, found, due) => { throw new Error(`step ${step}: ${what}: ${JSON.stringify(found)} is not ${JSON.stringify(due)}`); };
    const shape = (all) => all.map(({ x, y, fire, alarms, waiting, foremost }) => [x, y, fire, alarms.map((each) => each.id + each.version), waiting, foremost?.id]);
    const regrouped = (alerts) => {
        const found = new Map();
        for (const alert of alerts) {
            const { lon: x, lat: y } = alert;
            if (x === null) continue;
            const name = [x, y, isFire(alert)].join();
            if (!found.has(name)) found.set(name, { x, y, fire: isFire(alert), alarms: [], waiting: 0, foremost: null });
            const spot = found.get(name);
            spot.alarms.push(alert);
            if (!demands(alert)) continue;
            spot.waiting += 1;
            spot.foremost ??= alert;
        }
        return [...found.values()];
    };
    for (let step = 0; step < steps; step += 1) {
        const kind = below(12);
        const known = [...s.open.values()];
        if (kind < 6) s.merge(Array.from({ length: 1 + below(6) }, () => {
            const old = known[below(known.length + 1)];
            return old ? raw(old.id, old.version + 1) : raw(String((numbers += 1)), 1);
        }));
        else if (kind < 9) {
            const kept = listed.filter(() => below(4)).map((each) => JSON.parse(JSON.stringify(below(3) ? each : { ...each, ...waits(0), key: each.key })));
            const more = Array.from({ length: below(4) }, () => waits(below(40))).filter(({ key }) => !kept.some((each) => each.key === key));
            const before = new Map(s.visible);
            listed = [...new Map([...kept, ...more].map((each) => [each.key, each])).values()];
            const change = s.setProvisional(listed);
            const ids = (alerts) => alerts.map(({ id }) => id).sort().join();
            if (ids(change.added) !== ids([...s.visible.values()].filter(({ id }) => !before.has(id)))) fail(step, "added", ids(change.added), "what came");
            if (ids(change.removed) !== ids([...before.values()].filter(({ id }) => !s.visible.has(id)))) fail(step, "removed", ids(change.removed), "what went");
        } else if (kind < 11) {
            heard.acts = known.filter(() => !below(3)).map(({ id }) => id);
            s.merge([]);
        } else s.replace(known.filter(() => below(5)).map((each) => ({ ...each, version: each.version + below(2) })));

        const stored = (key) => s.byKey.get(key);
        const due = listed.map((each) => ({ raw: each, alarm: asAlert(each) })).filter(({ alarm }) => {
            const other = stored(alarm.key);
            return !other || !covers(other, alarm, demands(other) && !heard.acts.includes(other.id));
        });
        const words = (alarm) => [alarm.id, alarm.priority, alarm.eventMs, alarm.title.zh, alarm.lon].join();
        const [seen, wanted] = [[...s.visible.values()].map(words).sort(), due.map(({ alarm }) => words(alarm)).sort()];
        if (seen.join() !== wanted.join()) fail(step, "provisional", seen, wanted);
        if ([...s.byKey].some(([key, { id }]) => s.open.get(id)?.key !== key)) fail(step, "keys", [...s.byKey.keys()], "open");

        const all = [...s.open.values()];
        const queue = [...all.filter((each) => !isHeld(each)), ...s.visible.values()].sort(compareAlerts);
        const end = ({ held_until }) => (held_until ? Date.parse(held_until) : Infinity);
        const held = all.filter(isHeld).sort((a, b) => (end(a) === end(b) ? 0 : end(a) - end(b)) || compareAlerts(a, b));
        const same = (a, b) => a.length === b.length && a.every((each, i) => each === b[i]);
        if (!same(s.sorted(), queue)) fail(step, "queue", s.sorted().map(({ id }) => id), queue.map(({ id }) => id));
        if (!same(s.held(), held)) fail(step, "held", s.held().map(({ id }) => id), held.map(({ id }) => id));
        if (JSON.stringify(s.counts()) !== JSON.stringify(sectionsOf(queue))) fail(step, "counts", s.counts(), sectionsOf(queue));
        for (const testing of [false, true]) {
            const sounds = queue.filter((each) => demands(each) && isTesting(each) === testing && !s.quiet.has(each.id) && !heard.acts.includes(each.id));
            const most = Math.min(5, ...sounds.map(({ priority }) => priority)) % 5;
            if (s.demand(testing) !== most) fail(step, "demand", s.demand(testing), most);
        }
        if (below(3)) continue;  // the map takes several changes at once
        spots.take(s.sorted(), s.held());
        const [kept, anew] = [shape(spots.all), shape(regrouped([...queue, ...held]))];
        if (JSON.stringify(kept) !== JSON.stringify(anew)) fail(step, "spots", kept, anew);
        for (const { id, lon, lat } of [...queue, ...held]) {
            const spot = spots.of(id);
            if (lon === null ? spot : !spot.alarms.some((each) => each.id === id)) fail(step, "spot of", id, [lon, lat]);
        }
        if (spots.of("none") || spots.placeless !== [...queue, ...held].filter(({ lon }) => lon === null).length) fail(step, "placeless", spots.placeless, "count");
        const left = [...spots.places.values()].reduce((sum, column) => sum + column.size, 0);
        if (left !== new Set(anew.map(([x, y]) => [x, y].join())).size || spots.byId.size !== queue.length + held.length) fail(step, "places", left, "those with alarms");
    }
    return [numbers, s.open.size];
}
