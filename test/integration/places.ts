import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, describe } from 'vitest';
import { openStore, type Store } from '../../src/postgres/openStore.js';
import type { Strategy } from '../../src/postgres/write/planner.js';
import { freshDatabase } from '../postgres/freshDatabase.js';

export interface Place {
  readonly kind: Store['kind'];
  /** From `beforeAll` on. */
  readonly pool: () => pg.Pool;
  /** The strategies that this place offers. */
  readonly strategies: readonly (Strategy | 'auto')[];
}

/** The same tests on a Postgres server, and on the database that is embedded in the process. */
export function inEachPlace(tests: (place: Place) => void): void {
  describe('on a Postgres server', () => {
    const database = freshDatabase();
    let pool: pg.Pool;
    beforeAll(() => {
      pool = database.pool({ max: 8 });
    });
    tests({ kind: 'postgres', pool: () => pool, strategies: ['auto', 'unnest', 'copyUpsert', 'copy'] });
  });

  describe('on PGlite', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-pglite-'));
    let store: Store;
    beforeAll(async () => {
      store = await openStore({ folder: join(folder, 'data') });
    }, 120_000);
    afterAll(async () => {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    });
    tests({ kind: 'pglite', pool: () => store.pool as pg.Pool, strategies: ['auto', 'unnest'] });
  });
}
