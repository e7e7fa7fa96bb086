// Points by the square of ground they stand in: one pass builds it, a view asks for the squares it covers.

export class PointGrid {
  /** `x`, `y`: metres; `points`: which of them count. */
  constructor(x, y, points, cell = 1_000) {
    this.cell = cell;
    this.left = Infinity;
    this.bottom = Infinity;
    let right = -Infinity;
    let top = -Infinity;
    for (const point of points) {
      this.left = Math.min(this.left, x[point]);
      right = Math.max(right, x[point]);
      this.bottom = Math.min(this.bottom, y[point]);
      top = Math.max(top, y[point]);
    }
    const empty = !points.length;
    this.wide = empty ? 0 : Math.floor((right - this.left) / cell) + 1;
    this.high = empty ? 0 : Math.floor((top - this.bottom) / cell) + 1;
    const most = 4_000_000; // squares; a stray point at the other end of the world must not cost memory
    while (this.wide * this.high > most) {
      this.cell *= 2;
      this.wide = Math.floor((right - this.left) / this.cell) + 1;
      this.high = Math.floor((top - this.bottom) / this.cell) + 1;
    }
    this.extent = empty ? null : [this.left, this.bottom, right, top];
    const starts = new Uint32Array(this.wide * this.high + 1);
    const square = (point) => Math.floor((y[point] - this.bottom) / this.cell) * this.wide + Math.floor((x[point] - this.left) / this.cell);
    for (const point of points) starts[square(point) + 1] += 1;
    for (let i = 1; i < starts.length; i += 1) starts[i] += starts[i - 1];
    const next = starts.slice();
    this.members = new Uint32Array(points.length);
    for (const point of points) this.members[next[square(point)]++] = point;
    this.starts = starts;
  }

  /** How many points `within` would visit. */
  count(extent) {
    let found = 0;
    this.rows(extent, (from, to) => (found += to - from));
    return found;
  }

  /** Calls `visit` with every point of the squares that a view covers; some stand a little outside of it. */
  within(extent, visit) {
    this.rows(extent, (from, to) => {
      for (let i = from; i < to; i += 1) visit(this.members[i]);
    });
  }

  /** Calls `take` with where the members of each row of squares that a view covers begin and end. */
  rows([left, bottom, right, top], take) {
    const column = (at) => Math.floor((at - this.left) / this.cell);
    const row = (at) => Math.floor((at - this.bottom) / this.cell);
    const first = Math.max(0, column(left));
    const last = Math.min(this.wide - 1, column(right));
    if (first > last) return;
    for (let r = Math.max(0, row(bottom)); r <= Math.min(this.high - 1, row(top)); r += 1) {
      take(this.starts[r * this.wide + first], this.starts[r * this.wide + last + 1]);
    }
  }
}
