import { InvalidArgumentError } from 'commander';
import { instant } from './parsers.js';

/** A time that may be relative to the clock, in Unix epoch milliseconds once the clock is read. */
export type Moment = (now: number) => number;

const UNITS_MS: Readonly<Record<string, number>> = {
  ...{ ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 },
};

/** Longer ago than any market has records. */
const MAX_PERIOD_MS = 200 * 366 * 86_400_000;

/** Parses a period such as `7d` into whole milliseconds. Unlike the span of a timer it may be years. */
export function period(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(text) ?? [];
  const ms = Math.round(Number(number) * (UNITS_MS[unit] ?? Number.NaN));
  if (!(ms > 0 && ms <= MAX_PERIOD_MS)) {
    throw new InvalidArgumentError('It must be a period such as 15m, 6h, 7d or 2w.');
  }
  return ms;
}

/** Parses `now`, a time before now such as `now-30d`, or a date or time. */
export function moment(text: string): Moment {
  try {
    if (text === 'now') return (now) => now;
    const [, ago] = /^now-(.+)$/.exec(text) ?? [];
    const past = ago === undefined ? undefined : period(ago);
    const at = past === undefined ? instant(text) : 0;
    return past === undefined ? () => at : (now) => now - past;
  } catch {
    throw new InvalidArgumentError(
      'It must be now, a time before now such as now-30d, or a time such as 2026-01-31 or 2026-01-31T09:30:00Z, in UTC unless it states an offset.',
    );
  }
}
