import type { Hole } from '../session.js';

/** Numbers between which a connection has lost some. */
interface SeqHole {
  /** Nothing is missing up to this number, and from `high` on. */
  readonly low: number;
  /** `-Infinity` until a record has come after the hole. */
  high: number;
  /** What has come in between: the records of the step that reported the hole. */
  readonly delivered: number[];
  span: Hole;
}

/** Of holes that come from outside. Beyond it the oldest are no longer told apart. */
const MAX_HOLES = 1_000;

/** What a connection has delivered of one series, by `seq`: everything from its first record to its last, except for its holes. */
export class Coverage {
  from = Number.POSITIVE_INFINITY;
  to = Number.NEGATIVE_INFINITY;
  readonly #holes: SeqHole[] = [];
  #open: SeqHole | undefined;

  add(seq: number): void {
    this.from = Math.min(this.from, seq);
    this.to = Math.max(this.to, seq);
    if (!this.#open) return;
    this.#open.delivered.push(seq);
    this.#open.high = Math.max(this.#open.high, seq);
  }

  /** Records are missing that would have come since the step before, or in this one. Call it before its records are added. */
  lose(span: Hole): void {
    if (this.#open) {
      this.#open.span = union(this.#open.span, span);
      return;
    }
    this.#open = { low: this.to, high: Number.NEGATIVE_INFINITY, delivered: [], span };
    this.#holes.push(this.#open);
    if (this.#holes.length > MAX_HOLES) this.#forget();
  }

  /** The step is over. False while nothing has come after a hole. */
  endStep(): boolean {
    if (this.#open && this.#open.delivered.length > 0) this.#open = undefined;
    return this.#open === undefined;
  }

  /** No more comes: behind a hole without an end nothing counts as delivered. */
  end(): void {
    if (!this.endStep()) this.#holes.pop();
    this.#open = undefined;
  }

  has(seq: number): boolean {
    if (seq < this.from || seq > this.to) return false;
    return this.#holes.every(({ low, high, delivered }) => seq <= low || seq >= high || delivered.includes(seq));
  }

  /** The holes behind which another connection, that has delivered everything up to a number, has not come. */
  *holesBeyond(seq: number): Generator<Hole> {
    for (const { low, high, span } of this.#holes) {
      const isBeforeAll = low === Number.NEGATIVE_INFINITY && high === Number.NEGATIVE_INFINITY;
      if (!isBeforeAll && (high === Number.NEGATIVE_INFINITY || seq < high)) yield span;
    }
  }

  /** Makes the oldest hole a part of the next one, and counts nothing before that as delivered. */
  #forget(): void {
    const oldest = this.#holes.shift()!;
    const next = this.#holes[0]!;
    this.from = Math.max(this.from, oldest.high);
    next.span = union(oldest.span, next.span);
  }
}

function union(a: Hole, b: Hole): Hole {
  const { rows: _, ...rest } = a;
  const rows = (a.rows ?? 0) + (b.rows ?? 0);
  return { ...rest, from: Math.min(a.from, b.from), to: Math.max(a.to, b.to), ...(rows > 0 && { rows }) };
}
