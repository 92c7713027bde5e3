import type { Stage } from '../../flow/stage.js';
import { Timer } from '../../primitives/timer.js';
import type { ProviderError } from '../providerErrors.js';
import type { StreamSettings } from '../streamConfig.js';
import { Attempts } from './attempts.js';
import type { Turns } from './turns.js';

export interface RetriesConfig {
  readonly owner: string;
  readonly settings: StreamSettings;
  readonly random: () => number;
  readonly turns: Turns;
  readonly stage: Stage;
  /** Makes the next attempt. */
  readonly attempt: () => void;
}

/** The waits between the connections of a stream. */
export class Retries {
  readonly #config: RetriesConfig;
  readonly #attempts: Attempts;
  readonly #timer: Timer;

  constructor(config: RetriesConfig) {
    const { owner, settings, random, turns, attempt } = config;
    this.#config = config;
    this.#attempts = new Attempts(settings, random, owner);
    this.#timer = new Timer(settings.scheduler, () => turns.run(attempt));
  }

  get isWaiting(): boolean {
    return this.#timer.isSet;
  }

  /** Makes another attempt after a wait; false if the stream is to fail. Throws what a callback throws. */
  after(error: ProviderError, wasHealthy: boolean): boolean {
    const { settings, stage } = this.#config;
    const delayMs = this.#attempts.delayAfter(error, wasHealthy);
    if (delayMs === undefined) return false;
    this.#timer.set(delayMs);
    settings.onRetry?.({ error, attempt: this.#attempts.failures, delayMs });
    stage.observer?.retrying?.(stage, delayMs, error, this.#attempts.failures);
    return true;
  }

  cancel(): void {
    this.#timer.cancel();
  }
}
