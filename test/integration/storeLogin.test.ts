import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { lastValueFrom, toArray } from 'rxjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeTo } from '../../src/operators/writeTo.js';
import { type OpenStoreConfig, openStore, type Store } from '../../src/postgres/openStore.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { fromIterable } from '../../src/sources/fromIterable.js';
import { startFaultProxy } from '../../src/testing/index.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { barsOf, write } from './bars.js';

describe('a password that changes', () => {
  const database = freshDatabase();
  let direct: pg.Pool;
  let role: string;
  let store: Store | undefined;

  beforeAll(() => {
    direct = database.pool();
  });
  const setPassword = (password: string) => direct.query(`ALTER ROLE ${role} PASSWORD '${password}'`);
  beforeEach(async () => {
    role = `login_${process.pid}_${Math.floor(performance.now() * 1_000)}`;
    await direct.query(`CREATE ROLE ${role} LOGIN PASSWORD 'first-hunter2'`);
    await direct.query(`GRANT CREATE, USAGE ON SCHEMA public TO ${role}`);
  });
  afterEach(async () => {
    await store?.close();
    store = undefined;
    await direct.query('DROP TABLE IF EXISTS bars');
    await direct.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  const open = async (password: string, config: OpenStoreConfig = {}) => {
    const url = new URL(database.url);
    url.username = role;
    url.password = password;
    store = await openStore({ databaseUrl: url.toString(), poolSize: 1, ...config });
    return store;
  };
  /** Has the pool make its connection anew. */
  const cut = async ({ pool }: Store) => {
    const client = await pool.connect();
    client.release(true);
    await expect.poll(() => pool.totalCount).toBe(0);
  };

  it('is given by a function, which is asked for each connection, and is preferred to that of the address', async () => {
    const passwords = ['first-hunter2'];
    let asked = 0;
    const opened = await open('no-such-password', {
      password: async () => {
        asked += 1;
        return passwords.at(-1)!;
      },
    });
    await write(barsSink(opened.pool), barsOf(1));
    expect(asked).toBe(2);
    await setPassword('second');
    passwords.push('second');
    await cut(opened);
    expect(await write(barsSink(opened.pool), barsOf(2))).toEqual({ rows: 1 });
    await opened.check();
    expect(asked).toBe(4);
  });

  it('and is refused after it was accepted is waited for: nothing is given up, and the message says so', async () => {
    const opened = await open('first-hunter2');
    const sink = barsSink(opened.pool);
    await write(sink, barsOf(1));
    await setPassword('second');
    await cut(opened);
    const error = await write(sink, barsOf(3)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'SLUICE_STORE_PASSWORD',
      failureClass: 'transient',
      sqlState: '28P01',
      message: expect.stringMatching(/refuses the login, which it accepted before .*tried for another 600 s/),
    });
    expect(sink.classify?.(error)).toBe('transient');
    expect(`${error}`).not.toContain('hunter2');
    await expect(opened.check()).rejects.toMatchObject({ failureClass: 'transient' });

    const retry = { maxAttempts: 100, initialMs: 20, maxMs: 20 };
    const outcomes = lastValueFrom(fromIterable([barsOf(3)]).pipe(writeTo(sink, { retry }), toArray()));
    await sleep(100);
    await setPassword('first-hunter2');
    expect(await outcomes).toMatchObject([{ status: 'written' }]);
  });

  it('and is refused for longer than the patience lasts is fatal, and counts anew after a success', async () => {
    const opened = await open('first-hunter2', { passwordPatienceMs: 2_000 });
    const sink = barsSink(opened.pool);
    for (let round = 0; round < 2; round++) {
      await write(sink, barsOf(1));
      await setPassword('second');
      await cut(opened);
      await expect(write(sink, barsOf(1))).rejects.toMatchObject({ failureClass: 'transient' });
      await sleep(2_100);
      await expect(write(sink, barsOf(1))).rejects.toMatchObject({
        code: 'SLUICE_STORE_PASSWORD',
        failureClass: 'fatal',
      });
      await setPassword('first-hunter2');
    }
  });

  it('and so is a role that may not log in for a while', async () => {
    const opened = await open('first-hunter2');
    const sink = barsSink(opened.pool);
    await write(sink, barsOf(1));
    await direct.query(`ALTER ROLE ${role} NOLOGIN`);
    await cut(opened);
    await expect(write(sink, barsOf(1))).rejects.toMatchObject({
      code: 'SLUICE_STORE_LOGIN',
      failureClass: 'transient',
    });
    await direct.query(`ALTER ROLE ${role} LOGIN`);
    expect(await write(sink, barsOf(2))).toEqual({ rows: 1 });
  });

  it('and was never accepted is fatal at once', async () => {
    await expect(open('wrong')).rejects.toMatchObject({ code: 'SLUICE_STORE_PASSWORD', failureClass: 'fatal' });
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'throws',
      () => Promise.reject(new TypeError('fetch failed; password=hunter2')),
      /failed \(fetch failed; password=\*\*\*\)/,
    ],
    ['gives nothing', () => undefined, /gave no string/],
    ['gives no string', () => 5, /gave no string/],
  ])('by a function that %s is no fault of an item: it is transient', async (_, fail, said) => {
    let isWell = true;
    const opened = await open('x', { password: () => (isWell ? 'first-hunter2' : (fail() as string)) });
    const sink = barsSink(opened.pool);
    await write(sink, barsOf(1));
    isWell = false;
    await cut(opened);
    const error = await write(sink, barsOf(1)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'SLUICE_STORE_PASSWORD',
      failureClass: 'transient',
      message: expect.stringMatching(said),
    });
    isWell = true;
    expect(await write(sink, barsOf(2))).toEqual({ rows: 1 });
  });

  it('by a function that never answers has the limit of the connection, and leaves no connection behind', async () => {
    const proxy = await startFaultProxy({ target: database.url });
    const url = new URL(proxy.url(database.url));
    url.username = role;
    const opening = openStore({
      databaseUrl: url.toString(),
      password: () => new Promise<string>(() => {}),
      connectTimeoutMs: 200,
    });
    await expect(opening).rejects.toMatchObject({
      code: 'SLUICE_STORE_PASSWORD',
      message: /password function.*200 ms/,
    });
    await expect.poll(() => proxy.connections.length).toBe(0);
    await proxy.close();
  });
});

describe('the address of a store', () => {
  const database = freshDatabase();
  const folder = '/tmp';

  it('may be a socket, written in any of the ways', async () => {
    const { username, password, port, pathname } = new URL(database.url);
    expect(existsSync(folder)).toBe(true);
    // There is none in that folder: the message names the socket, which shows where it was looked for.
    for (const databaseUrl of [
      `postgres://${username}:${password}@${pathname}?host=${folder}/nobody&port=${port}`,
      `postgres://${username}:${password}@%2Ftmp%2Fnobody:${port}${pathname}`,
      `postgres://${pathname}?host=${folder}/nobody&user=${username}&password=${password}&port=${port}`,
      `${folder}/nobody ${pathname.slice(1)}`,
    ]) {
      await expect(openStore({ databaseUrl })).rejects.toMatchObject({
        code: 'SLUICE_STORE_UNREACHABLE',
        message: expect.stringContaining('no such socket'),
      });
    }
  });

  it('may have white space around it, and a mode of TLS that the driver would warn of', async () => {
    const warnings: unknown[] = [];
    const onWarning = (warning: unknown) => warnings.push(warning);
    process.on('warning', onWarning);
    await (await openStore({ databaseUrl: ` ${database.url}\n` })).close();
    for (const mode of ['prefer', 'require', 'verify-ca']) {
      await expect(openStore({ databaseUrl: `${database.url}?x=y&sslmode=${mode}` })).rejects.toMatchObject({
        code: 'SLUICE_STORE_UNREACHABLE',
        message: expect.stringMatching(/over TLS .*does not support SSL/),
      });
    }
    await sleep(10);
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['postgres://me:12/hunter2@127.0.0.1/db', 'has an @ behind'],
    ['postgres://me:12#hunter2@127.0.0.1/db', 'has an @ behind'],
    ['postgres://me:12?hunter2@127.0.0.1/db', 'has an @ behind'],
    ['postgres://me:x@hunter2/y@127.0.0.1/db', 'has an @ behind'],
    ['"postgres://me:hunter2@127.0.0.1/db"', 'is in quotes'],
    ['postgres://me:hunter2@a,b/db', 'several hosts'],
    ['postgres://me%3Ahunter2@127.0.0.1/db', 'has an escaped :'],
    ['postgres://me:hunter2@127.0.0.1/db?sslnegotiation=x', 'Invalid sslnegotiation'],
    ['postgres://me:hunter2@127.0.0.1/db?sslmode=verify-ca&uselibpqcompat=true', 'sslrootcert'],
  ])('is told what is wrong with it, and no piece of it: %s', async (databaseUrl, said) => {
    const error = await openStore({ databaseUrl }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SLUICE_STORE_URL', message: expect.stringContaining(said) });
    expect(`${error} ${JSON.stringify(error)} ${(error as Error).cause}`).not.toMatch(/hunter2|\b12\b/);
  });

  it('may not be left to an environment that names several', async () => {
    const { PGHOST } = process.env;
    process.env.PGHOST = 'a.example,b.example';
    try {
      await expect(openStore({ databaseUrl: 'postgres:///db' })).rejects.toThrow('PGHOST');
    } finally {
      if (PGHOST === undefined) delete process.env.PGHOST;
      else process.env.PGHOST = PGHOST;
    }
  });

  it.each(['~/pglite', '$HOME/pglite'])(
    'of an embedded one is no path that only a shell understands: %s',
    async (path) => {
      await expect(openStore({ folder: path })).rejects.toThrow(/folder has .*, which only a shell replaces/);
    },
  );
});
