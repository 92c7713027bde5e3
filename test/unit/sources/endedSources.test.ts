import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import type pg from 'pg';
import { finalize, type Observable, Subject, tap } from 'rxjs';
import { afterAll, describe, expect, it } from 'vitest';
import { replayFile } from '../../../src/files/replayFile.js';
import { Gate } from '../../../src/flow/gate.js';
import { PipelineMonitor } from '../../../src/flow/monitor.js';
import { withContext } from '../../../src/flow/withContext.js';
import { latest } from '../../../src/postgres/read/latest.js';
import { fromAsyncIterable } from '../../../src/sources/fromAsyncIterable.js';
import { fromIterable } from '../../../src/sources/fromIterable.js';
import { fromReadable } from '../../../src/sources/fromReadable.js';
import { synthetic } from '../../../src/sources/synthetic.js';
import { settled } from '../../support/collect.js';
import { Folder } from '../../support/folder.js';

/** How often a source was asked for more. */
interface Asked {
  times: number;
}

function* counted(asked: Asked): Generator<number> {
  for (;;) yield ++asked.times;
}

async function* countedLater(asked: Asked): AsyncGenerator<number> {
  yield* counted(asked);
}

/** A pool that answers each query with a page of bars. */
function barPool(asked: Asked): pg.Pool {
  const bar = {
    vendor: 'v',
    symbol: 'A',
    timeframe: '1m',
    micros: '0',
    open: 1,
    high: 2,
    low: 0,
    close: 1,
    volume: 5,
    seq: '1',
  };
  const query = async () => {
    asked.times += 1;
    return { rows: [bar, bar, bar] };
  };
  const client = Object.assign(new EventEmitter(), { query, release: () => {} });
  return { connect: async () => client } as unknown as pg.Pool;
}

const folder = new Folder();
afterAll(() => folder.remove());
const file = folder.write('numbers.csv', `n\n${'1\n'.repeat(1_000)}`);

const KINDS: Readonly<Record<string, (asked: Asked) => Observable<unknown>>> = {
  synthetic: () => synthetic(),
  'synthetic at a rate': () => synthetic({ rate: 1_000_000 }),
  fromIterable: (asked) => fromIterable(counted(asked)),
  fromAsyncIterable: (asked) => fromAsyncIterable(countedLater(asked)),
  fromReadable: (asked) => fromReadable(() => Readable.from(countedLater(asked), { highWaterMark: 1 })),
  replayFile: (asked) => replayFile(file, { toItem: () => ++asked.times }),
  'pages of a store': (asked) =>
    latest(barPool(asked), { symbols: Array.from({ length: 100 }, (_, i) => `S${i}`), pageSize: 1 }),
};

describe.each(Object.entries(KINDS))('%s', (_name, kind) => {
  /** A subscription whose gate closes with the second item, so that the source waits at it. */
  async function waiting(atEnd: (gate: Gate) => void) {
    const asked = { times: 0 };
    const gate = new Gate();
    const monitor = new PipelineMonitor();
    const stopping = new Subject<void>();
    const items: unknown[] = [];
    let completions = 0;
    const subscription = kind(asked)
      .pipe(
        tap((item) => {
          items.push(item);
          if (items.length === 2) gate.close();
        }),
        finalize(() => atEnd(gate)),
        withContext({ gate, monitor, stopping }),
      )
      .subscribe({
        complete: () => {
          completions += 1;
          atEnd(gate);
        },
      });
    // A file takes as many turns as the disk likes.
    while (gate.isOpen) await settled();
    expect([items.length, gate.waiting]).toEqual([2, 1]);
    const askedBefore = asked.times;
    return {
      stopping,
      subscription,
      outcome: async () => {
        await settled();
        return {
          items: items.length,
          counted: monitor.account().received,
          asked: asked.times - askedBefore,
          completions,
        };
      },
    };
  }

  it('produces nothing when its gate opens while it completes', async () => {
    const { stopping, outcome } = await waiting((gate) => gate.open());
    stopping.next();
    expect(await outcome()).toEqual({ items: 2, counted: 2, asked: 0, completions: 1 });
  });

  it('produces nothing when its gate opens while it is unsubscribed', async () => {
    const { subscription, outcome } = await waiting((gate) => gate.open());
    subscription.unsubscribe();
    expect(await outcome()).toEqual({ items: 2, counted: 2, asked: 0, completions: 0 });
  });
});
