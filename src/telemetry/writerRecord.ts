import type { FailedWrite, SettledWrite, WatchedBreaker } from '../flow/stage.js';
import type { BoundedLabels } from './boundedLabels.js';
import { FRESHNESS_BOUNDS, LATENCY_BOUNDS } from './catalogue.js';
import { Distribution } from './distribution.js';

/** When the event of an item happened, in Unix epoch milliseconds; `undefined` if the item does not say. */
export type EventTimeOf = (item: unknown) => number | undefined;

/** The `ts` of an item, or its `publishedAt`, or that of the value that it carries. */
export function eventTimeOf(item: unknown): number | undefined {
  return ownTimeOf(item) ?? ownTimeOf((item as { value?: unknown } | null | undefined)?.value);
}

function ownTimeOf(item: unknown): number | undefined {
  const { ts, publishedAt } = (item ?? {}) as { ts?: unknown; publishedAt?: unknown };
  if (typeof ts === 'number') return ts;
  return typeof publishedAt === 'number' ? publishedAt : undefined;
}

/** What is known of the batches of one writer. */
export class WriterRecord {
  batches = 0;
  failures = 0;
  retries = 0;
  readonly failuresBy = new Map<string, number>();
  readonly latency = new Distribution(LATENCY_BOUNDS);
  readonly freshness = new Distribution(FRESHNESS_BOUNDS);
  breaker: WatchedBreaker | undefined;

  written({ items, durationMs }: SettledWrite, now: number, timeOf: EventTimeOf): void {
    this.batches += 1;
    this.latency.observe(Math.max(0, durationMs) / 1_000);
    this.#observeAge(items[0], now, timeOf);
    if (items.length > 1) this.#observeAge(items[items.length - 1], now, timeOf);
  }

  failed({ type }: FailedWrite, types: BoundedLabels): void {
    const label = types.of(type);
    this.failures += 1;
    this.failuresBy.set(label, (this.failuresBy.get(label) ?? 0) + 1);
  }

  #observeAge(item: unknown, now: number, timeOf: EventTimeOf): void {
    const at = timeOf(item);
    // An event in the future comes from a clock that is ahead, or is a bar that has just begun.
    if (at !== undefined && Number.isFinite(at)) this.freshness.observe(Math.max(0, now - at) / 1_000);
  }
}
