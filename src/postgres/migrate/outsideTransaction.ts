import { firstValueFrom, timer } from 'rxjs';
import { sqlStateOf } from '../../failures/sqlState.js';
import { MigrationError } from './migrationError.js';
import type { StatementWatch } from './statementWatch.js';
import { toMigrationError } from './toMigrationError.js';

const MAX_PAUSE_MS = 1_000;

/**
 * Statements that cannot be part of a transaction, and so are not under the lock of the schema: two processes may do them at once.
 * TimescaleDB from 2.27 on refuses a refresh while another is under way; that one is waited for, as a lock is.
 */
export async function outsideTransaction(
  watch: StatementWatch,
  step: string,
  statements: readonly string[],
): Promise<void> {
  const { lockTimeoutMs } = watch;
  for (const statement of statements) {
    const began = performance.now();
    for (let isDone = false; !isDone; ) {
      try {
        watch.isOutsideTransaction();
        await watch.client.query(statement);
        isDone = true;
      } catch (error) {
        if (sqlStateOf(error) !== '55P03') throw toMigrationError(error, step);
        const leftMs = lockTimeoutMs - (performance.now() - began);
        if (leftMs <= 0) {
          const message = `${step} waited ${lockTimeoutMs} ms for another refresh: migrate again once that has ended`;
          throw new MigrationError('SLUICE_MIGRATION_LOCKED', message, { step, cause: error });
        }
        await firstValueFrom(timer(Math.min(leftMs, MAX_PAUSE_MS)));
      }
    }
  }
}
