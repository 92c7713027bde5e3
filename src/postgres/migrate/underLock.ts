import { createHash } from 'node:crypto';
import { sqlStateOf } from '../../failures/sqlState.js';
import { quoteIdentifier } from '../identifiers.js';
import { inTransaction } from '../session.js';
import { MigrationError } from './migrationError.js';
import type { StatementWatch } from './statementWatch.js';
import { toMigrationError } from './toMigrationError.js';

/** Two processes that create the same thing at once: the other one has, and nothing is left to do at the next attempt. */
const RACES = new Set(['23505', '42P06', '42P07', '42710', '40P01', '40001']);
const MAX_ATTEMPTS_AT_RACE = 3;

/** A migration is never idle within a transaction: if it is, its program is gone, and nobody is to wait for its lock. */
const MAX_IDLE_MS = 60_000;

/**
 * The limits of one transaction, kept by the server, and the process that runs it. A pooler forgets with the transaction what is
 * set for it.
 */
const SET_LIMITS = `
  SELECT pg_backend_pid() AS pid, set_config('lock_timeout', $1, true),
         set_config('idle_in_transaction_session_timeout', '${MAX_IDLE_MS}', true)`;

/** A transaction under the lock of the schema, repeated if it has met another one at the same work. `step` names it in errors. */
export async function underLock<R>(
  watch: StatementWatch,
  schema: string,
  step: () => string,
  work: () => Promise<R>,
): Promise<R> {
  const locked = async () => {
    await watch.client.query(`SELECT pg_advisory_xact_lock(${lockOf(schema)})`);
    // Names in a migration mean this schema and no other, even before it exists.
    await watch.client.query(`SET LOCAL search_path TO ${quoteIdentifier(schema)}`);
    return work();
  };
  for (let attempt = 1; ; attempt++) {
    try {
      return await withinLimits(watch, step, locked);
    } catch (error) {
      if (attempt === MAX_ATTEMPTS_AT_RACE || !RACES.has(sqlStateOf(error) ?? ''))
        throw toMigrationError(error, step());
    }
  }
}

/** A transaction in which no lock is waited for longer than the limit of the watch. */
export async function withinLimits<R>(
  watch: StatementWatch,
  step: () => string,
  work: () => Promise<R>,
  begin?: string,
): Promise<R> {
  const { client, lockTimeoutMs } = watch;
  const limited = async () => {
    const { rows } = await client.query<{ pid: number }>(SET_LIMITS, [String(lockTimeoutMs)]);
    watch.isRunBy(rows[0]?.pid);
    return work();
  };
  try {
    return await inTransaction(client, limited, begin);
  } catch (error) {
    if (sqlStateOf(error) !== '55P03') throw error;
    const holders = watch.holders ?? 'a lock of another session';
    throw new MigrationError(
      'SLUICE_MIGRATION_LOCKED',
      `${step()} waited ${lockTimeoutMs} ms for ${holders}, and nothing of it is applied: migrate again once that is done; a ` +
        'process whose program is gone is ended by SELECT pg_terminate_backend(its number)',
      { step: step(), cause: error },
    );
  }
}

/** A number of its own for each schema; the server keeps the locks of databases apart. */
function lockOf(schema: string): bigint {
  return createHash('sha256').update(`sluice migrate ${schema}`).digest().readBigInt64BE(0);
}
