import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { sqlStateOf } from '../../failures/sqlState.js';
import { quoteIdentifier } from '../statements.js';

import { endsSession } from '../toStoreError.js';
import { MigrationError } from './migrationError.js';
import { toMigrationError } from './toMigrationError.js';

/** Two who create the same thing at once: the other one has, and nothing is left to do at the second try. */
const RACES = new Set(['23505', '42P06', '42P07', '42710', '40P01', '40001']);
const ATTEMPTS_AT_RACE = 3;

/** A transaction under the lock of the schema, and again where it has met another at the same work. */
export async function underLock<R>(
  client: PoolClient,
  schema: string,
  step: () => string,
  work: () => Promise<R>,
): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inTransaction(client, step, 'BEGIN', async () => {
        await client.query(`SELECT pg_advisory_xact_lock(${lockOf(schema)})`);
        // Names in a migration mean this schema and no other; it is not there yet while the record is made.
        await client.query(`SET LOCAL search_path TO ${quoteIdentifier(schema)}`);
        return work();
      });
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      if (attempt === ATTEMPTS_AT_RACE || !RACES.has(sqlStateOf(cause) ?? '')) throw error;
    }
  }
}

export async function inTransaction<R>(
  client: PoolClient,
  step: () => string,
  begin: string,
  work: () => Promise<R>,
): Promise<R> {
  try {
    await client.query(begin);
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    if (error instanceof MigrationError || !endsSession(error)) await client.query('ROLLBACK').catch(() => {});
    throw toMigrationError(error, step());
  }
}

/** Lends a client. One whose connection is broken is destroyed, unless it is PGlite's only one. */
export async function borrowClient<R>(pool: Pool, use: (client: PoolClient) => Promise<R>): Promise<R> {
  let client: PoolClient;
  try {
    client = await pool.connect();
  } catch (error) {
    throw toMigrationError(error, undefined);
  }
  const onError = () => {};
  client.on('error', onError);
  let broken = false;
  try {
    return await use(client);
  } catch (error) {
    const root = error instanceof MigrationError ? error.cause : error;
    broken = root !== undefined && !('connection' in (pool.options ?? {})) && endsSession(root);
    throw toMigrationError(error, undefined);
  } finally {
    client.removeListener('error', onError);
    client.release(broken);
  }
}

/** A number of its own for each schema; the server keeps the locks of databases apart. */
function lockOf(schema: string): bigint {
  return createHash('sha256').update(`sluice migrate ${schema}`).digest().readBigInt64BE(0);
}
