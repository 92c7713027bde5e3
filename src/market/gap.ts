import * as field from './fields.js';
import type { CrossFieldIssue, RecordDescription } from './recordShape.js';

/** Why records are missing. */
export type GapCause = (typeof GAP_CAUSES)[number];

/**
 * What became of a gap: `open` until its span was asked again; then `filled` with `rows` records, or `empty` because the provider
 * has none; `abandoned` when a person says so.
 */
export type GapState = (typeof GAP_STATES)[number];

export const GAP_CAUSES = ['reconnect', 'sequence', 'stale', 'overflow', 'restart', 'requested'] as const;
export const GAP_STATES = ['open', 'filled', 'empty', 'abandoned'] as const;

/** A span of time of which records are missing, or may be. */
export interface Gap {
  readonly kind: 'gap';
  /** The vendor whose records are missing. */
  readonly vendor: string;
  /** As the vendor spells it; `*` for all symbols of a wildcard subscription. */
  readonly symbol: string;
  /** The kind of the records that are missing, such as `trade`. */
  readonly of: string;
  /** The timeframe of the bars that are missing, such as `1m`; left out for records that have none. */
  readonly timeframe?: string | undefined;
  /** The first instant that may be missing, in Unix epoch milliseconds, UTC; the fraction carries microseconds. */
  readonly from: number;
  /** The last instant that may be missing, itself included; not before `from`. */
  readonly to: number;
  /**
   * `reconnect`: the connection was lost; `sequence`: the vendor's numbers skip; `stale`: the source fell silent; `overflow`: a
   * buffer was full; `restart`: the process was down; `requested`: nobody collected it, and a person asks for it.
   */
  readonly cause: GapCause;
  /** What became of it. */
  readonly state: GapState;
  /**
   * How many records the span had when it was asked again. Of an open gap: at least so many are missing. `null` or left out while
   * that is not known.
   */
  readonly rows?: number | null | undefined;
  /** The vendor's word, or why the gap is still open; `null` or left out without one. */
  readonly reason?: string | null | undefined;
  /** The version: of two gaps with one key, the higher wins, so that a later state replaces an earlier one. A safe integer. */
  readonly seq: number;
}

/**
 * The versions of a closed gap are above this number, and those of an open one below: time in microseconds reaches it in the year
 * 2112. Hence an open state never replaces a closed one, whoever writes it and when, and a gap that several processes repair closes
 * once.
 */
export const MIN_CLOSED_SEQ = 2 ** 52;

/** The version of a state of a gap that is reached now, in epoch milliseconds. */
export function gapSeq(state: GapState, now: number): number {
  return Math.floor(now * 1_000) + (state === 'open' ? 0 : MIN_CLOSED_SEQ);
}

/**
 * What makes two gaps the same: vendor, symbol, kind and timeframe of what is missing, and both ends of the span. The cause and
 * the state are not part of it: one span of one series is missing once.
 */
export function gapKey({ vendor, symbol, of, timeframe, from, to }: Gap): string {
  return `${vendor}\u0000${symbol}\u0000${of}\u0000${timeframe ?? ''}\u0000${from}\u0000${to}`;
}

export const GAP: RecordDescription<Gap> = {
  name: 'Gap',
  fields: {
    kind: field.literal('gap'),
    vendor: field.label,
    symbol: field.symbol,
    of: field.label,
    timeframe: field.optional(field.label),
    from: field.instant,
    to: field.instant,
    cause: field.oneOf(GAP_CAUSES),
    state: field.oneOf(GAP_STATES),
    rows: field.nullable(field.count),
    reason: field.nullable(field.text),
    seq: field.seq,
  },
  crossFieldIssues,
  key: gapKey,
  // When the gap became known.
  eventTime: ({ to }) => to,
  inFiles: { needsSeq: true },
};

const NONE: readonly CrossFieldIssue<Gap>[] = [];

function crossFieldIssues({ from, to }: Gap): readonly CrossFieldIssue<Gap>[] {
  return to >= from ? NONE : [{ field: 'to', expected: `a time that is not before the from of ${from}` }];
}
