import type { FailureClass } from '../failures/classifyFailure.js';
import { sqlStateOf } from '../failures/sqlState.js';
import type { FailureLink } from '../failures/walkFailure.js';
import { type PostgresFailure, postgresFailure } from './failures.js';
import { StoreError, type StoreErrorCode } from './storeError.js';

/** What was under way, as far as advice depends on it. Each text completes a sentence. */
export interface Purpose {
  /** What it was done to: `the table "bars"`. */
  readonly target: string;
  readonly ifMissing: string;
  /** What the target is in place of what was expected, and the remedy. */
  readonly mismatch: string;
  readonly ifMismatched: string;
  readonly grant: string;
  readonly ifLost: string;
  /** What an exception means that has no code, such as a TypeError. Default: that the connection broke. */
  readonly ifThrown?: string;
}

/** `table` is the one that is written, as SQL writes it. */
export function writing(table?: string): Purpose {
  const target = table === undefined ? 'a table' : `the table ${table}`;
  return {
    target,
    ifMissing: 'create it, or let the next write do so with createTable: true',
    mismatch: 'does not match the schema the sink expects',
    ifMismatched: 'give the sink a table of its own, or alter this one',
    grant: `grant it INSERT, SELECT and UPDATE on ${target}, and CREATE on its schema or createTable: false`,
    ifThrown: 'the batch cannot be written',
    ifLost: 'unacknowledged writes may or may not be committed; retrying is safe',
  };
}

const WRITING = writing();

interface DriverError extends FailureLink {
  readonly address?: unknown;
  readonly port?: unknown;
  readonly hostname?: unknown;
  readonly column?: unknown;
  readonly where?: unknown;
}

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name of the host could not be looked up',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ENOENT: 'no such socket',
  EACCES: 'no permission for the socket',
};

/**
 * The driver's error as a sentence with its remedy. The driver's own text is quoted, which never holds the password; the
 * connection string is not.
 */
export function toStoreError(error: unknown, purpose: Purpose = WRITING): StoreError {
  if (error instanceof StoreError) return error;
  const driver = rootOf(error);
  const failure = postgresFailure(driver);
  const sqlState = sqlStateOf(driver);
  const [code, message] =
    sqlState === undefined
      ? withoutState(driver, failure, purpose)
      : ([failure?.code ?? 'SLUICE_STORE_FAILED', withState(sqlState, driver, failure, purpose)] as const);
  const field = fieldOf(driver);
  return new StoreError(code, message, { sqlState, field, failureClass: classOf(failure, code), cause: error });
}

/** What the driver says, or at least its code. */
export function reasonOf(error: unknown): string {
  const { message, code } = rootOf(error);
  if (typeof message === 'string' && message !== '') return message;
  return typeof code === 'string' ? code : 'no reason given';
}

/** What the table does not know is left to the codes of the system beneath. */
function classOf(failure: PostgresFailure | undefined, code: StoreErrorCode): FailureClass | undefined {
  return failure?.class ?? (code === 'SLUICE_STORE_VALUE' ? 'poison' : undefined);
}

function withoutState(
  driver: DriverError,
  failure: PostgresFailure | undefined,
  purpose: Purpose,
): readonly [StoreErrorCode, string] {
  const said = reasonOf(driver);
  const refusal = typeof driver.code === 'string' ? UNREACHABLE[driver.code] : undefined;
  if (refusal) {
    const host = driver.address ?? driver.hostname;
    const at = typeof host === 'string' ? ` at ${host}${driver.port === undefined ? '' : `:${driver.port}`}` : '';
    return [
      'SLUICE_STORE_UNREACHABLE',
      `cannot reach Postgres${at} (${refusal}): start the server, or correct host and port in DATABASE_URL`,
    ];
  }
  if (failure?.code === 'SLUICE_STORE_UNREACHABLE' || (/timeout/i.test(said) && /connect/i.test(said))) {
    return [
      'SLUICE_STORE_UNREACHABLE',
      `no connection to Postgres in time (${said}): start the server, or allow more connections`,
    ];
  }
  if (failure?.remedy) return ['SLUICE_STORE_FAILED', `the store cannot be used (${said}): ${failure.remedy}`];
  if (/SASL|password/i.test(said)) {
    return [
      'SLUICE_STORE_PASSWORD',
      'the server asks for a password and none was given: put it into DATABASE_URL or PGPASSWORD',
    ];
  }
  const isThrown = driver.code === undefined && (driver instanceof TypeError || driver instanceof RangeError);
  if (isThrown && purpose.ifThrown) {
    return ['SLUICE_STORE_VALUE', `${purpose.ifThrown} (${said})`];
  }
  return ['SLUICE_STORE_CONNECTION_LOST', `the connection to Postgres broke (${said}): ${purpose.ifLost}`];
}

function withState(
  state: string,
  driver: DriverError,
  failure: PostgresFailure | undefined,
  { target, ifMissing, mismatch, ifMismatched, grant, ifLost }: Purpose,
): string {
  const said = reasonOf(driver);
  if (failure?.remedy) return `Postgres reports ${state} (${said}): ${failure.remedy}`;
  switch (failure?.code) {
    case 'SLUICE_STORE_CONNECTION_LOST':
      return `Postgres reports ${state} (${said}): ${ifLost}`;
    case 'SLUICE_STORE_PASSWORD':
      if (/no encryption|SSL off/.test(said)) {
        return `Postgres refuses a login without TLS (${said}): write sslmode=require in DATABASE_URL`;
      }
      return `Postgres refuses the login (${said}): correct user and password in DATABASE_URL`;
    case 'SLUICE_STORE_DATABASE':
      return `Postgres does not have the database (${said}): create it with createdb, or correct its name in DATABASE_URL`;
    case 'SLUICE_STORE_TABLE':
      return state === '42P01' || state === '3F000'
        ? `${target} is missing (${said}): ${ifMissing}`
        : `${target} ${mismatch} (${said}): ${ifMismatched}`;
    case 'SLUICE_STORE_PERMISSION':
      return `permission denied (${said}): ${grant}`;
    default:
      return `Postgres reports ${state} (${said})`;
  }
}

/** A host with several addresses fails with one error per address, under a head that says nothing. */
export function rootOf(error: unknown): DriverError {
  const driver = (error ?? {}) as DriverError;
  const first: unknown = Array.isArray(driver.errors) ? driver.errors[0] : undefined;
  return typeof first === 'object' && first !== null ? (first as DriverError) : driver;
}

/** The column that the server names: in a field of its own, or where a COPY stopped. */
function fieldOf(driver: DriverError): string | undefined {
  if (typeof driver.column === 'string') return driver.column;
  return typeof driver.where === 'string' ? /^COPY .*, line \d+, column ([^\s:]+)/.exec(driver.where)?.[1] : undefined;
}
