import type { Gap } from '../../../market/gap.js';

/** One series of a vendor. */
export interface Series {
  readonly vendor: string;
  readonly symbol: string;
  readonly of: string;
  readonly timeframe?: string;
}

/** From whole millisecond to whole millisecond; the last one is not included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What is to be asked of one series. */
export interface SeriesPlan {
  /** Requested before and still open, or new, in the order in which they begin. Together with what is skipped they cover the span. */
  readonly asked: readonly Gap[];
  /** How many spans are closed already. */
  readonly skipped: number;
}

export interface PlanConfig {
  /** How long a new span is at most, in milliseconds. */
  readonly chunkMs: number;
  /** The gaps of the series that are closed. Only those that were answered count: an abandoned one is asked again. */
  readonly closed: readonly Gap[];
  /** The gaps of the series that are open. */
  readonly open: readonly Gap[];
  /** The version of new gaps. */
  readonly seq: number;
}

/**
 * Cuts the span of a series at the multiples of the chunk, so that a job that is run again with `now` has the same cuts, and leaves out
 * what is closed. A requested gap that an earlier run left open is taken as it is, because both of its ends are part of its key.
 */
export function planSeries(series: Series, span: Span, { chunkMs, closed, open, seq }: PlanConfig): SeriesPlan {
  const proven = joined(closed.filter(({ state }) => state === 'filled' || state === 'empty').map(spanOf), span);
  const left = open
    .filter((gap) => gap.cause === 'requested' && spanOf(gap).to > span.from && spanOf(gap).from < span.to)
    .sort((a, b) => a.from - b.from);
  const covered = joined([...proven, ...left.map(spanOf)], span);
  const asked: Gap[] = [...left];
  for (const { from, to } of cut(gapsBetween(span, covered), chunkMs)) {
    asked.push({ kind: 'gap', ...series, from, to: to - 1, cause: 'requested', state: 'open', seq });
  }
  asked.sort((a, b) => a.from - b.from);
  let skipped = 0;
  for (const _ of cut(proven, chunkMs)) skipped += 1;
  return { asked, skipped };
}

/** How many spans there are of one series if nothing is known of it. */
export function chunksIn({ from, to }: Span, chunkMs: number): number {
  return Math.ceil(to / chunkMs) - Math.floor(from / chunkMs);
}

/** What of a gap is whole milliseconds. */
function spanOf({ from, to }: Gap): Span {
  return { from: Math.ceil(from), to: Math.floor(to) + 1 };
}

/** Spans in order, those that touch as one, and only what is within. */
function joined(spans: readonly Span[], within: Span): readonly Span[] {
  const found: { from: number; to: number }[] = [];
  for (const one of [...spans].sort((a, b) => a.from - b.from)) {
    const from = Math.max(one.from, within.from);
    const to = Math.min(one.to, within.to);
    if (from >= to) continue;
    const last = found.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else found.push({ from, to });
  }
  return found;
}

function gapsBetween({ from, to }: Span, covered: readonly Span[]): readonly Span[] {
  const found: Span[] = [];
  let at = from;
  for (const one of covered) {
    if (one.from > at) found.push({ from: at, to: one.from });
    at = one.to;
  }
  if (at < to) found.push({ from: at, to });
  return found;
}

function* cut(spans: readonly Span[], chunkMs: number): Generator<Span> {
  for (const span of spans) {
    let { from } = span;
    while (from < span.to) {
      const to = Math.min(span.to, (Math.floor(from / chunkMs) + 1) * chunkMs);
      yield { from, to };
      from = to;
    }
  }
}
