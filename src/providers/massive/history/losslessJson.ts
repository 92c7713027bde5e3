/**
 * Times of REST are in nanoseconds and have 19 digits, of which a number keeps 16. In a text within the JSON the quotes would be
 * escaped, so nothing else looks like a member of that name.
 */
const NANOSECONDS =
  /("(?:sip_timestamp|participant_timestamp|trf_timestamp|last_updated)":\s*)(\d{16,20})(?=\s*[,}\]])/g;

/** Parses an answer, with times in nanoseconds as texts of all their digits. */
export function parseLossless(text: string): unknown {
  return JSON.parse(text.replace(NANOSECONDS, '$1"$2"'));
}

const NANOS_PER_MS_DIGITS = 6;

/**
 * A time in nanoseconds, as {@link parseLossless} leaves it, in whole milliseconds: what the stream has of the same record. `NaN` if it
 * is none.
 */
export function nanosToMs(nanos: unknown): number {
  if (typeof nanos !== 'string' || !/^\d{16,20}$/.test(nanos)) return Number.NaN;
  return Number(nanos.slice(0, -NANOS_PER_MS_DIGITS));
}

/** A time in milliseconds, whose fraction carries microseconds, as nanoseconds. */
export function msToNanos(ms: number): string {
  return String(BigInt(Math.round(ms * 1_000)) * 1_000n);
}
