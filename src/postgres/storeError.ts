import type { FailureClass, FailureTraits } from '../failures/classifyFailure.js';
import { printableLines } from '../primitives/printable.js';

/** The class of a failure, where the code alone decides it. */
const CLASSES = {
  SLUICE_STORE_UNREACHABLE: undefined,
  SLUICE_STORE_CONNECTION_LOST: undefined,
  SLUICE_STORE_FAILED: undefined,
  SLUICE_STORE_TIMEOUT: 'transient',
  SLUICE_STORE_VALUE: 'poison',
  SLUICE_STORE_PASSWORD: 'fatal',
  SLUICE_STORE_LOGIN: 'fatal',
  SLUICE_STORE_DATABASE: 'fatal',
  SLUICE_STORE_TABLE: 'fatal',
  SLUICE_STORE_PERMISSION: 'fatal',
  SLUICE_STORE_URL: 'fatal',
  SLUICE_STORE_FOLDER: 'fatal',
  SLUICE_STORE_LOCKED: 'fatal',
  SLUICE_STORE_UNSUPPORTED: 'fatal',
  SLUICE_STORE_PACKAGE: 'fatal',
} as const;

export type StoreErrorCode = keyof typeof CLASSES;

/** A store failure, described for humans. The driver's error, if there is one, is the cause. */
export class StoreError extends Error implements FailureTraits {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  /** The five characters by which Postgres classes its errors. */
  readonly sqlState?: string;
  /** The column that the error is about, if known. */
  readonly field?: string;
  /** What can be done about it; undefined: the cause decides. */
  readonly failureClass?: FailureClass;

  constructor(
    code: StoreErrorCode,
    message: string,
    options: {
      sqlState?: string | undefined;
      field?: string | undefined;
      failureClass?: FailureClass | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(printableLines(message), 'cause' in options ? { cause: options.cause } : undefined);
    const { sqlState, field, failureClass = CLASSES[code] } = options;
    this.code = code;
    if (sqlState !== undefined) this.sqlState = sqlState;
    if (field !== undefined) this.field = field;
    if (failureClass !== undefined) this.failureClass = failureClass;
  }

  get connectionLost(): boolean {
    return this.code === 'SLUICE_STORE_CONNECTION_LOST';
  }
}

export function isStoreError(error: unknown): error is StoreError {
  return error instanceof Error && error.name === 'StoreError';
}
