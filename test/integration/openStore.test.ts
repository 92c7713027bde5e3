import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { type OpenStoreConfig, openStore } from '../../src/postgres/openStore.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { bar, barsOf, storedBars, write } from './bars.js';

const SECRET = 'a-secret-password';

/** The error, in full: what any log could print of it. */
async function failureOf(config: OpenStoreConfig): Promise<{ error: unknown; text: string }> {
  try {
    await (await openStore(config)).close();
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    return { error, text: `${error} ${JSON.stringify(error)} ${cause} ${JSON.stringify(cause)}` };
  }
  throw new Error('it opened');
}

/** Something that is no Postgres server. */
async function listen(onSocket: (socket: Socket) => void) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('openStore on a server', () => {
  const database = freshDatabase();
  const urlWith = (change: (url: URL) => void) => {
    const url = new URL(database.url);
    change(url);
    return url.toString();
  };

  it('opens, writes and closes', async () => {
    const store = await openStore({ databaseUrl: database.url, poolSize: 2 });
    expect(store.kind).toBe('postgres');
    expect(store.pool.options.max).toBe(2);
    expect(await write(barsSink(store.pool), [bar()])).toEqual({ rows: 1 });
    await store.close();
    await store.close();
    expect(store.pool.ended).toBe(true);
  });

  it('names a server that is not there', async () => {
    const { error } = await failureOf({ databaseUrl: `postgres://me:${SECRET}@127.0.0.1:1/db` });
    expect(error).toMatchObject({
      name: 'StoreError',
      code: 'SLUICE_STORE_UNREACHABLE',
      message: expect.stringMatching(/127\.0\.0\.1:1 .*refused.*DATABASE_URL/),
    });
  });

  it('names a wrong password, and never says it', async () => {
    const { error, text } = await failureOf({ databaseUrl: urlWith((url) => (url.password = SECRET)) });
    expect(error).toMatchObject({ code: 'SLUICE_STORE_PASSWORD', sqlState: '28P01' });
    expect(text).not.toContain(SECRET);
  });

  it('names a password that is missing', async () => {
    const { error } = await failureOf({ databaseUrl: urlWith((url) => (url.password = '')) });
    expect(error).toMatchObject({ code: 'SLUICE_STORE_PASSWORD', message: expect.stringContaining('DATABASE_URL') });
  });

  it('names a database that is not there', async () => {
    const { error } = await failureOf({ databaseUrl: urlWith((url) => (url.pathname = '/not_there')) });
    expect(error).toMatchObject({
      code: 'SLUICE_STORE_DATABASE',
      sqlState: '3D000',
      message: expect.stringContaining('not_there'),
    });
  });

  it('lets a caller wait for a free connection for longer than a connection may take', async () => {
    const store = await openStore({ databaseUrl: database.url, poolSize: 1, connectTimeoutMs: 500 });
    const first = await store.pool.connect();
    const second = store.pool.query('SELECT 1 AS one');
    await first.query('SELECT pg_sleep(1)');
    first.release();
    expect((await second).rows).toEqual([{ one: 1 }]);
    await store.close();
  });

  it('closes in spite of a statement that waits for a lock', async () => {
    const store = await openStore({ databaseUrl: database.url, closeTimeoutMs: 200 });
    await store.pool.query('CREATE TABLE locked (n int)');
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    await holder.query('BEGIN; LOCK TABLE locked');
    const client = await store.pool.connect();
    const failed = client.query('INSERT INTO locked VALUES (1)').catch((error: unknown) => error);
    const gone = new Promise<void>((resolve) => client.once('end', resolve));
    await store.close();
    expect(await failed).toBeInstanceOf(Error);
    await gone;
    await store.close();
    await holder.query('ROLLBACK');
    await holder.end();
  });

  it("closes after the user's own end of the pool", async () => {
    const store = await openStore({ databaseUrl: database.url });
    await store.pool.query('SELECT 1');
    await store.pool.end();
    await store.close();
  });

  it('outlives an idle connection that breaks', async () => {
    const store = await openStore({ databaseUrl: database.url });
    const { rows } = await store.pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const removed = new Promise<void>((resolve) => store.pool.once('remove', () => resolve()));
    const killer = new pg.Client({ connectionString: database.url });
    await killer.connect();
    await killer.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid]);
    await removed;
    expect((await store.pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await killer.end();
    await store.close();
  });

  it('names a server that does not answer', async () => {
    const mute = await listen(() => {});
    const { error, text } = await failureOf({
      databaseUrl: `postgres://me:${SECRET}@127.0.0.1:${mute.port}/db`,
      connectTimeoutMs: 100,
    });
    expect(error).toMatchObject({
      code: 'SLUICE_STORE_UNREACHABLE',
      message: expect.stringMatching(`127\\.0\\.0\\.1:${mute.port} .*within 100 ms.*DATABASE_URL`),
    });
    expect(text).not.toContain(SECRET);
    await mute.close();
  });

  it('names a server that hangs up', async () => {
    const rude = await listen((socket) => socket.end());
    const { error } = await failureOf({ databaseUrl: `postgres://me:${SECRET}@127.0.0.1:${rude.port}/db` });
    expect(error).toMatchObject({
      code: 'SLUICE_STORE_UNREACHABLE',
      message: expect.stringContaining(`127.0.0.1:${rude.port}`),
    });
    await rude.close();
  });

  it('names a server without TLS', async () => {
    const plain = await listen((socket) => socket.once('data', () => socket.write('N')));
    const { error } = await failureOf({
      databaseUrl: `postgres://me:${SECRET}@127.0.0.1:${plain.port}/db?sslmode=verify-full`,
    });
    expect(error).toMatchObject({
      code: 'SLUICE_STORE_UNREACHABLE',
      message: expect.stringMatching(/TLS.*sslmode=disable/),
    });
    await plain.close();
  });

  it('names a certificate that cannot be read', async () => {
    const { error, text } = await failureOf({ databaseUrl: `postgres://me:${SECRET}@h/db?sslrootcert=/nonexist` });
    expect(error).toMatchObject({
      code: 'SLUICE_STORE_URL',
      message: expect.stringMatching(/\/nonexist.*sslrootcert/),
    });
    expect(text).not.toContain(SECRET);
  });

  it('refuses a password that is not encoded', async () => {
    const { error, text } = await failureOf({ databaseUrl: `postgres://me:${SECRET}%E0@h/db` });
    expect(error).toMatchObject({ code: 'SLUICE_STORE_URL', message: expect.stringContaining('%25 for a %') });
    expect(text).not.toContain(SECRET);
  });

  it.each([`me:${SECRET}@host/db`, `mysql://me:${SECRET}@host/db`, `postgres://me:${SECRET}@ho st:99999/db`])(
    'refuses %s without quoting it',
    async (databaseUrl) => {
      const { error, text } = await failureOf({ databaseUrl });
      expect(error).toMatchObject({ code: 'SLUICE_STORE_URL' });
      expect(text).not.toContain(SECRET);
    },
  );
});

describe('openStore on a folder', () => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-store-'));
  const folder = join(root, 'deep', 'pglite');
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('keeps other users out of it, in a folder of an earlier version too, and leaves alone what is no store', async () => {
    const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
    const umask = process.umask(0);
    const own = join(root, 'closed', 'pglite');
    try {
      await (await openStore({ folder: own })).close();
      expect([modeOf(own), modeOf(join(root, 'closed'))]).toEqual(['700', '700']);
      chmodSync(own, 0o755);
      await (await openStore({ folder: own })).close();
      expect(modeOf(own)).toBe('700');
      const other = join(root, 'no-store');
      mkdirSync(other, { mode: 0o755 });
      writeFileSync(join(other, 'file'), '');
      await openStore({ folder: other }).then(
        (store) => store.close(),
        () => {},
      );
      expect(modeOf(other)).toBe('755');
    } finally {
      process.umask(umask);
    }
  }, 60_000);

  it('keeps what was written, from one opening to the next, and the folder to itself', async () => {
    const first = await openStore({ folder });
    expect(first.kind).toBe('pglite');
    await write(barsSink(first.pool), [bar()]);
    const { error } = await failureOf({ folder });
    expect(error).toMatchObject({
      code: 'SLUICE_STORE_LOCKED',
      message: expect.stringContaining('in use by this process'),
    });
    await first.close();
    await first.close();
    expect(readdirSync(folder).filter((file) => file.startsWith('.lock'))).toEqual([]);

    const second = await openStore({ folder });
    expect(await storedBars(second.pool as pg.Pool)).toHaveLength(1);
    await second.close();
  }, 120_000);

  it('has the same table after a second writing of the same bars by another session', async () => {
    const bars = barsOf(300, { symbol: 'TWICE' });
    const tables: unknown[] = [];
    for (let session = 0; session < 2; session++) {
      const store = await openStore({ folder });
      const sink = barsSink(store.pool, { table: 'twice' });
      for (let at = 0; at < 300; at += 100) await write(sink, bars.slice(at, at + 100));
      tables.push(await storedBars(store.pool as pg.Pool, 'twice'));
      await store.close();
    }
    expect(tables[0]).toHaveLength(300);
    expect(tables[1]).toEqual(tables[0]);
  }, 120_000);

  it('closes and unlocks in spite of a connection in use, and after the end of the pool', async () => {
    const busy = await openStore({ folder, closeTimeoutMs: 50 });
    await busy.pool.connect();
    await busy.close();
    expect(readdirSync(folder).filter((file) => file.startsWith('.lock'))).toEqual([]);

    const ended = await openStore({ folder });
    await ended.pool.query('SELECT 1');
    await ended.pool.end();
    await ended.close();
    expect(readdirSync(folder).filter((file) => file.startsWith('.lock'))).toEqual([]);
    await ended.close();
  }, 120_000);

  it('names the process that has the folder', async () => {
    const code = `
      const { dev, ino } = require('node:fs').statSync(${JSON.stringify(folder)});
      const server = require('node:net').createServer((socket) => socket.end(process.pid + '\\n'));
      server.listen({ path: '\\0sluice/folder/' + dev + '-' + ino }, () => console.log('locked'));
    `;
    const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const { error } = await failureOf({ folder });
    expect(error).toMatchObject({
      code: 'SLUICE_STORE_LOCKED',
      message: expect.stringContaining(`in use by process ${child.pid}`),
    });
    child.kill('SIGKILL');
    await ended;
  });

  it('recognises a folder that is in use by whatever name, and ignores lock files of former versions', async () => {
    const link = `${folder}-link`;
    symlinkSync(folder, link);
    writeFileSync(`${folder}.lock`, `${process.ppid}\n`);
    const store = await openStore({ folder });
    const { error } = await failureOf({ folder: link });
    expect(error).toMatchObject({ code: 'SLUICE_STORE_LOCKED' });
    await store.close();
    rmSync(link);
    rmSync(`${folder}.lock`);
  }, 120_000);

  it('names a folder that cannot be one', async () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    for (const bad of [file, join(file, 'below')]) {
      const { error } = await failureOf({ folder: bad });
      expect(error).toMatchObject({
        code: 'SLUICE_STORE_FOLDER',
        message: expect.stringMatching(/file.*DATABASE_URL/),
      });
    }
  });

  it('names a folder whose contents are of another kind, and unlocks it', async () => {
    const other = join(root, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'PG_VERSION'), '9\n');
    const { error } = await failureOf({ folder: other });
    expect(error).toMatchObject({
      code: 'SLUICE_STORE_FOLDER',
      message: expect.stringMatching(/damaged, or of another kind.*move it away/),
    });
    expect(readdirSync(other)).toEqual(['PG_VERSION']);
  }, 60_000);

  it('refuses bad options', async () => {
    await expect(openStore({ folder: 'memory://' })).rejects.toThrow(RangeError);
    await expect(openStore({ poolSize: 0 })).rejects.toThrow('poolSize must be an integer of at least 1, got 0');
    await expect(openStore({ closeTimeoutMs: -1 })).rejects.toThrow('closeTimeoutMs');
    await expect(openStore({ connectTimeoutMs: 0 })).rejects.toThrow('connectTimeoutMs');
    await expect(openStore({ folder: 5 } as object)).rejects.toThrow('folder must be the path of a folder, got 5');
    await expect(openStore({ databaseUrl: 5 } as object)).rejects.toThrow('databaseUrl must be a string');
    await expect(openStore({ url: 'x' } as object)).rejects.toThrow('unknown option "url"');
  });
});
