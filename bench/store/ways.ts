import type pg from 'pg';
import { lastValueFrom } from 'rxjs';
import { reduce } from 'rxjs/operators';
import type { Sink } from 'sluice';
import { writeCoordinator } from 'sluice/operators';
import { fromIterable } from 'sluice/sources';
import type { Table } from '../../src/postgres/table.js';
import { copyIn } from '../../src/postgres/write/copyIn.js';
import { encodeArrays, encodeCopy, type Rows } from '../../src/postgres/write/encode.js';
import type { Strategy } from '../../src/postgres/write/planner.js';
import { type Statements, statementsFor } from '../../src/postgres/write/statements.js';

export const CONNECTIONS = 4;
export const BATCH = 2_000;

export type Write<T> = (pool: pg.Pool, items: readonly T[]) => Promise<void>;

/** The two ways into a table: the hand-written loop, and the framework. */
export class Ways<T> {
  readonly statements: Statements;
  readonly #table: Table<T>;
  readonly #sink: (pool: pg.Pool) => Sink<T>;

  constructor(table: Table<T>, sink: (pool: pg.Pool) => Sink<T>) {
    this.#table = table;
    this.#sink = sink;
    this.statements = statementsFor(table, undefined);
  }

  byHand(strategy: Strategy): Write<T> {
    return async (pool, items) => {
      const { versionOf } = this.#table;
      let next = 0;
      const worker = async () => {
        const client = await pool.connect();
        if (strategy === 'copyUpsert') await client.query(this.statements.createStage);
        while (next < items.length) {
          const part = items.slice(next, next + BATCH);
          next += part.length;
          await this.#write(client, strategy, {
            items: part,
            seqs: Float64Array.from(part, (item) => versionOf(item)!),
          });
        }
        client.release();
      };
      await Promise.all(Array.from({ length: CONNECTIONS }, worker));
    };
  }

  readonly ours: Write<T> = async (pool, items) => {
    const outcomes$ = fromIterable(items).pipe(
      writeCoordinator(this.#sink(pool), { workers: CONNECTIONS, batchSize: BATCH }),
    );
    const written = await lastValueFrom(outcomes$.pipe(reduce((sum, outcome) => sum + outcome.items.length, 0)));
    if (written !== items.length) throw new Error(`wrote ${written} of ${items.length} items`);
  };

  #write(client: pg.PoolClient, strategy: Strategy, rows: Rows<T>): Promise<unknown> {
    const { upsertArrays, copyUpsert, copy } = this.statements;
    const { name, columns } = this.#table;
    switch (strategy) {
      case 'unnest':
        return client.query({ name: `by hand ${name}`, text: upsertArrays, values: encodeArrays(columns, rows) });
      case 'copyUpsert':
        return copyIn(client, copyUpsert, encodeCopy(columns, rows));
      case 'copy':
        return copyIn(client, copy, encodeCopy(columns, rows));
    }
  }
}
