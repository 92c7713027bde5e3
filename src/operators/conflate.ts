import type { MonoTypeOperatorFunction } from 'rxjs';
import { operateQueued } from '../flow/operateQueued.js';
import { func, integer, type OptionsOf, readOptions, text } from '../primitives/options.js';

export interface ConflateConfig<T> {
  /** The key of an item: of several with the same key, one is kept. */
  readonly by: (item: T) => string | number;
  /** Makes one item of the one held and the one that arrives. Default: the newer. */
  readonly merge?: (older: T, newer: T) => T;
  /** The most keys held. Integer of at least 1, default 100,000. */
  readonly maxKeys?: number;
  /** The name in topology, metrics and errors. Default `conflate`. */
  readonly name?: string;
}

const OPTIONS = {
  by: func().required(),
  merge: func(),
  maxKeys: integer({ min: 1 }).default(100_000),
  name: text(),
} satisfies OptionsOf<ConflateConfig<unknown>>;

/**
 * While downstream is closed, keeps one item per key: the newest, or what `merge` makes of the old and the new. While it is
 * open, items pass straight through.
 *
 * ```text
 * downstream  o-c-------o---
 * source      -a-b-a-A-b----     (a and A have one key)
 *             conflate({ by: (item) => item.toLowerCase() })
 * output      -a--------(bA)
 * dropped     -------a-b----     (the older ones)
 * ```
 *
 * **Emits when**: an item arrives and the gate downstream is open; what is held, when it opens, keys in the order in
 * which they were first seen since they last left.
 * **Backpressure**: takes everything while downstream is closed; its gate closes only while `maxKeys` keys are held.
 * **Completes when**: the source has completed and what is held is emitted.
 * **Errors when**: the source fails, after what is held is emitted; when `by` or `merge` throws; and with
 * `BufferOverflowError` when a source that ignores the gate has 1,024 items wait behind `maxKeys` keys.
 * **On unsubscribe**: what is held is abandoned, which the account shows as held.
 *
 * **Delivery**: lossy by design. The older of two items counts as dropped, `conflated`: it was replaced by the newer one, or
 * absorbed where there is a `merge`, whose result takes the place of the newer one in the account. Of two batches, the items
 * that the result lacks are dropped. What comes out of one key is in order. What is held is lost with the process unless the source can redeliver.
 *
 * **Gotchas**:
 * - For quotes and other states, of which the latest is enough; never for trades or other events.
 * - Bars: without `merge` when a newer one restates the older (revisions), with `mergeBars` when each is a piece of it.
 * - Put it directly before what is slow: a buffer in between would fill first.
 *
 * @example
 * ```ts
 * import { boundedMergeMap, conflate } from 'sluice/operators';
 * import { fromIterable } from 'sluice/sources';
 *
 * const quotes = [{ symbol: 'SPY', bid: 470.1 }, { symbol: 'SPY', bid: 470.2 }, { symbol: 'QQQ', bid: 402.8 }];
 * const publish = async (quote: { symbol: string; bid: number }) => `${quote.symbol} ${quote.bid}`;
 * fromIterable(quotes)
 *   .pipe(conflate({ by: (quote) => quote.symbol }), boundedMergeMap(publish, { concurrency: 1 }))
 *   .subscribe(console.log);
 * ```
 */
export function conflate<T>(config: ConflateConfig<T>): MonoTypeOperatorFunction<T> {
  const owner = 'conflate';
  const { by, merge, maxKeys, name } = readOptions(owner, config, OPTIONS);

  return operateQueued<T, T>({ kind: owner, name }, (operation) => {
    const { destination, downstream, emit, settleSome, weigh, itemsIn, regulate, waitUntilOpen } = operation;
    const { gate } = downstream;
    /** In the order in which the keys were first seen. */
    const latest = new Map<string | number, T>();
    let emitting = false;

    /** How many items more than it took a `merge` of batches has made: whatever takes them counts them as received. */
    const surplus = new Map<string | number, number>();
    const weightOf = (key: string | number, item: T) => weigh(item) - (surplus.get(key) ?? 0);

    const replace = (key: string | number, newer: T) => {
      const older = latest.get(key) as T;
      const kept = merge ? merge(older, newer) : newer;
      const before = weightOf(key, older) + weigh(newer);
      const lost = before - weigh(kept);
      latest.set(key, kept);
      if (lost < 0) surplus.set(key, -lost);
      else surplus.delete(key);
      if (lost > 0) settleSome('dropped', lost, 'conflated', () => missing(kept, older, newer).slice(0, lost));
    };

    const missing = (kept: T, older: T, newer: T) => {
      const rest = new Set(itemsIn(kept));
      return [...itemsIn(older), ...itemsIn(newer)].filter((item) => !rest.has(item));
    };

    return {
      offer(item) {
        if (gate.isOpen && latest.size === 0 && !emitting) {
          emit(item);
          return true;
        }
        const key = by(item);
        if (latest.has(key)) {
          replace(key, item);
        } else if (latest.size < maxKeys) {
          latest.set(key, item);
          if (latest.size === maxKeys) regulate();
        } else {
          return false;
        }
        if (!emitting) waitUntilOpen();
        return true;
      },
      isReady: () => latest.size < maxKeys,
      held() {
        let held = 0;
        for (const [key, item] of latest) held += weightOf(key, item);
        return held;
      },
      isIdle: () => latest.size === 0,
      onOpen() {
        if (emitting) return;
        emitting = true;
        for (const [key, item] of latest) {
          if (!gate.isOpen || destination.closed) break;
          latest.delete(key);
          emit(item, weightOf(key, item));
          surplus.delete(key);
        }
        emitting = false;
        if (latest.size > 0) waitUntilOpen();
      },
    };
  });
}
