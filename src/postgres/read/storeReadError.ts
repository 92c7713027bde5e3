/** A store could not be read, or not to the end. The driver's error is the cause. */
export class StoreReadError extends Error {
  override readonly name = 'StoreReadError';
  readonly code = 'SLUICE_STORE_READ';
  /** The five characters by which Postgres classes its errors; undefined where the driver or the network failed. */
  readonly sqlState?: string;

  /** `table` is the one that was read, as SQL writes it. */
  constructor(table: string, options: { cause: unknown }) {
    const state = sqlStateOf(options.cause);
    super(`cannot read ${table}: ${reasonOf(table, state, options.cause)}`, options);
    if (state !== undefined) this.sqlState = state;
  }
}

export function isStoreReadError(error: unknown): error is StoreReadError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_STORE_READ';
}

interface DriverError {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly errors?: readonly unknown[];
}

/** Whether the connection is gone with the error, so that its client must not be used again. */
export function endsConnection(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === undefined || state.startsWith('08') || state.startsWith('57P');
}

function sqlStateOf(error: unknown): string | undefined {
  const code = rootOf(error).code;
  return typeof code === 'string' && /^[0-9A-DF-Z][0-9A-Z]{4}$/.test(code) ? code : undefined;
}

/** A host with several addresses fails with one error an address, under a head that says nothing. */
function rootOf(error: unknown): DriverError {
  const driver = (error ?? {}) as DriverError;
  const first = driver.errors?.[0];
  return typeof first === 'object' && first !== null ? (first as DriverError) : driver;
}

const UNREACHABLE = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']);

function reasonOf(table: string, state: string | undefined, cause: unknown): string {
  const { code, message } = rootOf(cause);
  const said = typeof message === 'string' && message !== '' ? message : String(code ?? 'no reason given');
  if (state === '42P01' || state === '3F000') {
    return `it is missing (${said}): migrate the store first, or let barsSink make it`;
  }
  if (state === '42703' || state === '42883') {
    return `it is not a table of bars (${said}): migrate the store, or name another table`;
  }
  if (state === '42501')
    return `the database user may not (${said}): GRANT SELECT ON ${table} to it, and USAGE on its schema`;
  if (state === undefined && typeof code === 'string' && UNREACHABLE.has(code)) {
    return `no server to be reached (${said}): start it, or correct host and port in DATABASE_URL`;
  }
  if (endsConnection(cause)) {
    return `the connection to Postgres broke (${said}): subscribe again, from the last bar that came`;
  }
  return `Postgres reports ${state} (${said})`;
}
