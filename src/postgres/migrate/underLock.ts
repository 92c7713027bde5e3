import { createHash } from 'node:crypto';
import { sqlStateOf } from '../../failures/sqlState.js';
import { quoteIdentifier } from '../identifiers.js';
import type { PoolClient } from '../pool.js';
import { inTransaction } from '../session.js';
import { toMigrationError } from './toMigrationError.js';

/** Two processes that create the same thing at once: the other one has, and nothing is left to do at the next attempt. */
const RACES = new Set(['23505', '42P06', '42P07', '42710', '40P01', '40001']);
const MAX_ATTEMPTS_AT_RACE = 3;

/** A transaction under the lock of the schema, repeated if it has met another one at the same work. `step` names it in errors. */
export async function underLock<R>(
  client: PoolClient,
  schema: string,
  step: () => string,
  work: () => Promise<R>,
): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inTransaction(client, async () => {
        await client.query(`SELECT pg_advisory_xact_lock(${lockOf(schema)})`);
        // Names in a migration mean this schema and no other, even before it exists.
        await client.query(`SET LOCAL search_path TO ${quoteIdentifier(schema)}`);
        return work();
      });
    } catch (error) {
      if (attempt === MAX_ATTEMPTS_AT_RACE || !RACES.has(sqlStateOf(error) ?? ''))
        throw toMigrationError(error, step());
    }
  }
}

/** A number of its own for each schema; the server keeps the locks of databases apart. */
function lockOf(schema: string): bigint {
  return createHash('sha256').update(`sluice migrate ${schema}`).digest().readBigInt64BE(0);
}
