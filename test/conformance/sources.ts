import { Readable } from 'node:stream';
import { map, type Observable } from 'rxjs';
import { replayFile } from '../../src/files/replayFile.js';
import { gatedSource } from '../../src/flow/gatedSource.js';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import type { Pool } from '../../src/postgres/pool.js';
import { pagedSource } from '../../src/postgres/read/pagedSource.js';
import { trades } from '../../src/postgres/read/trades.js';
import { eventLoopScheduler } from '../../src/primitives/eventLoopScheduler.js';
import type { Provider } from '../../src/providers/provider.js';
import { providerRouter } from '../../src/providers/router/providerRouter.js';
import type { RouterStrategy } from '../../src/providers/router/routerConfig.js';
import { fromAsyncIterable } from '../../src/sources/fromAsyncIterable.js';
import { fromIterable } from '../../src/sources/fromIterable.js';
import { fromReadable } from '../../src/sources/fromReadable.js';
import { synthetic } from '../../src/sources/synthetic.js';
import { csv, row } from '../support/barFiles.js';
import type { Folder } from '../support/folder.js';
import { naturals } from '../support/sources.js';

/** How many items each source has: more than any stage in the tests takes. */
export const ENOUGH = 5_000;

function* counted(): Generator<number> {
  for (let n = 0; n < ENOUGH; n++) yield n;
}

async function* countedLater(): AsyncGenerator<number> {
  yield* counted();
}

/** A pool that answers at once. */
const readyPool = {
  connect: async () => ({ on() {}, removeListener() {}, release() {} }),
} as unknown as Pool;

/** A pool that has trades, one per microsecond, and answers the questions of {@link trades}. */
const poolOfTrades = {
  connect: async () => ({
    on() {},
    removeListener() {},
    release() {},
    async query(_text: string, [, , [from], [after], limit]: [unknown, unknown, number[], (string | null)[], number]) {
      const first = after === null ? 0 : from! + 1;
      const count = Math.min(limit, ENOUGH - first);
      const rows = Array.from({ length: count }, (_, i) => ({ series: 1, micros: String(first + i), tie: 'x' }));
      return { rows };
    },
  }),
} as unknown as Pool;

/** A provider whose stream is a source of trades. */
const providerOfTrades = (name: string): Provider => ({
  name,
  kinds: ['trade'],
  pacing: {},
  stream: () =>
    naturals(ENOUGH).pipe(
      map((n): MarketEvent => ({ kind: 'trade', vendor: name, symbol: 'A', id: `${n}`, ts: n, price: 1, size: 1 })),
    ),
});

const router = (strategy: RouterStrategy) =>
  providerRouter({
    providers: ['x', 'y'].map(providerOfTrades),
    strategy,
    kinds: ['trade'],
    symbols: ['A', 'B', 'C', 'D'],
  });

const settings = { name: 'source', scheduler: eventLoopScheduler, yieldAfterMs: 20 };

/** Every kind of source that there is, each of {@link ENOUGH} items. */
export const SOURCES: Readonly<Record<string, (folder: Folder) => Observable<unknown>>> = {
  'gatedSource with a pump': () => naturals(ENOUGH),
  'gatedSource that waits by itself': () =>
    gatedSource<number>({ name: 'source' }, (outlet) => {
      let n = 0;
      const go = () => {
        while (outlet.isOpen && n < ENOUGH) outlet.next(n++);
        if (n < ENOUGH) outlet.whenOpen(go);
        else outlet.complete();
      };
      go();
    }),
  fromIterable: () => fromIterable(counted()),
  fromAsyncIterable: () => fromAsyncIterable(countedLater()),
  fromReadable: () => fromReadable<number>(() => Readable.from(counted())),
  synthetic: () => synthetic({ count: ENOUGH }),
  'synthetic at a rate': () => synthetic({ count: ENOUGH, rate: 1e6 }),
  replayFile: (folder) =>
    replayFile(folder.write('bars.csv', csv(...Array.from({ length: ENOUGH }, (_, n) => row(n % 9))))),
  'providerRouter, failover': () => router('failover'),
  'providerRouter, merge': () => router('merge'),
  'providerRouter, partition': () => router('partition'),
  trades: () => trades(poolOfTrades, { symbol: 'ACME', vendor: 'v' }),
  'pages of a store': () =>
    pagedSource(readyPool, { ...settings, timeoutMs: Number.POSITIVE_INFINITY, table: 'bars' }, () => {
      let pages = 0;
      return () => (pages++ < ENOUGH / 100 ? async () => Array.from({ length: 100 }, (_, n) => n) : undefined);
    }),
};
