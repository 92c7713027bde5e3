/** The unit of a time that is written as a number. */
export type EpochUnit = 's' | 'ms' | 'us' | 'ns';

export const EPOCH_UNITS: readonly EpochUnit[] = ['s', 'ms', 'us', 'ns'];

/** Milliseconds since 1970, rounded to microseconds. */
export function epochMs(count: number, unit: EpochUnit): number {
  if (unit === 'ms') return Number.isInteger(count) ? count : Math.round(count * 1e3) / 1e3;
  if (unit === 'us') return Math.round(count) / 1e3;
  if (unit === 's') return Math.round(count * 1e6) / 1e3;
  // The remainder of a double is exact, and a quotient of so many digits is not.
  const low = count % 1e9;
  return epochMsOfNanos((count - low) / 1e9, low);
}

/** As {@link epochMs} of nanoseconds, whose digits are more than a number can hold: those beyond the second are apart. */
export function epochMsOfNanos(seconds: number, nanos: number): number {
  return (seconds * 1e6 + Math.round(nanos / 1e3)) / 1e3;
}

/** Before this, hardly anybody recorded a market by computer: a count that leads there probably counts something else. */
const PLAUSIBLE_FROM_MS = Date.UTC(1973, 0, 1);

/** The unit in which a count would lie from 1973 to `untilMs`; `undefined` if there is none. */
export function plausibleUnit(count: number, untilMs: number): EpochUnit | undefined {
  return EPOCH_UNITS.find((unit) => isPlausible(epochMs(count, unit), untilMs));
}

export function isPlausible(ms: number, untilMs: number): boolean {
  return ms >= PLAUSIBLE_FROM_MS && ms < untilMs;
}
