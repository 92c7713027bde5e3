/** What a value becomes when there are too many different ones. */
export const OTHER = 'other';

/** The longest value of a label. */
const MAX_LENGTH = 64;

/**
 * The values of a label that others choose: error types, reasons. The first so many are kept as they are, and what comes
 * after is `other`, always the same way, so that a time series neither moves nor multiplies.
 */
export class BoundedLabels {
  readonly #max: number;
  readonly #known = new Set<string>();

  constructor(max = 32) {
    this.#max = max;
  }

  of(value: string): string {
    const label = value === '' ? OTHER : value.slice(0, MAX_LENGTH);
    if (this.#known.has(label)) return label;
    if (this.#known.size >= this.#max) return OTHER;
    this.#known.add(label);
    return label;
  }
}
