import { InstantReader } from './instantReader.js';
import type { EpochUnit } from './instants/epochCount.js';

export { EPOCH_UNITS, type EpochUnit } from './instants/epochCount.js';

const readers = new Map<EpochUnit, InstantReader>();

/**
 * The Unix epoch milliseconds of a time that somebody wrote, in UTC unless it says otherwise; `NaN` if it is not a time. The
 * fraction carries microseconds. {@link InstantReader} says what is read; here any year from 100 to 9999 is, and digits may be
 * a date unless the unit is other than milliseconds.
 */
export function parseInstant(time: string | number, unit: EpochUnit = 'ms'): number {
  let reader = readers.get(unit);
  if (!reader) {
    reader = new InstantReader({ unit: unit === 'ms' ? undefined : unit, minYear: 100, maxYear: 9999 });
    readers.set(unit, reader);
  }
  return reader.read(time);
}
