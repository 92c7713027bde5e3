/** What is known of an option at one moment, as TWS has sent it. */
export type OptionValues = { -readonly [K in (typeof FIELDS)[number]]?: unknown };

const FIELDS = [
  'bid',
  'ask',
  'last',
  'volume',
  'openInterest',
  'iv',
  'delta',
  'gamma',
  'vega',
  'theta',
  'underlyingPrice',
] as const;

/** Types of ticks, and of their delayed twins (https://interactivebrokers.github.io/tws-api/tick_types.html). */
const PRICES: ReadonlyMap<unknown, keyof OptionValues> = new Map([
  [1, 'bid'],
  [2, 'ask'],
  [4, 'last'],
  [66, 'bid'],
  [67, 'ask'],
  [68, 'last'],
]);
const SIZES: ReadonlyMap<unknown, keyof OptionValues> = new Map([
  [8, 'volume'],
  [74, 'volume'],
  [27, 'openInterest'],
  [28, 'openInterest'],
]);
/** Of the model; the others are computed from bid, ask and last alone. */
const MODEL: ReadonlySet<unknown> = new Set([13, 83]);

/** Gathers the ticks of one option into snapshots. */
export class OptionState {
  #values: OptionValues = {};
  #hasModel = false;
  #changedAt = Number.NaN;
  #emittedAt = Number.NEGATIVE_INFINITY;
  #isDirty = false;

  price(type: unknown, price: unknown, now: number): void {
    this.#set(PRICES.get(type), price, now);
  }

  size(type: unknown, size: unknown, now: number): void {
    const field = SIZES.get(type);
    // Open interest comes for calls and for puts; the contract is one of them, and the other is 0.
    if (field === 'openInterest' && size === 0 && this.#values.openInterest !== undefined) return;
    this.#set(field, size, now);
  }

  computation([type, , iv, delta, , , gamma, vega, theta, underlyingPrice]: readonly unknown[], now: number): void {
    const isModel = MODEL.has(type);
    if (this.#hasModel && !isModel) return;
    this.#hasModel ||= isModel;
    Object.assign(this.#values, { iv, delta, gamma, vega, theta, underlyingPrice });
    this.#changed(now);
  }

  /** When a snapshot is due; `Infinity` if nothing has changed. */
  dueAt(intervalMs: number): number {
    return this.#isDirty ? this.#emittedAt + intervalMs : Number.POSITIVE_INFINITY;
  }

  /** The snapshot, and when it last changed. */
  take(now: number): { readonly values: OptionValues; readonly ts: number } {
    this.#isDirty = false;
    this.#emittedAt = now;
    return { values: { ...this.#values }, ts: this.#changedAt };
  }

  get isDirty(): boolean {
    return this.#isDirty;
  }

  #set(field: keyof OptionValues | undefined, value: unknown, now: number): void {
    if (field === undefined || this.#values[field] === value) return;
    this.#values[field] = value;
    this.#changed(now);
  }

  #changed(now: number): void {
    this.#changedAt = now;
    this.#isDirty = true;
  }
}
