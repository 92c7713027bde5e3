import type { Gap } from '../../market/gap.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { RECORD_KINDS } from '../../market/recordKinds.js';
import { InsertionOrderMap } from '../../primitives/insertionOrderMap.js';
import { type Answer, keyOf, versionOf } from './answer.js';
import { askedSpan, DEFAULT_TIMEFRAME, type Span } from './spans.js';

/** How many live records of a span under repair are remembered. */
const MAX_KEYS = 10_000;

/**
 * The versions of one span that have passed live while it is under repair, so that no older one follows. Of more than 10,000 records the
 * oldest are forgotten: the store does not take their older versions anyway.
 */
export class LiveVersions {
  readonly #gap: Gap;
  readonly #from: number;
  readonly #to: number;
  readonly #passed = new InsertionOrderMap<string, Passed>();

  constructor(gap: Gap) {
    this.#gap = gap;
    ({ from: this.#from, to: this.#to } = askedSpan(gap));
  }

  /** Remembers a live record, if it lies in the span. */
  passed(record: MarketEvent): void {
    const { of, vendor, symbol, timeframe = DEFAULT_TIMEFRAME } = this.#gap;
    const own = record as { readonly vendor: string; readonly symbol?: string };
    if (record.kind !== of || own.vendor !== vendor) return;
    if (symbol !== '*' && own.symbol !== undefined && own.symbol !== symbol) return;
    if (record.kind === 'bar' && record.timeframe !== timeframe) return;
    const at = (RECORD_KINDS[record.kind].eventTime as (record: MarketEvent) => number)(record);
    if (at < this.#from || at >= this.#to) return;
    const passed = this.#passed;
    const key = keyOf(record);
    if (!passed.has(key) && passed.size >= MAX_KEYS) passed.delete(passed.oldest()![0]);
    passed.put(key, { version: versionOf(record), at });
  }

  /** Whether the same version of a record, or a newer one, has passed. */
  has(record: MarketEvent): boolean {
    if (this.#passed.size === 0) return false;
    const live = this.#passed.get(keyOf(record));
    return live !== undefined && (live.version >= versionOf(record) || live.version === Number.NEGATIVE_INFINITY);
  }

  /** How many records of a chunk have passed that an answer lacks: the store may not have them yet. */
  lacking(answer: Answer, { from, to }: Span): number {
    let lacking = 0;
    for (const [key, { at }] of this.#passed.entries()) if (at >= from && at < to && !answer.has(key)) lacking += 1;
    return lacking;
  }
}

interface Passed {
  readonly version: number;
  readonly at: number;
}
