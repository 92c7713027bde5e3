import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { openStore, type Store } from '../../src/postgres/openStore.js';
import { type FaultProxy, startFaultProxy } from '../../src/testing/index.js';
import { embeddedFolder } from '../postgres/embeddedStore.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { coded } from '../support/errors.js';
import type { EmptyDatabase, Places } from './sinks.js';

/** A Postgres server behind a fault proxy, and PGlite, for the test file that calls this. */
export function places(): Places {
  const database = freshDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-sinks-'));
  let proxy: FaultProxy;
  let server: pg.Pool;
  let embedded: Promise<Embedded> | undefined;
  let schemas = 0;

  beforeAll(async () => {
    proxy = await startFaultProxy({ target: database.url });
    server = database.pool({ max: 1 });
  });
  afterAll(async () => {
    await proxy.close();
    await (await embedded)?.store.close();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  return {
    // A schema for each rule: a statement that a rule before has abandoned may still come.
    async postgres(): Promise<EmptyDatabase> {
      const schema = `rule_${++schemas}`;
      await server.query(`CREATE SCHEMA ${schema}`);
      const options = `-c search_path=${schema}`;
      const pool = new pg.Pool({ connectionString: proxy.url(database.url), options, max: 6 });
      const direct = new pg.Pool({ connectionString: database.url, options, max: 1 });
      for (const each of [pool, direct]) each.on('error', () => {});
      return {
        pool,
        direct,
        outage() {
          const refusal = proxy.refuse();
          proxy.sever('reset');
          return () => refusal.mend();
        },
        async close() {
          await proxy.mend();
          // A hundred rules in ten seconds would otherwise leave a hundred idle connections.
          await Promise.all([pool.end(), direct.end()]);
        },
      };
    },
    async pglite(): Promise<EmptyDatabase> {
      embedded ??= openEmbedded(join(folder, 'data'));
      const { pool, direct, setAway } = await embedded;
      const schema = `rule_${++schemas}`;
      await direct.query(`CREATE SCHEMA ${schema}; SET search_path TO ${schema}`);
      return {
        pool,
        direct,
        outage() {
          setAway(true);
          return () => setAway(false);
        },
        async close() {
          setAway(false);
        },
      };
    },
  };
}

interface Embedded {
  readonly store: Store;
  readonly pool: pg.Pool;
  readonly direct: pg.Pool;
  setAway(isAway: boolean): void;
}

/** It has no line that could be cut: while it is away, its connection is not lent. */
async function openEmbedded(folder: string): Promise<Embedded> {
  await embeddedFolder(folder);
  const store = await openStore({ folder });
  let isAway = false;
  const connect = async () => {
    if (isAway) throw coded('ECONNREFUSED', 'connect ECONNREFUSED');
    return store.pool.connect();
  };
  return {
    store,
    pool: Object.create(store.pool, { connect: { value: connect } }) as pg.Pool,
    direct: store.pool as pg.Pool,
    setAway(away) {
      isAway = away;
    },
  };
}
