/** The database: opening and migrating it, reading records from it, and sinks for tables of your own. */
export { classifyPostgresFailure } from './failures.js';
export { type MigrateConfig, migrate, migrationPlan } from './migrate/migrate.js';
export { isMigrationError, MigrationError, type MigrationErrorCode } from './migrate/migrationError.js';
export type { MigrationReport, MigrationStep } from './migrate/migrations.js';
export { type OpenStoreConfig, openStore, type Store } from './openStore.js';
export type { Pool, PoolClient, Queryable, Statement, StorePool } from './pool.js';
export { type BarsConfig, bars } from './read/bars.js';
export { type GapsConfig, gaps } from './read/gaps.js';
export { type LatestConfig, latest } from './read/latest.js';
export { type OpenGapsConfig, type OpenGapsCount, type OpenGapsPoller, openGaps } from './read/openGaps.js';
export { type QuotesConfig, quotes } from './read/quotes.js';
export {
  type ResumableSeries,
  type ResumePoints,
  type ResumePointsConfig,
  resumePoints,
} from './read/resumePoints.js';
export { type StoreLedgerConfig, storeLedger } from './read/storeLedger.js';
export { isStoreReadError, StoreReadError } from './read/storeReadError.js';
export { type TradesConfig, trades } from './read/trades.js';
export { isStoreError, StoreError, type StoreErrorCode } from './storeError.js';
export type { Column, ColumnType, ColumnValue, Table } from './table.js';
export { type TableSinkConfig, tableSink } from './tableSink.js';
export type { DaysConfig } from './timescale/days.js';
export type { TimescaleConfig } from './timescale/settings.js';
export type { Strategy } from './write/planner.js';
