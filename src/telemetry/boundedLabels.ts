/** What a value becomes when there are too many different values. */
export const OTHER = 'other';

/** The longest value of a label, in characters. */
const MAX_LENGTH = 64;

/**
 * Bounds a label whose values come from elsewhere, such as error types and reasons. The first `max` values are kept, and later ones
 * become `other` for good, so that time series neither move nor multiply.
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
