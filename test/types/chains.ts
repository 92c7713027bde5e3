/**
 * What the compiler infers for whole chains, and which mistakes it finds. There is nothing to run: `tsc` checks it.
 */
import { interval, type Observable, of } from 'rxjs';
import { filter, map, mergeMap, retry, scan, switchMap } from 'rxjs/operators';
import type { Diversion } from '../../src/contracts/diversion.js';
import type { Sink, WriteOutcome } from '../../src/contracts/sink.js';
import type { Gap } from '../../src/market/gap.js';
import { batch } from '../../src/operators/batch.js';
import { boundedBuffer } from '../../src/operators/boundedBuffer.js';
import { boundedMergeMap } from '../../src/operators/boundedMergeMap.js';
import { detectGaps } from '../../src/operators/detectGaps.js';
import { lanes } from '../../src/operators/lanes.js';
import { untilStopped } from '../../src/operators/untilStopped.js';
import { writeCoordinator } from '../../src/operators/writeCoordinator.js';
import { writeTo } from '../../src/operators/writeTo.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Fails to compile unless the type of `value` is exactly `Expected`. */
function typed<Expected>() {
  return <Actual>(value: Actual, ..._same: Equal<Actual, Expected> extends true ? [] : [never]): Actual => value;
}

interface Trade {
  readonly symbol: string;
  readonly price: number;
}
declare const trades$: Observable<Trade>;
declare const sink: Sink<Trade>;
declare const strings: Sink<string>;

// An item's type goes through operators of ours and stock ones, with no annotation.
typed<Observable<Trade>>()(trades$.pipe(untilStopped(), boundedBuffer()));
typed<Observable<readonly Trade[]>>()(trades$.pipe(boundedBuffer(), batch({ size: 10 })));
// The item's type goes into the callbacks of detectGaps(), and comes out beside the gap records.
typed<Observable<Trade | Gap>>()(
  trades$.pipe(detectGaps({ by: (trade) => trade.symbol, sequence: (trade) => trade.price })),
);
typed<Observable<readonly string[]>>()(
  trades$.pipe(
    filter((trade) => trade.price > 0),
    boundedBuffer({ capacity: 100, overflow: 'dropOldest', onDrop: (trade) => trade.symbol }),
    map((trade) => trade.symbol),
    batch({ size: 10, maxBytes: 1_000, sizeOf: (symbol) => symbol.length }),
  ),
);
typed<Observable<WriteOutcome<Trade>>>()(trades$.pipe(batch({ size: 10 }), writeTo(sink)));
typed<Observable<WriteOutcome<Trade>>>()(
  trades$.pipe(
    boundedBuffer(),
    lanes({ count: 4, by: (trade) => trade.symbol }, (lane$) => lane$.pipe(batch({ size: 10 }), writeTo(sink))),
  ),
);
typed<Observable<WriteOutcome<Trade>>>()(trades$.pipe(writeCoordinator(sink, { by: (trade) => trade.symbol })));
typed<Observable<number>>()(
  trades$.pipe(
    boundedMergeMap((trade, index) => of(trade.price * index), { concurrency: 4 }),
    scan((sum, price) => sum + price, 0),
  ),
);
typed<Observable<string>>()(trades$.pipe(boundedMergeMap(async (trade) => trade.symbol, { concurrency: 2 })));
typed<Observable<string | number>>()(
  trades$.pipe(
    lanes({ count: 2 }, (lane$, index) => lane$.pipe(map((trade) => (index === 0 ? trade.price : trade.symbol)))),
  ),
);
typed<Observable<readonly Trade[]>>()(
  interval(1_000).pipe(
    switchMap(() => trades$),
    retry(3),
    boundedBuffer(),
    batch({ size: 10, lingerMs: 5 }),
    mergeMap((trades) => of(trades)),
  ),
);

// A chain is checked from end to end: the wrong sink, or batches where items are wanted.
// @ts-expect-error a sink of strings does not take trades
trades$.pipe(batch({ size: 10 }), writeTo(strings));
// @ts-expect-error a sink of strings does not take trades
trades$.pipe(writeCoordinator(strings));
// @ts-expect-error it writes batches, not items
trades$.pipe(writeTo(sink));
// @ts-expect-error it batches for itself
trades$.pipe(batch({ size: 10 }), writeCoordinator(sink));

// Mistakes of configuration.
// @ts-expect-error size is required
batch({});
// @ts-expect-error no such option
batch({ size: 10, maxWaitMs: 5 });
// @ts-expect-error a duration is a number of milliseconds
batch({ size: 10, lingerMs: '5ms' });
// @ts-expect-error the size of an item is a number
trades$.pipe(batch({ size: 10, maxBytes: 100, sizeOf: (trade) => trade.symbol }));
// @ts-expect-error no such way to overflow
boundedBuffer({ overflow: 'dropNewest' });
// @ts-expect-error no such option
boundedBuffer({ size: 100 });
// @ts-expect-error concurrency is required
boundedMergeMap((trade: Trade) => of(trade));
// @ts-expect-error what an item becomes must be something to subscribe
boundedMergeMap((trade: Trade) => trade.price, { concurrency: 1 });
// @ts-expect-error count is required
trades$.pipe(lanes({ by: (trade) => trade.symbol }, (lane$) => lane$));
// @ts-expect-error a key is a string or a number
trades$.pipe(lanes({ count: 2, by: (trade: Trade) => new Date(trade.price) }, (lane$) => lane$));
// @ts-expect-error a lane has a chain
trades$.pipe(lanes({ count: 2 }));
// @ts-expect-error it takes no options
untilStopped({ drain: true });
// @ts-expect-error one writer of a lane has one write in flight: order would be lost
writeCoordinator(sink, { policies: { concurrency: 4 } });
// @ts-expect-error a letter holds what the sink writes
writeTo(sink, { deadLetters: { append: ({ items }: Diversion<string>) => of(items) } });
// @ts-expect-error there are three classes of failure
writeTo(sink, { classify: () => 'odd' });

// What dead letters are given has the type of the items.
writeTo(sink, {
  deadLetters: {
    append(diversion) {
      typed<Diversion<Trade>>()(diversion);
      return of(diversion.items.length);
    },
  },
});
