import { EventEmitter } from 'node:events';
import type pg from 'pg';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Gate } from '../../../src/flow/gate.js';
import { bars } from '../../../src/postgres/read/bars.js';
import { latest } from '../../../src/postgres/read/latest.js';
import { isStoreReadError } from '../../../src/postgres/read/storeReadError.js';
import { observe, settled } from '../../support/collect.js';
import { coded } from '../../support/errors.js';

interface Asked {
  readonly text: string;
  readonly values: readonly unknown[];
  answer(rows: readonly object[]): void;
  fail(error: unknown): void;
}

/** A pool of one client whose queries are answered by hand. */
class HandPool extends EventEmitter {
  readonly options: object;
  readonly asked: Asked[] = [];
  /** How often it was asked which of the later columns the table has. It has none. */
  catalogueReads = 0;
  readonly releases: (boolean | undefined)[] = [];
  readonly connects: (() => void)[] = [];
  readonly client: EventEmitter;
  byHand = false;

  constructor(options: object = {}) {
    super();
    this.options = options;
    this.client = Object.assign(new EventEmitter(), {
      query: (text: string, values: readonly unknown[] = []) =>
        new Promise((resolve, reject) => {
          if (text.includes('pg_attribute')) {
            this.catalogueReads += 1;
            resolve({ rows: [] });
            return;
          }
          this.asked.push({ text, values, answer: (rows) => resolve({ rows }), fail: reject });
        }),
      release: (broken?: boolean) => {
        this.releases.push(broken);
      },
    });
  }

  connect = () =>
    new Promise((resolve) => {
      if (this.byHand) this.connects.push(() => resolve(this.client));
      else resolve(this.client);
    });

  get pool(): pg.Pool {
    return this as EventEmitter as pg.Pool;
  }
}

const row = (minute: number, fields: object = {}) => ({
  series: 1,
  vendor: 'v',
  symbol: 'A',
  timeframe: '1m',
  micros: String(minute * 60_000_000),
  open: 1,
  high: 2,
  low: 0,
  close: minute,
  volume: 5,
  seq: '9',
  ...fields,
});
const rowsFrom = (first: number, count: number) => Array.from({ length: count }, (_, i) => row(first + i));
const one = { symbol: 'A', vendor: 'v', timeframe: '1m' };

describe('bars', () => {
  it('asks for nothing until it is subscribed, and for nothing while the gate is closed', async () => {
    const hand = new HandPool();
    const source = bars(hand.pool, one);
    await settled();
    const gate = new Gate('closed');
    const seen = observe(source, gate);
    await settled();
    expect(hand.asked).toHaveLength(0);
    gate.open();
    await settled();
    expect(hand.asked).toHaveLength(1);
    seen.unsubscribe();
  });

  it('reads the next page when the last is used up and the gate is open, and holds no connection meanwhile', async () => {
    const hand = new HandPool();
    const gate = new Gate();
    const seen = observe(bars(hand.pool, { ...one, pageSize: 4 }), gate);
    await settled();
    gate.close();
    hand.asked[0]!.answer(rowsFrom(0, 4));
    await settled();
    expect(seen.items).toEqual([]);
    expect(hand.releases).toEqual([false]);
    expect(hand.asked).toHaveLength(1);
    gate.open();
    await settled();
    expect(seen.items.map(({ close }) => close)).toEqual([0, 1, 2, 3]);
    expect(hand.asked).toHaveLength(2);
    expect(hand.asked[1]!.values).toEqual([['v'], ['A'], [180_000_001], [null], 4, '1m']);
    hand.asked[1]!.answer(rowsFrom(4, 1));
    await settled();
    expect(seen.items).toHaveLength(5);
    expect(seen.end).toEqual({ kind: 'complete' });
    expect(hand.asked).toHaveLength(2);
    expect(hand.releases).toEqual([false, false]);
  });

  it('is one bar of the model, with microseconds', async () => {
    const hand = new HandPool();
    const seen = observe(bars(hand.pool, one));
    await settled();
    hand.asked[0]!.answer([row(0, { micros: '1704205800123457' })]);
    await settled();
    expect(seen.items).toEqual([
      {
        kind: 'bar',
        vendor: 'v',
        symbol: 'A',
        timeframe: '1m',
        ts: 1_704_205_800_123.457,
        open: 1,
        high: 2,
        low: 0,
        close: 0,
        volume: 5,
        seq: 9,
      },
    ]);
  });

  it('looks up the vendors where none is named, once a subscription', async () => {
    const hand = new HandPool();
    observe(bars(hand.pool, { symbols: ['A', 'B'], timeframe: '1m', from: 0.001, to: 60_000, pageSize: 100 }));
    await settled();
    hand.asked[0]!.answer([{ vendor: 'w' }, { vendor: 'v' }]);
    await settled();
    const series = [
      ['v', 'v', 'w', 'w'],
      ['A', 'B', 'A', 'B'],
      [1, 1, 1, 1],
      [null, null, null, null],
    ];
    expect(hand.asked[1]!.values).toEqual([...series, 25, '1m', 60_000_000]);
    hand.asked[1]!.answer([]);
    await settled();
    expect(hand.asked).toHaveLength(2);
    expect(hand.catalogueReads).toBe(1);
  });

  it('fails after what was read, with the driver’s error as the cause, and begins anew when subscribed again', async () => {
    const hand = new HandPool();
    const source = bars(hand.pool, { ...one, pageSize: 4 });
    const seen = observe(source);
    await settled();
    hand.asked[0]!.answer(rowsFrom(0, 4));
    await settled();
    const cause = coded('42501', 'permission denied for table bars');
    hand.asked[1]!.fail(cause);
    await settled();
    expect(seen.items).toHaveLength(4);
    expect(seen.end).toMatchObject({
      kind: 'error',
      error: {
        code: 'SLUICE_STORE_READ',
        sqlState: '42501',
        cause,
        message: expect.stringContaining('GRANT SELECT ON "bars"'),
      },
    });
    expect(seen.end?.kind === 'error' && isStoreReadError(seen.end.error)).toBe(true);
    // The connection is as good as it was.
    expect(hand.releases).toEqual([false, false]);

    const again = observe(source);
    await settled();
    expect(hand.asked[2]!.values).toEqual(hand.asked[0]!.values);
    hand.asked[2]!.answer(rowsFrom(0, 2));
    await settled();
    expect(again.items).toHaveLength(2);
  });

  it('gives up a connection that broke', async () => {
    const hand = new HandPool();
    const seen = observe(bars(hand.pool, one));
    await settled();
    hand.asked[0]!.fail(new Error('Connection terminated unexpectedly'));
    await settled();
    expect(hand.releases).toEqual([true]);
    expect(seen.end).toMatchObject({ error: { message: expect.stringContaining('subscribe again') } });
  });

  it.each([
    ['a socket of the driver', {}, true],
    ['PGlite', { connection: {} }, false],
  ])('when unsubscribed while %s is asked, gives the client back and says nothing', async (_what, options, cut) => {
    const hand = new HandPool(options);
    const seen = observe(bars(hand.pool, one));
    await settled();
    seen.unsubscribe();
    expect(hand.releases).toEqual(cut ? [true] : []);
    hand.asked[0]!.answer(rowsFrom(0, 3));
    await settled();
    expect(hand.releases).toEqual([cut]);
    expect(seen.items).toEqual([]);
    expect(seen.end).toBeUndefined();
    expect(hand.client.listenerCount('error')).toBe(0);
  });

  it('gives back a client that comes after the unsubscription, unused', async () => {
    const hand = new HandPool();
    hand.byHand = true;
    const seen = observe(bars(hand.pool, one));
    await settled();
    seen.unsubscribe();
    hand.connects[0]!();
    await settled();
    expect(hand.asked).toEqual([]);
    expect(hand.releases).toEqual([false]);
  });

  it('completes when the pipeline is asked to stop, and cuts what it was waiting for', async () => {
    const hand = new HandPool();
    const stopping = new Subject<void>();
    const seen = observe(bars(hand.pool, one), new Gate(), stopping);
    await settled();
    stopping.next();
    expect(seen.end).toEqual({ kind: 'complete' });
    expect(hand.releases).toEqual([true]);
  });

  it('stops in the middle of a page', async () => {
    const hand = new HandPool();
    const gate = new Gate();
    const seen = observe(bars(hand.pool, one), gate);
    await settled();
    gate.close();
    hand.asked[0]!.answer(rowsFrom(0, 3));
    await settled();
    seen.unsubscribe();
    gate.open();
    await settled();
    expect(seen.items).toEqual([]);
    expect(hand.asked).toHaveLength(1);
  });

  it.each([
    [{}, 'give either symbol or symbols'],
    [{ symbol: 'A', symbols: ['A'] }, 'give either symbol or symbols'],
    [{ symbol: '' }, 'symbol must be a string that is not empty'],
    [{ symbols: [] }, 'symbols must be an array that is not empty'],
    [{ symbols: ['A', 5] }, 'symbols[1] must be a string'],
    [{ symbol: 'A', timeframe: undefined }, 'timeframe must be a string'],
    [{ symbol: 'A', from: Number.NaN }, 'from must be a number'],
    [{ symbol: 'A', from: 10, to: 9 }, 'to must be a number of at least 10'],
    [{ symbol: 'A', pageSize: 0 }, 'pageSize must be an integer of at least 1, got 0'],
    [{ symbol: 'A', vendor: '' }, 'vendor must be a string'],
    [{ symbol: 'A', table: '' }, 'table must be a string'],
    [{ symbol: 'A', yieldAfterMs: -1 }, 'yieldAfterMs must be a finite number'],
    [{ symbol: 'A', since: 5 }, 'unknown option "since"'],
  ])('refuses %j when it is made', (config, message) => {
    const make = () =>
      bars(new HandPool().pool, { timeframe: '1m', ...config } as { symbol: string; timeframe: string });
    expect(make).toThrow(RangeError);
    expect(make).toThrow(message);
  });

  it('refuses what is no pool', () => {
    expect(() => bars({} as pg.Pool, one)).toThrow('the connect of its pool must be a function');
    expect(() => latest({} as pg.Pool, { symbols: ['A'] })).toThrow('the connect of its pool must be a function');
  });
});

describe('latest', () => {
  it('asks for so many symbols at a time, when the last are used up and the gate is open', async () => {
    const hand = new HandPool();
    const gate = new Gate();
    const seen = observe(
      latest(hand.pool, { symbols: ['A', 'B', 'A', 'C'], vendor: 'v', timeframe: '1m', pageSize: 2 }),
      gate,
    );
    await settled();
    expect(hand.asked[0]!.values).toEqual([['A', 'B'], 'v', '1m']);
    gate.close();
    hand.asked[0]!.answer([row(1), row(2, { symbol: 'B' })]);
    await settled();
    expect([seen.items.length, hand.asked.length]).toEqual([0, 1]);
    gate.open();
    await settled();
    expect(seen.items.map(({ symbol }) => symbol)).toEqual(['A', 'B']);
    expect(hand.asked[1]!.values).toEqual([['C'], 'v', '1m']);
    // A page of symbols without bars is not the end of them.
    hand.asked[1]!.answer([]);
    await settled();
    expect(seen.end).toEqual({ kind: 'complete' });
  });

  it.each([
    [{}, 'symbols must be an array'],
    [{ symbols: 'A' }, 'symbols must be an array that is not empty, got "A"'],
    [{ symbols: ['A'], timeframe: '' }, 'timeframe must be a string'],
    [{ symbols: ['A'], from: 5 }, 'unknown option "from"'],
  ])('refuses %j when it is made', (config, message) => {
    expect(() => latest(new HandPool().pool, config as { symbols: string[] })).toThrow(message);
  });
});
