import type { Gap } from '../../market/gap.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { RECORD_KINDS } from '../../market/recordKinds.js';
import { InsertionOrderMap } from '../../primitives/insertionOrderMap.js';
import { keyOf, versionOf } from './answer.js';
import { askedSpan, DEFAULT_TIMEFRAME } from './spans.js';

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
  readonly #versions = new InsertionOrderMap<string, number>();

  constructor(gap: Gap) {
    this.#gap = gap;
    ({ from: this.#from, to: this.#to } = askedSpan(gap));
  }

  /** Remembers a live record, if it lies in the span. */
  passed(record: MarketEvent): void {
    const { of, vendor, symbol, timeframe = DEFAULT_TIMEFRAME } = this.#gap;
    if (record.kind !== of || record.vendor !== vendor) return;
    if (symbol !== '*' && record.kind !== 'news' && (record as { symbol: string }).symbol !== symbol) return;
    if (record.kind === 'bar' && record.timeframe !== timeframe) return;
    const at = (RECORD_KINDS[record.kind].eventTime as (record: MarketEvent) => number)(record);
    if (at < this.#from || at >= this.#to) return;
    const versions = this.#versions;
    const key = keyOf(record);
    if (!versions.has(key) && versions.size >= MAX_KEYS) versions.delete(versions.oldest()![0]);
    versions.put(key, versionOf(record));
  }

  /** Whether the same version of a record, or a newer one, has passed. */
  has(record: MarketEvent): boolean {
    if (this.#versions.size === 0) return false;
    const version = this.#versions.get(keyOf(record));
    return version !== undefined && (version >= versionOf(record) || version === Number.NEGATIVE_INFINITY);
  }
}
