import type pg from 'pg';
import { beforeAll, describe } from 'vitest';
import type { Store } from '../../src/postgres/openStore.js';
import type { Strategy } from '../../src/postgres/write/planner.js';
import { embeddedStore } from '../postgres/embeddedStore.js';
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
    const store = embeddedStore();
    tests({ kind: 'pglite', pool: () => store().pool as pg.Pool, strategies: ['auto', 'unnest'] });
  });
}
