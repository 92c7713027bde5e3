/**
 * Counts requests by plain lists of when they came: how a fake vendor knows that a client has broken a limit, by arithmetic of its
 * own rather than by that of the client.
 */
export class RequestCount {
  readonly #limit: number;
  readonly #perMs: number;
  readonly #byKey = new Map<string, { readonly at: number; readonly weight: number }[]>();

  /** At most `limit` in any `perMs`, of each key. */
  constructor(limit: number, perMs: number) {
    this.#limit = limit;
    this.#perMs = perMs;
  }

  /** Whether one more would be too many. */
  isFull(now: number, key = '', weight = 1): boolean {
    const recent = (this.#byKey.get(key) ?? []).filter(({ at }) => at > now - this.#perMs);
    if (recent.length > 0) this.#byKey.set(key, recent);
    else this.#byKey.delete(key);
    return recent.reduce((sum, one) => sum + one.weight, weight) > this.#limit;
  }

  add(now: number, key = '', weight = 1): void {
    const counted = this.#byKey.get(key) ?? [];
    counted.push({ at: now, weight });
    this.#byKey.set(key, counted);
  }
}

/** The most violations that are kept. */
const MAX_KEPT = 1_000;

/** Adds what a client has done against the rules; of very many, the first are kept. */
export function noteViolation(violations: string[], what: string): void {
  if (violations.length < MAX_KEPT) violations.push(what);
}
