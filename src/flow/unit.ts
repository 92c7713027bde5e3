/** What a value is to the stages under a context: a writer takes each as a batch of items, all else takes each as an item. */
export type Unit = 'item' | 'batch';

/** How many items a value stands for. */
export type Weigh = (value: unknown) => number;

/** The arrays of each `batch()` with no writer below: stages there count an array as its items only if it is one of these. */
const batches = new WeakSet<readonly unknown[]>();

export function markBatch(array: readonly unknown[]): void {
  batches.add(array);
}

/**
 * Below a `batch()` and above no writer. It agrees with counting one for each value as long as none of them is marked, so a
 * stage may go over to it at any time.
 */
export const byMark: Weigh = (value) => (Array.isArray(value) && batches.has(value) ? value.length : 1);

// An operator of RxJS between two stages, such as bufferCount(), may make the batches: above it there are single items.
const byLength: Weigh = (value) => (Array.isArray(value) ? value.length : 1);

/** `undefined` where each value is one item, so that counting it costs an addition. */
export function weigher(unit: Unit): Weigh | undefined {
  return unit === 'batch' ? byLength : undefined;
}

/** What is above several branches: a writer in one of them says what the values are. */
export function commonUnit(units: readonly (Unit | undefined)[]): Unit {
  return units.includes('batch') ? 'batch' : 'item';
}

export function weightOf(value: unknown, weigh: Weigh | undefined): number {
  return weigh === undefined ? 1 : weigh(value);
}

export function weightOfAll(values: readonly unknown[], weigh: Weigh | undefined): number {
  if (weigh === undefined) return values.length;
  let sum = 0;
  for (const value of values) sum += weigh(value);
  return sum;
}

/** The items that a value stands for, as `weigh` counts them. */
export function itemsIn(value: unknown, weigh: Weigh | undefined): readonly unknown[] {
  const isBatch = Array.isArray(value) && (weigh === byLength || (weigh === byMark && batches.has(value)));
  return isBatch ? value : [value];
}
