import { InvalidArgumentError } from 'commander';
import { parseInstant } from '../market/parseInstant.js';
import { type Days, parseDays } from '../postgres/timescale/days.js';
import { MAX_TIMER_MS } from '../primitives/timer.js';
import { unexpandedPathProblem } from '../primitives/unexpandedPath.js';

/** Parses an integer of at least `min`. */
export function integer(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || !Number.isSafeInteger(value)) {
      throw new InvalidArgumentError(`It must be an integer of at least ${min}.`);
    }
    return value;
  };
}

/** Parses a number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (!/^(\d+(\.\d*)?|\.\d+)$/.test(text) || !(value > 0) || value === Number.POSITIVE_INFINITY) {
    throw new InvalidArgumentError('It must be a number above 0.');
  }
  return value;
}

/** Parses a list of names with commas between them. */
export function names(text: string): readonly string[] {
  const all = text.split(',').map((name) => name.trim());
  if (all.includes('')) throw new InvalidArgumentError('It must be names with commas between them.');
  return all;
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Parses a span such as `90s` into milliseconds. */
export function span(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Number(number) * (UNITS_MS[unit] ?? Number.NaN);
  if (!(ms > 0 && ms <= MAX_TIMER_MS)) {
    throw new InvalidArgumentError('It must be a span of time such as 5s, 2m or 1h.');
  }
  return ms;
}

/** Parses the path of a file or folder. */
export function path(text: string): string {
  const problem = unexpandedPathProblem(text);
  if (problem !== undefined) throw new InvalidArgumentError(`It ${problem}.`);
  return text;
}

/** Parses a time into Unix epoch milliseconds. */
export function instant(text: string): number {
  // A bare number could count seconds or milliseconds.
  const ms = /^\d{8}$|^\d{4}-/.test(text) ? parseInstant(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new InvalidArgumentError(
      'It must be a time such as 2026-01-31 or 2026-01-31T09:30:00Z, in UTC unless it states an offset.',
    );
  }
  return ms;
}

/** Parses the days of a zone: its name, and after an @ the time at which they begin. */
export function days(text: string): Days {
  const parsed = parseDays(text);
  if (!parsed) {
    throw new InvalidArgumentError(
      'It must be the IANA name of a time zone, such as America/New_York, and may have a time of day: America/New_York@17:00.',
    );
  }
  return parsed;
}
