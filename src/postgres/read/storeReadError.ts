import type { FailureClass, FailureTraits } from '../../failures/classifyFailure.js';
import { printableLines } from '../../primitives/printable.js';
import { BROKE, DENIED, type Purpose, toStoreError } from '../toStoreError.js';

/** A store could not be read, or not to the end. The driver's error is the cause. */
export class StoreReadError extends Error implements FailureTraits {
  override readonly name = 'StoreReadError';
  readonly code = 'SLUICE_STORE_READ';
  /** The five characters by which Postgres classes its errors; undefined where the driver or the network failed. */
  readonly sqlState?: string;
  /** What can be done about it; undefined: the cause decides. */
  readonly failureClass?: FailureClass;
  readonly connectionLost: boolean;

  /** `table` is the one that was read, as SQL writes it; `remedy` is what to do if the connection broke. */
  constructor(table: string, { cause, remedy }: { readonly cause: unknown; readonly remedy?: string }) {
    const { message, sqlState, failureClass, connectionLost } = toStoreError(cause, reading(table, remedy));
    super(printableLines(`cannot read ${table}: ${message}`), { cause });
    this.connectionLost = connectionLost;
    if (sqlState !== undefined) this.sqlState = sqlState;
    if (failureClass !== undefined) this.failureClass = failureClass;
  }
}

export function isStoreReadError(error: unknown): error is StoreReadError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_STORE_READ';
}

function reading(table: string, remedy = 'subscribe again, from the last record received'): Purpose {
  return {
    missing: { what: 'it is missing', remedy: 'migrate the store first, or let its sink create it' },
    mismatch: { what: 'it is not a table of such records', remedy: 'migrate the store, or name another table' },
    permission: {
      what: DENIED,
      remedy: `GRANT SELECT ON ${table} to the database user, and USAGE on its schema`,
    },
    lost: { what: BROKE, remedy },
  };
}
