/** What a value is to the stages under a context: a writer takes each as a batch of items, all else takes each as an item. */
export type Unit = 'item' | 'batch';

/** How many items a value stands for. */
export type Weigh = (value: unknown) => number;

/** Where batches are expected, a value that is no array is one item: an operator of RxJS below makes the batches, such as bufferCount(). */
export const byLength: Weigh = (value) => (Array.isArray(value) ? value.length : 1);

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

export function weightOfAll(values: Iterable<unknown> & { readonly length: number }, weigh: Weigh | undefined): number {
  if (weigh === undefined) return values.length;
  let sum = 0;
  for (const value of values) sum += weigh(value);
  return sum;
}

/** The items that a value stands for. */
export function itemsIn(value: unknown, weigh: Weigh | undefined): readonly unknown[] {
  return weigh !== undefined && Array.isArray(value) ? value : [value];
}
