import type { GapSpan } from '../../contracts/gapLedger.js';
import { type Gap, MIN_CLOSED_SEQ } from '../../market/gap.js';
import { timeframeMs } from '../../primitives/timeframe.js';

/** From whole millisecond to whole millisecond, the last one not included, as history is asked. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

type Series = Omit<GapSpan, 'from' | 'to'>;

/** The timeframe of bars that do not say theirs. */
export const DEFAULT_TIMEFRAME = '1m';

const HOUR_MS = 3_600_000;

/** How much of a series is asked at a time, unless the user says: a day of bars, an hour of ticks, a month of what is rare. */
export function chunkMsOf(of: string): number {
  if (of === 'bar') return 24 * HOUR_MS;
  return of === 'news' || of === 'fundamental' ? 30 * 24 * HOUR_MS : HOUR_MS;
}

/** How long a bar of the series lasts; 0 for other kinds, and for timeframes without a fixed length. */
export function barMsOf({ of, timeframe = DEFAULT_TIMEFRAME }: Series): number {
  if (of !== 'bar') return 0;
  try {
    return timeframeMs(timeframe);
  } catch {
    return 0;
  }
}

/**
 * What is asked for a gap: both of its ends, and of bars also the one that was forming when it began, because that one's last state is
 * missing. A span that a person requested begins where they say.
 */
export function askedSpan(gap: GapSpan & Partial<Pick<Gap, 'cause'>>): Span {
  const formingMs = gap.cause === 'requested' ? 0 : Math.max(0, barMsOf(gap) - 1);
  return { from: Math.floor(gap.from) - formingMs, to: Math.floor(gap.to) + 1 };
}

/** The records of a span, as a store counts them: its resolution is a microsecond. */
export function countedSpan({ vendor, symbol, of, timeframe }: Series, { from, to }: Span): GapSpan {
  return { vendor, symbol, of, ...(timeframe !== undefined && { timeframe }), from, to: to - 0.001 };
}

/** A span as the ends of a gap, both included. */
export function endsOf({ from, to }: Span): Pick<Gap, 'from' | 'to'> {
  return { from, to: to - 1 };
}

/** Up to where a series can be asked: what is older than the lag of its history, and of bars only those that are over. */
export function settledUntil(series: Series, now: number, lagMs: number): number {
  return Math.floor(now - lagMs - barMsOf(series)) + 1;
}

/**
 * What a closed gap has proven of its series, whoever closed it: only whole milliseconds, and of bars only those that were over when it was
 * closed.
 */
export function provenBy(gap: Gap): Span {
  const end = Math.floor(gap.to) + 1;
  const closedAt = (gap.seq - MIN_CLOSED_SEQ) / 1_000;
  return { from: Math.ceil(gap.from), to: barMsOf(gap) > 0 ? Math.min(end, settledUntil(gap, closedAt, 0)) : end };
}

/** What is left of a span, in order. */
export function without(span: Span, proven: readonly Span[]): readonly Span[] {
  const left: Span[] = [];
  let { from } = span;
  for (const { from: start, to: end } of [...proven].sort((a, b) => a.from - b.from)) {
    if (start >= span.to) break;
    if (end <= start) continue;
    if (start > from) left.push({ from, to: start });
    if (end > from) from = end;
  }
  if (from < span.to) left.push({ from, to: span.to });
  return left;
}

/** Cuts a span into pieces of at most `chunkMs`, oldest first. */
export function* chunksOf(spans: readonly Span[], chunkMs: number): Generator<Span> {
  for (const { from, to } of spans) {
    for (let at = from; at < to; at += chunkMs) yield { from: at, to: Math.min(to, at + chunkMs) };
  }
}

/** Both halves of a span; `undefined` for one of a millisecond. */
export function halvesOf({ from, to }: Span): readonly [Span, Span] | undefined {
  const middle = Math.floor((from + to) / 2);
  return middle > from
    ? [
        { from, to: middle },
        { from: middle, to },
      ]
    : undefined;
}

/** Puts spans in order, and makes one of those that touch, in place. */
export function compact(spans: Span[]): void {
  spans.sort((a, b) => a.from - b.from);
  let last = 0;
  for (let i = 1; i < spans.length; i++) {
    const span = spans[i]!;
    const before = spans[last]!;
    if (span.from <= before.to) spans[last] = { from: before.from, to: Math.max(before.to, span.to) };
    else spans[++last] = span;
  }
  spans.length = Math.min(spans.length, last + 1);
}
