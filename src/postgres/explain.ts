import { StoreError } from './storeError.js';

interface DriverError {
  readonly code?: unknown;
  readonly address?: unknown;
  readonly port?: unknown;
  readonly hostname?: unknown;
  readonly message?: unknown;
  readonly column?: unknown;
  readonly where?: unknown;
  readonly errors?: readonly unknown[];
}

/** The SQLSTATE of an error of the server; undefined for one of the driver or the network, whose codes begin with an E. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = (error as DriverError | null)?.code;
  return typeof code === 'string' && /^[0-9A-DF-Z][0-9A-Z]{4}$/.test(code) ? code : undefined;
}

/** The two sides do not understand each other: the connection is of no more use, and writing again would not help. */
const PROTOCOL_VIOLATION = '08P01';

/** A row that is beyond a limit of the server: a key of several thousand letters does not fit into an index. */
const TOO_LARGE = '54000';

/** Whether the connection is gone with the error, so that its client must not be used again. */
export function breaksConnection(error: unknown): boolean {
  if (error instanceof StoreError) return false;
  const state = sqlStateOf(error);
  return state === undefined || state.startsWith('08') || state.startsWith('57P');
}

const REFUSALS: Record<string, string> = {
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
 * The driver's error said to a person, with what can be done about it. `table` is the one that was written. What the
 * driver says is quoted, and it never says the password; the connection string is not quoted.
 */
export function explain(error: unknown, table?: string): StoreError {
  if (error instanceof StoreError) return error;
  const driver = rootOf(error);
  const said = messageOf(driver);
  const state = sqlStateOf(driver);
  const options = { sqlState: state, field: fieldOf(driver), cause: error };
  const target = table === undefined ? 'a table' : `the table ${table}`;

  if (state === undefined) {
    const refusal = typeof driver.code === 'string' ? REFUSALS[driver.code] : undefined;
    if (refusal) {
      const host = driver.address ?? driver.hostname;
      const at = typeof host === 'string' ? ` at ${host}${driver.port === undefined ? '' : `:${driver.port}`}` : '';
      return new StoreError(
        'SLUICE_STORE_UNREACHABLE',
        `cannot reach Postgres${at} (${refusal}): start the server, or correct host and port in DATABASE_URL`,
        options,
      );
    }
    if (/timeout/i.test(said) && /connect/i.test(said)) {
      return new StoreError(
        'SLUICE_STORE_UNREACHABLE',
        `no connection to Postgres in time (${said}): start the server, or allow more connections`,
        options,
      );
    }
    if (/SASL|password/i.test(said)) {
      return new StoreError(
        'SLUICE_STORE_PASSWORD',
        'the server asks for a password, and none was given: put it into DATABASE_URL or PGPASSWORD',
        options,
      );
    }
    if (driver.code === undefined && (driver instanceof TypeError || driver instanceof RangeError)) {
      return new StoreError('SLUICE_STORE_VALUE', `the batch cannot be written (${said})`, options);
    }
    return new StoreError(
      'SLUICE_STORE_CONNECTION_LOST',
      `the connection to Postgres broke (${said}): ${WRITE_AGAIN}`,
      options,
    );
  }

  switch (state) {
    case '28P01':
    case '28000':
      return new StoreError(
        'SLUICE_STORE_PASSWORD',
        `Postgres refuses the login (${said}): correct user and password in DATABASE_URL`,
        options,
      );
    case '3D000':
      return new StoreError(
        'SLUICE_STORE_DATABASE',
        `Postgres does not have the database (${said}): create it with createdb, or correct its name in DATABASE_URL`,
        options,
      );
    case '42P01':
    case '3F000':
      return new StoreError(
        'SLUICE_STORE_TABLE',
        `${target} is missing (${said}): create it, or let the next write do so with createTable: true`,
        options,
      );
    case '42703':
    case '42804':
    case '42P10':
      return new StoreError(
        'SLUICE_STORE_TABLE',
        `${target} is not as the sink needs it (${said}): give the sink a table of its own, or alter this one`,
        options,
      );
    case '42501':
      return new StoreError(
        'SLUICE_STORE_PERMISSION',
        `the database user may not do this (${said}): grant it INSERT, SELECT and UPDATE on ${target}, and CREATE on ` +
          'its schema or createTable: false',
        options,
      );
    default: {
      const gone = (state.startsWith('08') && state !== PROTOCOL_VIOLATION) || state.startsWith('57P');
      const poison = state.startsWith('22') || state.startsWith('23') || state === TOO_LARGE;
      const code = gone ? 'SLUICE_STORE_CONNECTION_LOST' : poison ? 'SLUICE_STORE_VALUE' : 'SLUICE_STORE_FAILED';
      const remedy = REMEDIES[state] ?? (gone ? `: ${WRITE_AGAIN}` : '');
      return new StoreError(code, `Postgres reports ${state} (${said})${remedy}`, options);
    }
  }
}

const WRITE_AGAIN = 'what was not answered may be committed or not, and can be written again';

/** What to do about states that a person at the server can mend. */
const REMEDIES: Readonly<Record<string, string>> = {
  '25006': ': the server is read-only; write to the primary',
  [TOO_LARGE]: ': a row is larger than the server takes; the texts of its key must be shorter',
  '53100': ': the disk of the store is full; nothing of the batch is written; make room and write it again',
  '53200': ': the server is out of memory; write again, in smaller batches',
  '53300': ': the server has no connection left; close others, or raise max_connections',
  '57P03': ': the server is starting or stopping, and takes no connections: try again in a moment',
};

/** A host with several addresses fails with one error an address, under a head that says nothing. */
function rootOf(error: unknown): DriverError {
  const driver = (error ?? {}) as DriverError;
  const first = driver.errors?.[0];
  return typeof first === 'object' && first !== null ? (first as DriverError) : driver;
}

/** The column that the server names: in a field of its own, or where a COPY stood. */
function fieldOf(driver: DriverError): string | undefined {
  if (typeof driver.column === 'string') return driver.column;
  return typeof driver.where === 'string' ? /^COPY .*, line \d+, column ([^\s:]+)/.exec(driver.where)?.[1] : undefined;
}

function messageOf(driver: DriverError): string {
  if (typeof driver.message === 'string' && driver.message) return driver.message;
  return typeof driver.code === 'string' ? driver.code : 'no reason given';
}
