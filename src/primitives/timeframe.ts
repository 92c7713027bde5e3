const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/**
 * The length of a timeframe in milliseconds: a number of seconds, minutes, hours, days or weeks, as in `30s`, `5m`, `1h`,
 * `1d`, `1w`. Months and years have no fixed length: they throw a `RangeError`.
 */
export function timeframeMs(timeframe: string): number {
  const match = /^([1-9]\d{0,5})([smhdw])$/.exec(timeframe);
  if (!match) {
    throw new RangeError(
      `timeframe must be a number with one of s, m, h, d, w, such as 1m or 1d, got ${JSON.stringify(timeframe)}`,
    );
  }
  return Number(match[1]) * UNIT_MS[match[2]!]!;
}
