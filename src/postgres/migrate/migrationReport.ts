/** One thing that a migration does, as one transaction. */
export interface MigrationStep {
  /** `003_news`, or what is set up after the numbered ones: `bars_5m view`. */
  readonly name: string;
  /** `numbered` is recorded, and done again only where its table is gone; `feature` is whatever the server offers and the store lacks. */
  readonly kind: 'numbered' | 'feature';
  /** One line for a person. */
  readonly what: string;
  /** What is sent to the server. */
  readonly sql: string;
}

export interface MigrationReport {
  readonly schema: string;
  /** The number of the newest migration that this program knows. */
  readonly version: number;
  /** What was done, in order; of a plan, what is missing. */
  readonly steps: readonly MigrationStep[];
  /** The version of TimescaleDB that the store is set up for; undefined on plain Postgres. */
  readonly timescale: string | undefined;
  /** What a person should know, one sentence each. */
  readonly notes: readonly string[];
}
