import { EventEmitter } from 'node:events';
import pg from 'pg';
import { from, lastValueFrom, type ObservableInput } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { coded } from '../../test/support/errors.js';
import type { Bar } from '../market/bar.js';
import { barsTable } from '../postgres/recordTables.js';
import { barsSink } from './barsSink.js';

describe('barsSink', () => {
  const pool = new pg.Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none' });

  it.each([
    [{ table: '' }, 'table must be a name of 1 to 63 bytes, got ""'],
    [{ table: 'é'.repeat(32) }, 'table must be a name'],
    [{ schema: 'a\0b' }, 'schema must be a name'],
    [{ strategy: 'fast' }, 'strategy must be one of'],
    [{ now: 5 }, 'now must be a function'],
    [{ tabel: 'bars' }, 'unknown option "tabel"'],
  ])('refuses %j when it is made', (config, message) => {
    expect(() => barsSink(pool, config as object)).toThrow(RangeError);
    expect(() => barsSink(pool, config as object)).toThrow(message);
  });

  it('refuses what is no pool', () => {
    expect(() => barsSink({} as pg.Pool)).toThrow('the connect of its pool must be a function');
  });

  it('does not let an idle connection that breaks end the process', () => {
    barsSink(pool);
    barsSink(pool);
    expect(pool.listenerCount('error')).toBe(1);
    expect(() => pool.emit('error', new Error('gone'))).not.toThrow();
  });
});

/** A pool of one client that answers as it is told, and remembers how it was given back. */
class FakePool extends EventEmitter {
  readonly options = {};
  readonly releases: (boolean | undefined)[] = [];
  readonly client: EventEmitter;

  constructor(answer: (text: string, client: EventEmitter) => object) {
    super();
    const client = Object.assign(new EventEmitter(), {
      query: async (query: string | { text: string }) => answer(typeof query === 'string' ? query : query.text, client),
      release: (broken?: boolean) => {
        this.releases.push(broken);
      },
    });
    this.client = client;
  }

  connect = async () => this.client;
}

const POSTGRES = 'PostgreSQL 17.5 on x86_64-pc-linux-gnu';
const PGLITE = 'PostgreSQL 17.5 on x86_64-pc-linux-gnu, compiled by emcc (Emscripten gcc/clang-like replacement)';

const LONG_NAMES: Readonly<Record<string, string>> = {
  text: 'text',
  timestamptz: 'timestamp with time zone',
  float8: 'double precision',
  int8: 'bigint',
  bool: 'boolean',
};

const COLUMNS = barsTable.columns.map(({ name, type }) => {
  return { name, declared: LONG_NAMES[type], type: LONG_NAMES[type] };
});

/** A server with the table, and `insert` to answer the writing. */
function server(version: string, insert: (client: EventEmitter) => object): FakePool {
  return new FakePool((text, client) => {
    if (text.includes('version()')) return { rows: [{ version }] };
    if (text.includes('to_regclass($1) IS NOT NULL')) return { rows: [{ exists: true }] };
    if (text.includes('pg_index')) return { rows: [{ key: [...barsTable.key] }] };
    if (text.includes('pg_attribute')) return { rows: COLUMNS };
    return insert(client);
  });
}

const sinkOf = (fake: FakePool) => barsSink(fake as EventEmitter as pg.Pool);
const result = <T>(input: ObservableInput<T>) => lastValueFrom(from(input));
const bar: Bar = {
  kind: 'bar',
  vendor: 'v',
  symbol: 'A',
  timeframe: '1m',
  ts: 0,
  open: 1,
  high: 1,
  low: 1,
  close: 1,
  volume: 1,
  seq: 1,
};

describe('the client that barsSink borrows', () => {
  const broken = () => {
    throw coded('57P01', 'terminating connection');
  };

  it('is given back as broken where its connection broke', async () => {
    const fake = server(POSTGRES, broken);
    await expect(result(sinkOf(fake).write([bar]))).rejects.toMatchObject({ code: 'SLUICE_STORE_CONNECTION_LOST' });
    expect(fake.releases).toEqual([false, true]);
  });

  it('is given back as broken when the server has become read-only, so that the next attempt reaches another one', async () => {
    const fake = server(POSTGRES, () => {
      throw coded('25006', 'cannot execute INSERT in a read-only transaction');
    });
    await expect(result(sinkOf(fake).write([bar]))).rejects.toMatchObject({
      sqlState: '25006',
      failureClass: 'transient',
      message: expect.stringContaining('write to the primary'),
    });
    expect(fake.releases).toEqual([false, true]);
  });

  it('is never given back as broken on PGlite, whose adapter would answer one statement late', async () => {
    const fake = server(PGLITE, broken);
    await expect(result(sinkOf(fake).write([bar]))).rejects.toMatchObject({ code: 'SLUICE_STORE_CONNECTION_LOST' });
    expect(fake.releases).toEqual([false, false]);
  });

  it('may report an error of its own while it is in use, and is listened to no longer than that', async () => {
    const fake = server(POSTGRES, (client) => {
      // Without a listener this throws, and would end the process.
      client.emit('error', new Error('the socket broke'));
      return { rowCount: 1 };
    });
    expect(await result(sinkOf(fake).write([bar]))).toEqual({ rows: 1 });
    expect(fake.client.listenerCount('error')).toBe(0);
  });

  it.each([
    ['null', null],
    ['a bar that throws', Object.defineProperty({ ...bar }, 'open', { get: () => broken() })],
    ['a bar whose time is a bigint', { ...bar, ts: 5n }],
  ])('is given back in good order when the batch has %s, which is a fault of the batch', async (_what, item) => {
    const fake = server(POSTGRES, () => ({ rowCount: 1 }));
    const sink = sinkOf(fake);
    await expect(result(sink.write([item as Bar]))).rejects.toMatchObject({
      name: 'StoreError',
      code: 'SLUICE_STORE_VALUE',
    });
    expect(fake.releases.every((release) => release === false)).toBe(true);
    expect(await result(sink.write([bar]))).toEqual({ rows: 1 });
  });

  it.each([
    [POSTGRES, [false, true]],
    [PGLITE, [false]],
  ])("is destroyed on unsubscribe while it is in use, and not PGlite's (%s)", async (version, releases) => {
    let answer = (_result: object) => {};
    let asked = () => {};
    const inFlight = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const fake = server(version, () => {
      asked();
      return new Promise<object>((resolve) => {
        answer = resolve;
      });
    });
    const subscription = from(sinkOf(fake).write([bar])).subscribe();
    await inFlight;
    subscription.unsubscribe();
    expect(fake.releases).toEqual(releases);
    answer({ rowCount: 1 });
    await new Promise(setImmediate);
    // Given back once in any case, and PGlite's when its statement has ended.
    expect(fake.releases).toEqual([false, version === POSTGRES]);
    expect(fake.client.listenerCount('error')).toBe(0);
  });
});

describe('a table that somebody else creates at the same time', () => {
  const inCatalogue = () =>
    coded('23505', 'duplicate key value violates unique constraint "pg_namespace_nspname_index"');
  const racing = (losses: number) => {
    let creations = 0;
    const fake = new FakePool((text) => {
      if (text.includes('AS version')) return { rows: [{ version: POSTGRES }] };
      if (text.includes('to_regclass')) return { rows: [{ exists: false }] };
      if (text.includes('CREATE TABLE')) {
        creations += 1;
        if (creations <= losses) throw inCatalogue();
      }
      return { rows: [], rowCount: 1 };
    });
    return { fake, creations: () => creations };
  };

  it('is created again, for then it is there', async () => {
    const { fake, creations } = racing(2);
    await result(sinkOf(fake).write([bar])).catch(() => {});
    expect(creations()).toBe(3);
  });

  it('is no fault of the rows where it never comes to be', async () => {
    const { fake, creations } = racing(9);
    await expect(result(sinkOf(fake).write([bar]))).rejects.toMatchObject({
      code: 'SLUICE_STORE_TABLE',
      failureClass: 'transient',
    });
    expect(creations()).toBe(3);
  });
});

describe('a unique violation out of an upsert', () => {
  const violation = () => coded('23505', 'duplicate key value');

  it('is tried once more, for another writer may have inserted the row at the same time', async () => {
    let writes = 0;
    const fake = server(POSTGRES, () => {
      writes += 1;
      if (writes === 1) throw violation();
      return { rowCount: 1 };
    });
    expect(await result(sinkOf(fake).write([bar]))).toEqual({ rows: 1 });
    expect(writes).toBe(2);
  });

  it('is poison the second time', async () => {
    let writes = 0;
    const fake = server(POSTGRES, () => {
      writes += 1;
      throw violation();
    });
    await expect(result(sinkOf(fake).write([bar]))).rejects.toMatchObject({
      code: 'SLUICE_STORE_VALUE',
      failureClass: 'poison',
    });
    expect(writes).toBe(2);
  });
});
