import { printable } from '../primitives/printable.js';

/** What is known of a failure of a provider. */
export interface ProviderErrorOptions {
  /** The vendor's own words, or the error of the socket. */
  readonly cause?: unknown;
  /** No attempt is made before, in milliseconds. */
  readonly retryAfterMs?: number;
}

/** A failure of a provider, described for humans. Its class says what can be done; `cause` has the vendor's own words. */
export abstract class ProviderError extends Error {
  abstract readonly code: string;
  /** Whether another attempt makes sense. */
  abstract readonly retryable: boolean;
  readonly provider: string;
  readonly retryAfterMs: number | undefined;

  constructor(provider: string, message: string, options: ProviderErrorOptions = {}) {
    super(printable(`${provider}: ${message}`), 'cause' in options ? { cause: options.cause } : {});
    this.provider = provider;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The vendor says that it was asked too often. */
export class PacingViolation extends ProviderError {
  override readonly name = 'PacingViolation';
  readonly code = 'SLUICE_PACING_VIOLATION';
  readonly retryable = true;
}

/** The account may not have these data. */
export class NotEntitled extends ProviderError {
  override readonly name = 'NotEntitled';
  readonly code = 'SLUICE_NOT_ENTITLED';
  readonly retryable = false;
}

/** The vendor rejects the key, the user or the password. */
export class BadCredentials extends ProviderError {
  override readonly name = 'BadCredentials';
  readonly code = 'SLUICE_BAD_CREDENTIALS';
  readonly retryable = false;
}

/** The vendor does not know a symbol, a channel or a contract, or knows several of that name. */
export class UnknownInstrument extends ProviderError {
  override readonly name = 'UnknownInstrument';
  readonly code = 'SLUICE_UNKNOWN_INSTRUMENT';
  readonly retryable = false;
}

/** The connection could not be made, broke, or carried something that is not the vendor's protocol. */
export class ConnectionLost extends ProviderError {
  override readonly name = 'ConnectionLost';
  readonly code = 'SLUICE_CONNECTION_LOST';
  readonly retryable = true;
}

/** The account has used up what it may have: connections, lines, symbols. Comes back after a cooldown, not after a backoff. */
export class QuotaExceeded extends ProviderError {
  override readonly name = 'QuotaExceeded';
  readonly code = 'SLUICE_QUOTA_EXCEEDED';
  readonly retryable = true;
}

/** A connection that is open and carries nothing. */
export class ProviderSilent extends ProviderError {
  override readonly name = 'ProviderSilent';
  readonly code = 'SLUICE_PROVIDER_SILENT';
  readonly retryable = true;
}

type Named = new (provider: string, message: string, options?: ProviderErrorOptions) => ProviderError;

const BY_CODE: ReadonlyMap<unknown, Named> = new Map<unknown, Named>([
  ['SLUICE_PACING_VIOLATION', PacingViolation],
  ['SLUICE_NOT_ENTITLED', NotEntitled],
  ['SLUICE_BAD_CREDENTIALS', BadCredentials],
  ['SLUICE_UNKNOWN_INSTRUMENT', UnknownInstrument],
  ['SLUICE_CONNECTION_LOST', ConnectionLost],
  ['SLUICE_QUOTA_EXCEEDED', QuotaExceeded],
  ['SLUICE_PROVIDER_SILENT', ProviderSilent],
]);

/** Whether an error is one of the above, from whichever copy of the package. */
export function isProviderError(error: unknown): error is ProviderError {
  return error instanceof Error && BY_CODE.has((error as { code?: unknown }).code);
}

/** The error of a code; `undefined` for a code of something else. */
export function providerErrorOf(
  code: string,
  provider: string,
  message: string,
  options: ProviderErrorOptions = {},
): ProviderError | undefined {
  const Class = BY_CODE.get(code);
  return Class && new Class(provider, message, options);
}
