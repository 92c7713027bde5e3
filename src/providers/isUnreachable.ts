import type { ConnectionLost } from './providerErrors.js';
import { isProviderError } from './providerErrors.js';

const LOST: ConnectionLost['code'] = 'SLUICE_CONNECTION_LOST';

/**
 * Whether a first attempt failed in a way that the next one will share: nobody answers at that address. A vendor that says when to
 * come back, or that it was asked too often, is there.
 */
export function isUnreachable(error: unknown): boolean {
  return !isProviderError(error) || (error.code === LOST && error.retryAfterMs === undefined);
}
