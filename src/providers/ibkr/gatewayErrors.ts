import {
  ConnectionLost,
  NotEntitled,
  PacingViolation,
  ProviderError,
  type ProviderErrorOptions,
  QuotaExceeded,
  UnknownInstrument,
} from '../providerErrors.js';
import { codeRow, type Fate, historyVerdict } from './gatewayCodes.js';

export const NAME = 'ibkr';

/** A connection that no other attempt will make: the client is not installed, or does not speak the version of TWS. */
export class GatewayUnusable extends ProviderError {
  override readonly name = 'ConnectionLost';
  readonly code = 'SLUICE_CONNECTION_LOST';
  readonly retryable = false;
}

/** How long another program may keep a client id, or the market data of the user. */
const COOLDOWN_MS = 60_000;
/** After "pacing violation" the same request is not to be made for 15 s. */
const PACING_MS = 15_000;

type Describe = (text: string, options: ProviderErrorOptions) => ProviderError;

/** The errors of those fates that are failures, in words that a person can act on; the vendor's own are in `cause` and in the message. */
const DESCRIPTIONS: { readonly [F in Fate]?: Describe } = {
  throttle: (text, options) => new PacingViolation(NAME, text, { ...options, retryAfterMs: PACING_MS }),
  quota: (text, options) => new QuotaExceeded(NAME, text, options),
  rejected: (text, options) => new UnknownInstrument(NAME, `TWS rejects the request: ${text}`, options),
  unknown: (text, options) => new UnknownInstrument(NAME, text, options),
  entitlement: (text, options) => new NotEntitled(NAME, text, options),
  lost: (text, options) => new ConnectionLost(NAME, text, options),
  clientId: (text, options) =>
    new QuotaExceeded(NAME, `${text} (give this program a clientId of its own, or a list of them)`, {
      ...options,
      retryAfterMs: COOLDOWN_MS,
    }),
  competing: (text, options) => new QuotaExceeded(NAME, text, { ...options, retryAfterMs: COOLDOWN_MS }),
  version: (text, options) =>
    new GatewayUnusable(NAME, `${text} (the client speaks versions 100 to 193: install TWS 10.19 to 10.37)`, options),
  portReset: (text, options) => new ConnectionLost(NAME, text, options),
};

/** The error of a code that ends a request or a connection; a code that is not listed may be tried again. */
export function gatewayError(code: number, text: string, about?: string): ProviderError {
  const words = `${about === undefined ? '' : `${about}: `}${text.trim() || 'no words'} (code ${code})`;
  const options = { cause: { code, text } };
  if (code === 162) return historyError(text, words, options);
  const fate = codeRow(code, text)?.fate;
  const describe = (fate && DESCRIPTIONS[fate]) ?? DESCRIPTIONS.lost!;
  return describe(words, options);
}

function historyError(text: string, words: string, options: ProviderErrorOptions): ProviderError {
  const verdict = historyVerdict(text);
  if (verdict === 'pacing') return new PacingViolation(NAME, words, { ...options, retryAfterMs: PACING_MS });
  if (verdict === 'entitlement') return new NotEntitled(NAME, words, options);
  return new ConnectionLost(NAME, words, options);
}

/** TWS has closed the connection before it was ready: most often it does not trust the address, or the API is off. */
export function refusedByGateway(words: string): ProviderError {
  return new ConnectionLost(
    NAME,
    `${words}; in TWS or IB Gateway see Configure, API, Settings: enable socket clients and trust this address`,
  );
}
