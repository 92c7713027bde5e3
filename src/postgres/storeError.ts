export type StoreErrorCode =
  | 'SLUICE_STORE_UNREACHABLE'
  | 'SLUICE_STORE_CONNECTION_LOST'
  | 'SLUICE_STORE_PASSWORD'
  | 'SLUICE_STORE_DATABASE'
  | 'SLUICE_STORE_TABLE'
  | 'SLUICE_STORE_PERMISSION'
  | 'SLUICE_STORE_VALUE'
  | 'SLUICE_STORE_URL'
  | 'SLUICE_STORE_FOLDER'
  | 'SLUICE_STORE_LOCKED'
  | 'SLUICE_STORE_UNSUPPORTED'
  | 'SLUICE_STORE_FAILED';

/** What went wrong with the store, said to a person. The driver's error, where there is one, is the cause. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  /** The five characters by which Postgres classes its errors. */
  readonly sqlState?: string;
  /** The column that the error is about, where that is known. */
  readonly field?: string;

  constructor(
    code: StoreErrorCode,
    message: string,
    options: { sqlState?: string | undefined; field?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    if (options.sqlState !== undefined) this.sqlState = options.sqlState;
    if (options.field !== undefined) this.field = options.field;
  }
}

export function isStoreError(error: unknown): error is StoreError {
  return error instanceof Error && error.name === 'StoreError';
}
