import type pg from 'pg';
import { bars, migrate, type Pool, type StorePool } from 'sluice/postgres';
import { barsSink } from 'sluice/sinks';

declare const pool: pg.Pool;
declare const ofStore: StorePool;

// A pool of `pg` is one; the pool of a store can be taken for one of `pg`.
export const given: Pool = pool;
export const taken = ofStore as pg.Pool;
export const sink = barsSink(pool);
export const source = bars(pool, { timeframe: '1d' });
export const migrated = migrate(ofStore);
