import { type Classify, classify } from '../failures/classifyFailure.js';
import { sqlStateOf } from '../failures/sqlState.js';
import type { FailureLink } from '../failures/walkFailure.js';
import {
  CONNECTION_LIMITS,
  DATABASE_RIGHTS,
  DRIVER,
  EXHAUSTED,
  LOGIN,
  LOST,
  NO_DATABASE,
  NOT_ADMITTED,
  OTHER_POOLERS,
  POOLER,
  type PostgresFailure,
  REFUSALS,
  type Texts,
  UNREACHABLE,
} from './failureTexts.js';

export type { PostgresFailure };

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
  // Protocol violation: the two sides are out of step.
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
  '25006': { ...TRANSIENT, session: 'stale', remedy: 'the server is read-only; write to the primary' },
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
  '28000': { ...NOT_ADMITTED, what: 'Postgres refuses the login', remedy: 'correct the user in DATABASE_URL' },
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

/** States that mean one thing or another, by the text that comes with them. */
const BY_TEXT: Readonly<Record<string, Texts>> = {
  '08P01': POOLER,
  XX000: OTHER_POOLERS,
  '58000': OTHER_POOLERS,
  '28000': REFUSALS,
  '42501': DATABASE_RIGHTS,
  '53200': EXHAUSTED,
  '53300': CONNECTION_LIMITS,
};

/** What a message says of its kind, it says at once; some patterns would search a long one over and over. */
const MAX_MESSAGE = 1_000;

/** How the names of staging tables begin. */
export const STAGE_PREFIX = 'sluice_stage_';

const STAGE_NAMED = new RegExp(`\\bpg_temp\\b|\\b${STAGE_PREFIX}`);

/** A session without the staging table that it had: a pooler has swapped it, or someone has reset it. */
export function isStageLost(error: FailureLink): boolean {
  const state = sqlStateOf(error);
  return (state === '3F000' || state === '42P01') && STAGE_NAMED.test(textOf(error));
}

/** Looks up one error by its SQLSTATE, else by the text of the driver; `undefined` for what neither of them has. */
export function postgresFailure(link: FailureLink): PostgresFailure | undefined {
  const message = textOf(link);
  const state = sqlStateOf(link);
  if (state === undefined) return link.code === undefined ? find(DRIVER, message) : undefined;
  const rows = BY_TEXT[state];
  const byText = rows && find(rows, message);
  if (byText) return byText;
  if (isStageLost(link)) {
    return {
      ...TRANSIENT,
      remedy: 'a pooler has swapped the session, or someone has reset it; the next attempt brings the table along',
    };
  }
  return STATES[state] ?? STATES[state.slice(0, 2)];
}

/** Classifies what Postgres, a pooler or the driver reports, alone or beneath errors of others. */
export const classifyPostgresFailure: Classify = classify((link) =>
  // A StoreError was classified by the very error that caused it.
  link.failureClass === undefined ? postgresFailure(link)?.class : undefined,
);

/** The message, and the detail that a server adds to it. */
function textOf(link: FailureLink): string {
  const { message, detail } = link as FailureLink & { readonly detail?: unknown };
  const said = typeof message === 'string' ? message.slice(0, MAX_MESSAGE) : '';
  return typeof detail === 'string' ? `${said}\n${detail.slice(0, MAX_MESSAGE)}` : said;
}

function find(rows: Texts, message: string): PostgresFailure | undefined {
  return rows.find(([pattern]) => pattern.test(message))?.[1];
}
