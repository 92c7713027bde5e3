import { Backoff } from '../../policies/backoff.js';
import type { ProviderError, QuotaExceeded } from '../providerErrors.js';
import type { StreamSettings } from '../streamConfig.js';

/**
 * When to connect again. The wait grows with each failure in a row, and a connection that opened, logged in and was closed again is
 * a failure like any other: only one that has lived for `healthyAfterMs` and carried data ends the row.
 */
export class Attempts {
  readonly #settings: StreamSettings;
  readonly #backoff: Backoff;
  #failures = 0;

  constructor(settings: StreamSettings, random: () => number, owner: string) {
    const { initialMs, maxMs, multiplier, jitter } = settings;
    this.#settings = settings;
    this.#backoff = new Backoff({ initialMs, maxMs, multiplier, jitter, random }, owner);
  }

  /** How many failed in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** In how many milliseconds to try again after a failure; `undefined` if the stream is to fail. */
  delayAfter(error: ProviderError, wasHealthy: boolean): number | undefined {
    if (wasHealthy) {
      this.#failures = 0;
      this.#backoff.reset();
    }
    this.#failures += 1;
    if (!error.retryable || this.#failures >= this.#settings.maxAttempts) return undefined;
    return Math.max(this.#backoff.nextMs(), this.#cooldownMs(error));
  }

  #cooldownMs(error: ProviderError): number {
    const { retryAfterMs, code } = error;
    if (retryAfterMs !== undefined && retryAfterMs >= 0 && Number.isFinite(retryAfterMs)) return retryAfterMs;
    // By its code, which every copy of the package shares.
    return code === QUOTA_CODE ? this.#settings.quotaCooldownMs : 0;
  }
}

const QUOTA_CODE: QuotaExceeded['code'] = 'SLUICE_QUOTA_EXCEEDED';
