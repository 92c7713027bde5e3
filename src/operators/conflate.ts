import type { MonoTypeOperatorFunction } from 'rxjs';
import { Exit } from '../flow/exit.js';
import { admit, GatedQueue } from '../flow/gatedQueue.js';
import { operate } from '../flow/operate.js';
import { requireFunction, requireInteger, requireKnownOptions } from '../primitives/validate.js';

export interface ConflateConfig<T> {
  /** The key of an item: of those with one key, one is kept. */
  readonly by: (item: T) => string | number;
  /** Makes one item of the one held and the one that arrives. Default: the newest. */
  readonly merge?: (older: T, newer: T) => T;
  /** The most keys held. Integer of at least 1, default 100,000. */
  readonly maxKeys?: number;
  /** The name in topology, metrics and errors. Default `conflate`. */
  readonly name?: string;
}

/**
 * While downstream is closed, keeps one item a key: the newest, or what `merge` makes of the old and the new. While it is
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
 * **Delivery**: lossy by design: an item that another replaces or absorbs counts as dropped, `conflated`. What comes out
 * of one key is in order.
 *
 * **Gotchas**: for quotes and other states, of which the latest tells all; never for trades or other events. Bars:
 * without `merge` when a newer one restates the older (revisions), with `mergeBars` when each is a piece of it. Put it
 * directly before what is slow: a buffer between would fill first.
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
  requireKnownOptions(owner, config, ['by', 'merge', 'maxKeys', 'name']);
  const by = requireFunction(owner, 'by', config.by);
  const merge = config.merge && requireFunction(owner, 'merge', config.merge);
  const maxKeys = requireInteger(owner, 'maxKeys', config.maxKeys ?? 100_000);

  return operate({ kind: owner, name: config.name }, (operation) => {
    const { destination, downstream, stage } = operation;
    const gate = downstream.gate;
    const exit = new Exit(operation, () => {
      emitHeld();
      line.drain();
      endIfEmpty();
    });
    /** In the order in which the keys were first seen. */
    const latest = new Map<string | number, T>();
    let emitting = false;
    let finish: (() => void) | undefined;

    const line = new GatedQueue<T>({
      offer(item) {
        if (gate.isOpen && latest.size === 0 && !emitting) {
          stage.out += 1;
          destination.next(item);
          return true;
        }
        const key = by(item);
        if (latest.has(key)) {
          latest.set(key, merge ? merge(latest.get(key) as T, item) : item);
          stage.drop('conflated');
        } else if (latest.size < maxKeys) {
          latest.set(key, item);
          if (latest.size === maxKeys) line.regulate();
        } else {
          return false;
        }
        if (!emitting) exit.wait();
        return true;
      },
      isReady: () => latest.size < maxKeys,
      fail: (error) => destination.error(error),
    });

    const emitHeld = () => {
      if (emitting) return;
      emitting = true;
      for (const [key, item] of latest) {
        if (!gate.isOpen || destination.closed) break;
        latest.delete(key);
        stage.out += 1;
        destination.next(item);
      }
      emitting = false;
      if (latest.size > 0) exit.wait();
    };

    const endIfEmpty = () => {
      if (latest.size === 0) finish?.();
    };

    const endWith = (end: () => void) =>
      line.end(() => {
        finish = end;
        endIfEmpty();
      });

    return {
      gate: line.gate,
      held: () => line.length + latest.size,
      next(item) {
        stage.in += 1;
        admit(line, item, operation, endWith);
      },
      error: (error) => endWith(() => destination.error(error)),
      complete: () => endWith(() => destination.complete()),
    };
  });
}
