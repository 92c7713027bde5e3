import * as t from 'io-ts';
import { from as fromIx } from 'ix/asynciterable';
import { map } from 'ix/asynciterable/operators';
import type { Observable } from 'rxjs';
import type { Bar } from '../../src/market/bar.js';
import type { Gap } from '../../src/market/gap.js';
import type { NewsItem } from '../../src/market/newsItem.js';
import type { Quote } from '../../src/market/quote.js';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import type { Trade } from '../../src/market/trade.js';
import type { Pool } from '../../src/postgres/pool.js';
import {
  bars,
  fromAsyncIterable,
  fromIterable,
  fromReadable,
  gaps,
  quotes,
  replayFile,
  synthetic,
  syntheticEvents,
  trades,
} from '../../src/sources/index.js';
import { expectType } from './equal.js';

expectType<Observable<number>>()(fromIterable([1, 2]));
expectType<Observable<[string, number]>>()(fromIterable(new Map<string, number>()));
expectType<Observable<string>>()(fromAsyncIterable(fromIx([1]).pipe(map(String))));
expectType<Observable<Buffer>>()(fromReadable(process.stdin));
expectType<Observable<{ id: number }>>()(fromReadable<{ id: number }>(process.stdin));
expectType<Observable<Bar>>()(synthetic({ symbols: ['SPY'] }));
expectType<Iterable<MarketEvent>>()(syntheticEvents());
expectType<Iterable<MarketEvent>>()(syntheticEvents({ count: 5 }));
expectType<Iterable<Bar | NewsItem>>()(syntheticEvents({ kinds: ['bar', 'news'] }));
expectType<Iterable<Trade | Gap>>()(syntheticEvents({ kinds: ['trade', 'gap'] }));

declare const pool: Pool;
expectType<Observable<Bar>>()(bars(pool, { symbol: 'TpC', timeframe: '1m' }));
expectType<Observable<Trade>>()(trades(pool, { symbols: ['BRK B'] }));
expectType<Observable<Quote>>()(quotes(pool, { symbol: 'BTC-USD', from: 0 }));
expectType<Observable<Gap>>()(gaps(pool, { states: ['open'] }));
// @ts-expect-error: not a state of a gap
gaps(pool, { states: ['closed'] });
// @ts-expect-error: trades have no timeframe
trades(pool, { symbol: 'A', timeframe: '1m' });

expectType<Observable<Bar>>()(replayFile('bars.csv'));
expectType<Observable<Bar>>()(replayFile('bars.csv', { columns: { ts: 'date' }, speed: 60 }));
expectType<Observable<{ price: number; line: number }>>()(
  replayFile('prices.csv', { toItem: (record, { line }) => ({ price: Number(record.price), line }) }),
);
expectType<Observable<{ price: number }>>()(replayFile('prices.ndjson', { codec: t.type({ price: t.number }) }));
expectType<Observable<number>>()(
  replayFile('ticks.csv', { toItem: (record) => Number(record.at), timeOf: (at) => at, speed: 1 }),
);

// @ts-expect-error: not a field of a bar
replayFile('bars.csv', { columns: { date: 'ts' } });
// @ts-expect-error: the time differs from row to row, and is no default
replayFile('bars.csv', { defaults: { ts: 0 } });
// @ts-expect-error: columns are for bars only
replayFile('bars.csv', { toItem: String, columns: { ts: 'date' } });
// @ts-expect-error: one of the two
replayFile('bars.csv', { toItem: () => 1, codec: t.number });
// @ts-expect-error: a misspelt option
synthetic({ symbol: 5 });
// @ts-expect-error: not a kind of record
syntheticEvents({ kinds: ['dividend'] });
// @ts-expect-error: an iterable that is not asynchronous
fromAsyncIterable([1]);
