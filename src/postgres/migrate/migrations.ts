import { createHash } from 'node:crypto';

/** One numbered change of the store. */
export interface Migration {
  readonly version: number;
  /** Recorded in the database, such as `001_bars`. */
  readonly name: string;
  readonly sql: string;
  /** Of the SQL, so that an edited migration is noticed. */
  readonly checksum: string;
}

/** One thing that a migration does, as one transaction. */
export interface MigrationStep {
  /** `003_news`, or what is set up after the numbered ones: `bars_5m view`. */
  readonly name: string;
  /** `numbered` is recorded, and repeated only if its table is gone; `feature` is whatever the server offers and the store lacks. */
  readonly kind: 'numbered' | 'feature';
  /** One line for humans. */
  readonly what: string;
  /** What is sent to the server. */
  readonly sql: string;
}

/** What a migration has done, or a plan of one would do. */
export interface MigrationReport {
  readonly schema: string;
  /** The number of the newest migration that this program knows. */
  readonly version: number;
  /** What was done, in order; of a plan, what is missing. */
  readonly steps: readonly MigrationStep[];
  /** The version of TimescaleDB that the store is set up for; undefined on plain Postgres. */
  readonly timescale: string | undefined;
  /** What the operator should know, one sentence each. */
  readonly notes: readonly string[];
}

/** As text in a module, so that a program bundled into one file has them. A migration that was released is never edited. */
const SQL = {
  '001_bars': `-- One row a vendor, symbol, timeframe and start. The same table that barsSink makes: a store that it made is taken over.
CREATE TABLE IF NOT EXISTS bars (
  vendor    text             NOT NULL,
  symbol    text             NOT NULL,
  timeframe text             NOT NULL,
  ts        timestamptz      NOT NULL,
  open      double precision NOT NULL,
  high      double precision NOT NULL,
  low       double precision NOT NULL,
  close     double precision NOT NULL,
  volume    double precision NOT NULL,
  seq       bigint           NOT NULL,
  PRIMARY KEY (vendor, symbol, timeframe, ts)
);
`,
  '002_options_snap': `-- One row a contract and instant. What a vendor leaves out of a snapshot is null, not zero.
CREATE TABLE IF NOT EXISTS options_snap (
  vendor           text             NOT NULL,
  symbol           text             NOT NULL,
  expiry           date             NOT NULL,
  option_type      text             NOT NULL,
  strike           double precision NOT NULL,
  ts               timestamptz      NOT NULL,
  bid              double precision,
  ask              double precision,
  last             double precision,
  iv               double precision,
  delta            double precision,
  gamma            double precision,
  theta            double precision,
  vega             double precision,
  open_interest    double precision,
  volume           double precision,
  underlying_price double precision,
  seq              bigint           NOT NULL,
  PRIMARY KEY (vendor, symbol, expiry, option_type, strike, ts)
);
`,
  '003_news': `-- One row an item of a vendor, by the vendor's own id.
CREATE TABLE IF NOT EXISTS news (
  vendor       text             NOT NULL,
  id           text             NOT NULL,
  published_at timestamptz      NOT NULL,
  title        text             NOT NULL,
  url          text             NOT NULL,
  symbols      text[]           NOT NULL,
  sentiment    double precision,
  seq          bigint           NOT NULL,
  PRIMARY KEY (vendor, id)
);

-- The key says nothing of time and symbol, and those are what news are looked up by.
CREATE INDEX IF NOT EXISTS news_published_at ON news (published_at);
CREATE INDEX IF NOT EXISTS news_symbols ON news USING gin (symbols);
`,
  '004_fundamentals': `-- One row a figure: a vendor, symbol, period and metric.
CREATE TABLE IF NOT EXISTS fundamentals (
  vendor      text             NOT NULL,
  symbol      text             NOT NULL,
  period_end  date             NOT NULL,
  timeframe   text             NOT NULL,
  metric      text             NOT NULL,
  value       double precision NOT NULL,
  unit        text             NOT NULL,
  filing_date date,
  seq         bigint           NOT NULL,
  PRIMARY KEY (vendor, symbol, period_end, timeframe, metric)
);
`,
  '005_bar_details': `-- What few vendors say of a bar. Null where they do not, and in all rows that are there.
ALTER TABLE bars
  ADD COLUMN IF NOT EXISTS is_final    boolean,
  ADD COLUMN IF NOT EXISTS is_complete boolean,
  ADD COLUMN IF NOT EXISTS trades      bigint,
  ADD COLUMN IF NOT EXISTS vwap        double precision;
`,
  '006_trades': `-- One row a trade: a vendor, symbol, instant and the vendor's own id.
CREATE TABLE IF NOT EXISTS trades (
  vendor     text             NOT NULL,
  symbol     text             NOT NULL,
  ts         timestamptz      NOT NULL,
  id         text             NOT NULL,
  price      double precision NOT NULL,
  size       double precision NOT NULL,
  venue      text,
  side       text,
  conditions text[],
  seq        bigint           NOT NULL,
  PRIMARY KEY (vendor, symbol, ts, id)
);
`,
  '007_quotes': `-- One row a change of the best bid or ask. A side that is absent is null.
CREATE TABLE IF NOT EXISTS quotes (
  vendor    text        NOT NULL,
  symbol    text        NOT NULL,
  ts        timestamptz NOT NULL,
  id        text        NOT NULL,
  bid       double precision,
  bid_size  double precision,
  ask       double precision,
  ask_size  double precision,
  bid_venue text,
  ask_venue text,
  seq       bigint      NOT NULL,
  PRIMARY KEY (vendor, symbol, ts, id)
);
`,
  '008_gaps': `-- One row a span of which records of a series are missing, or were. The timeframe is empty where a series has none.
CREATE TABLE IF NOT EXISTS gaps (
  vendor    text        NOT NULL,
  symbol    text        NOT NULL,
  of_kind   text        NOT NULL,
  timeframe text        NOT NULL,
  from_ts   timestamptz NOT NULL,
  to_ts     timestamptz NOT NULL,
  cause     text        NOT NULL,
  state     text        NOT NULL,
  rows      bigint,
  reason    text,
  seq       bigint      NOT NULL,
  PRIMARY KEY (vendor, symbol, of_kind, timeframe, from_ts, to_ts)
);

-- The open ones are few, and asked for often.
CREATE INDEX IF NOT EXISTS gaps_state ON gaps (state, from_ts);
`,
} as const;

export type MigrationName = keyof typeof SQL;

/** The migrations that this program knows, numbered from 1 without a gap. */
export const MIGRATIONS: readonly Migration[] = Object.entries(SQL).map(([name, sql], i) => ({
  version: i + 1,
  name,
  sql,
  checksum: createHash('sha256').update(sql).digest('hex'),
}));
