import { socketFailure } from '../failures/errno.js';
import { sqlStateOf } from '../failures/sqlState.js';
import { type FailureLink, walkFailure } from '../failures/walkFailure.js';
import { type PostgresFailure, postgresFailure } from './failures.js';
import { StoreError } from './storeError.js';

type Advice = Pick<PostgresFailure, 'what' | 'remedy'>;

/** What was under way, as far as messages depend on it. */
export type Purpose = Readonly<Record<NonNullable<PostgresFailure['advice']>, Advice>> & {
  /** What an exception without a code means, such as a TypeError. Default: that the connection broke. */
  readonly thrown?: string;
};

export const BROKE = 'the connection to Postgres broke';
export const DENIED = 'permission denied';

/** `table` is the one that is written, as SQL writes it. */
export function writing(table?: string): Purpose {
  const target = table === undefined ? 'a table' : `the table ${table}`;
  return {
    missing: {
      what: `${target} is missing`,
      remedy: 'create it, or let the next write do so with createTable: true',
    },
    mismatch: {
      what: `${target} does not match the schema the sink expects`,
      remedy: 'give the sink a table of its own, or alter this one',
    },
    permission: {
      what: DENIED,
      remedy: `grant it INSERT, SELECT and UPDATE on ${target}, and CREATE on its schema or createTable: false`,
    },
    lost: { what: BROKE, remedy: 'unacknowledged writes may or may not be committed; retrying is safe' },
    thrown: 'the batch cannot be written',
  };
}

const WRITING = writing();

const BROKEN = { code: 'SLUICE_STORE_CONNECTION_LOST', advice: 'lost' } as const;

interface DriverError extends FailureLink {
  readonly address?: unknown;
  readonly port?: unknown;
  readonly hostname?: unknown;
  readonly column?: unknown;
  readonly where?: unknown;
}

/**
 * The driver's error as a sentence with its remedy. The driver's own text is quoted, which never holds the password; the
 * connection string is not.
 */
export function toStoreError(error: unknown, purpose: Purpose = WRITING): StoreError {
  if (error instanceof StoreError) return error;
  const driver = rootOf(error);
  const sqlState = sqlStateOf(driver);
  const failure = postgresFailure(driver);
  const options = { sqlState, field: fieldOf(driver), failureClass: failure?.class, cause: error };
  if (sqlState === undefined && !failure) {
    const meaning = socketFailure(driver);
    if (meaning) {
      const message = `cannot reach Postgres${addressOf(driver)} (${meaning}): start the server, or correct host and port in DATABASE_URL`;
      return new StoreError('SLUICE_STORE_UNREACHABLE', message, options);
    }
    const isThrown = driver.code === undefined && (driver instanceof TypeError || driver instanceof RangeError);
    if (isThrown && purpose.thrown) {
      return new StoreError('SLUICE_STORE_VALUE', `${purpose.thrown} (${reasonOf(driver)})`, options);
    }
  }
  // What no table knows: a state is quoted; anything else comes from a broken connection, and the class from its cause.
  const found: Partial<PostgresFailure> = failure ?? (sqlState === undefined ? BROKEN : {});
  const { code = 'SLUICE_STORE_FAILED', advice } = found;
  const { what, remedy } = advice ? purpose[advice] : found;
  const isReported = sqlState !== undefined && (what === undefined || advice === 'lost');
  const said = `${isReported ? `Postgres reports ${sqlState}` : what} (${reasonOf(driver)})`;
  return new StoreError(code, remedy === undefined ? said : `${said}: ${remedy}`, options);
}

/** What the driver says, or at least its code. */
export function reasonOf(error: unknown): string {
  const { message, code } = rootOf(error);
  if (typeof message === 'string' && message !== '') return message;
  return typeof code === 'string' ? code : 'no reason given';
}

/**
 * The error that the server, the driver or the system gave: a library around the driver may have wrapped it, and a host with
 * several addresses fails with one error per address, under a head that says nothing. If none is known, the first of those, or
 * the error itself.
 */
export function rootOf(error: unknown): DriverError {
  let first: FailureLink | undefined;
  const known = walkFailure<DriverError>(error, (link) => {
    if (Array.isArray(link.errors) && link.errors.length > 0) return undefined;
    first ??= link;
    return (sqlStateOf(link) ?? postgresFailure(link) ?? socketFailure(link)) ? link : undefined;
  });
  return known ?? first ?? {};
}

function addressOf({ address, hostname, port }: DriverError): string {
  const host = address ?? hostname;
  return typeof host === 'string' ? ` at ${host}${port === undefined ? '' : `:${port}`}` : '';
}

/** The column that the server names: in a field of its own, or where a COPY stopped. */
function fieldOf({ column, where }: DriverError): string | undefined {
  if (typeof column === 'string') return column;
  return typeof where === 'string' ? /^COPY .*, line \d+, column ([^\s:]+)/.exec(where)?.[1] : undefined;
}
