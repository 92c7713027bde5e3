import { type Classify, classify, type FailureClass } from '../failures/classifyFailure.js';
import { sqlStateOf } from '../failures/sqlState.js';
import type { FailureLink } from '../failures/walkFailure.js';
import type { StoreErrorCode } from './storeError.js';

/** What an error of the server, of a pooler or of the driver means. */
export interface PostgresFailure {
  readonly class: FailureClass;
  /** Default: `SLUICE_STORE_FAILED`. */
  readonly code?: StoreErrorCode;
  /**
   * `lost`: the connection is gone. `spent`: it is there, and every further statement would fail as this one did. Neither may
   * go back to the pool. Default: the session can be used again.
   */
  readonly session?: 'lost' | 'spent';
  /** What happened, in our words. Default: that Postgres reports the state. */
  readonly what?: string;
  readonly remedy?: string;
  /** What happened and the remedy depend on what was under way. */
  readonly advice?: 'missing' | 'mismatch' | 'permission' | 'lost';
}

const LOST = { class: 'transient', session: 'lost', code: 'SLUICE_STORE_CONNECTION_LOST', advice: 'lost' } as const;
const UNREACHABLE = { class: 'transient', code: 'SLUICE_STORE_UNREACHABLE' } as const;
const LOGIN = {
  class: 'fatal',
  code: 'SLUICE_STORE_PASSWORD',
  what: 'Postgres refuses the login',
  remedy: 'correct user and password in DATABASE_URL',
} as const;
const NO_DATABASE = {
  class: 'fatal',
  code: 'SLUICE_STORE_DATABASE',
  what: 'Postgres does not have the database',
  remedy: 'create it with createdb, or correct its name in DATABASE_URL',
} as const;
const TRANSIENT = { class: 'transient' } as const;
const POISON = { class: 'poison' } as const;
const BAD_VALUE = { class: 'poison', code: 'SLUICE_STORE_VALUE' } as const;
const FATAL = { class: 'fatal' } as const;
const MISSING = { class: 'fatal', code: 'SLUICE_STORE_TABLE', advice: 'missing' } as const;
const MISMATCH = { class: 'fatal', code: 'SLUICE_STORE_TABLE', advice: 'mismatch' } as const;

/**
 * The one table of SQLSTATEs: looked up whole, then by class, the first two characters. See "PostgreSQL Error Codes",
 * appendix A of its manual. A code that is missing here counts as transient.
 */
const STATES: Readonly<Record<string, PostgresFailure>> = {
  '08': LOST,
  // Protocol violation: the two sides are out of step. A pooler sends it for almost anything, see `POOLER`.
  '08P01': { class: 'transient', session: 'spent' },
  // Serialisation failure, deadlock, unknown completion: the same statement may work at the next attempt.
  '40': TRANSIENT,
  '40002': POISON,
  '53': TRANSIENT,
  '53100': { ...TRANSIENT, remedy: 'the disk of the server is full; nothing of the batch is written; make room' },
  '53200': { ...TRANSIENT, remedy: 'the server is out of memory; write smaller batches' },
  '53300': {
    ...TRANSIENT,
    remedy: 'the server has no connection left; close others, or raise max_connections',
  },
  // A limit such as the one on decompressed tuples or on temporary files: waiting never helps, a smaller batch may.
  '53400': { ...POISON, remedy: 'the batch exceeds a limit in the configuration of the server; raise the limit' },
  '55': TRANSIENT,
  // Cancelled by a timeout or an operator.
  '57': TRANSIENT,
  '57P01': LOST,
  '57P02': LOST,
  '57P03': {
    ...UNREACHABLE,
    session: 'spent',
    remedy: 'the server is starting or stopping and accepts no connections: try again in a moment',
  },
  '57P04': LOST,
  '57P05': LOST,
  // The system beneath Postgres.
  '58': TRANSIENT,
  XX: TRANSIENT,
  // Corrupted data or index: what is written on top of it may be lost.
  XX001: FATAL,
  XX002: FATAL,
  // The state of this transaction, which the next one does not share.
  '25': TRANSIENT,
  // The session stays read-only, as on an old primary after a failover: a new connection may reach the new one.
  '25006': { ...TRANSIENT, session: 'spent', remedy: 'the server is read-only; write to the primary' },
  // The server closes the connection with these: a transaction that was idle or took too long.
  '25P03': LOST,
  '25P04': LOST,
  // A prepared statement that a pooler has put elsewhere: unknown here, or known already.
  '26000': TRANSIENT,
  '42P05': TRANSIENT,

  '22': BAD_VALUE,
  '23': BAD_VALUE,
  '21000': POISON,
  '44': POISON,
  P0: POISON,
  '54000': { ...BAD_VALUE, remedy: 'a row is larger than the server takes; the texts of its key must be shorter' },
  // A document that is nested too deeply.
  '54001': POISON,

  '28': FATAL,
  '28000': LOGIN,
  '28P01': LOGIN,
  '3D': FATAL,
  '3D000': NO_DATABASE,
  '3F': FATAL,
  '3F000': MISSING,
  '42': FATAL,
  '42501': { class: 'fatal', code: 'SLUICE_STORE_PERMISSION', advice: 'permission' },
  '42P01': MISSING,
  '42703': MISMATCH,
  '42804': MISMATCH,
  '42883': MISMATCH,
  '42P10': MISMATCH,
  '0A': FATAL,
  '0L': FATAL,
  '0P': FATAL,
  F0: FATAL,
  // Too many columns or arguments: the statement is at fault, whatever the row.
  '54': FATAL,
};

/** What a pooler means by 08P01, by its text. PgBouncer says so of a wrong password as of a server that crashed. */
const POOLER: readonly (readonly [RegExp, PostgresFailure])[] = [
  [/no such database|database ".*" does not exist/i, { ...NO_DATABASE, session: 'spent' }],
  [/password|authentication|auth failed|no such user|login rejected/i, { ...LOGIN, session: 'spent' }],
  [
    /unsupported startup parameter/i,
    { ...FATAL, session: 'spent', remedy: 'add the parameter to ignore_startup_parameters of the pooler' },
  ],
];

/** A session without the staging table that it had: a pooler in transaction or statement mode has swapped it. */
const STAGE_LOST = /\bpg_temp\b|\bsluice_stage_/;

/** A login that the server wants encrypted. */
const WITHOUT_TLS = /no encryption|SSL off/;

/** Texts of the driver, which comes without a code. */
const DRIVER: readonly (readonly [RegExp, PostgresFailure])[] = [
  [
    /^Cannot use a pool after calling end/,
    { ...FATAL, what: 'the store is closed', remedy: 'close it after all writes have ended' },
  ],
  [/^Connection terminated/, LOST],
  [/^Client (has encountered a connection error|was closed) and is not queryable/, LOST],
  [/^(timeout expired|Query read timeout)/, LOST],
  [
    /timeout.*connect|connect.*timeout/i,
    {
      ...UNREACHABLE,
      what: 'no connection to Postgres in time',
      remedy: 'start the server, or allow more connections',
    },
  ],
  [
    /SASL|password/i,
    {
      ...LOGIN,
      what: 'the server asks for a password and none was given',
      remedy: 'put it into DATABASE_URL or PGPASSWORD',
    },
  ],
];

/** What a message says of its kind, it says at once; some patterns would search a long one over and over. */
const MAX_MESSAGE = 1_000;

/** Looks up one error by its SQLSTATE, else by the text of the driver; `undefined` for what neither of them has. */
export function postgresFailure(link: FailureLink): PostgresFailure | undefined {
  const message = typeof link.message === 'string' ? link.message.slice(0, MAX_MESSAGE) : '';
  const state = sqlStateOf(link);
  if (state === undefined) return link.code === undefined ? find(DRIVER, message) : undefined;
  if (state === '08P01') return find(POOLER, message) ?? STATES[state];
  if (state === '28000' && WITHOUT_TLS.test(message)) {
    return { ...LOGIN, what: 'Postgres refuses a login without TLS', remedy: 'write sslmode=require in DATABASE_URL' };
  }
  if ((state === '3F000' || state === '42P01') && STAGE_LOST.test(message)) {
    return { ...TRANSIENT, remedy: 'a pooler has swapped the session: use its session mode, or the strategy unnest' };
  }
  return STATES[state] ?? STATES[state.slice(0, 2)];
}

/** Classifies what Postgres, a pooler or the driver reports, alone or beneath errors of others. */
export const classifyPostgresFailure: Classify = classify((link) =>
  // A StoreError was classified by the very error that caused it.
  link.failureClass === undefined ? postgresFailure(link)?.class : undefined,
);

function find(rows: readonly (readonly [RegExp, PostgresFailure])[], message: string): PostgresFailure | undefined {
  return rows.find(([pattern]) => pattern.test(message))?.[1];
}
