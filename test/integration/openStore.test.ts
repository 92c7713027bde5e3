import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { barsSink } from '../../src/sinks/barsSink.js';
import { type OpenStoreConfig, openStore } from '../../src/sinks/openStore.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { bar, storedBars, write } from './bars.js';

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
    expect(existsSync(`${folder}.lock`)).toBe(false);

    const second = await openStore({ folder });
    expect(await storedBars(second.pool)).toHaveLength(1);
    await second.close();
  }, 120_000);

  it('names the process that has the folder', async () => {
    writeFileSync(`${folder}.lock`, `${process.ppid}\n`);
    const { error } = await failureOf({ folder });
    expect(error).toMatchObject({
      code: 'SLUICE_STORE_LOCKED',
      message: expect.stringContaining(`in use by process ${process.ppid}`),
    });
  });

  it('takes over the lock of a process that is gone, and one of its own id that it did not make', async () => {
    const { pid } = spawnSync('true');
    for (const leftover of [pid, process.pid, 'rubbish']) {
      writeFileSync(`${folder}.lock`, `${leftover}\n`);
      const store = await openStore({ folder });
      await store.close();
    }
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
    expect(existsSync(`${other}.lock`)).toBe(false);
  }, 60_000);

  it('refuses bad options', async () => {
    await expect(openStore({ folder: 'memory://' })).rejects.toThrow(RangeError);
    await expect(openStore({ poolSize: 0 })).rejects.toThrow('poolSize must be an integer of at least 1, got 0');
    await expect(openStore({ url: 'x' } as object)).rejects.toThrow('unknown option "url"');
  });
});
