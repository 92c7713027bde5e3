import type { Plan } from './plan.js';
import type { ProviderHealth } from './providerHealth.js';

/** All at once. */
export class Merging implements Plan {
  readonly wakeAt = Number.POSITIVE_INFINITY;
  readonly #providers: readonly ProviderHealth[];

  constructor(providers: readonly ProviderHealth[]) {
    this.#providers = providers;
  }

  decide(): undefined {
    return undefined;
  }

  wants(provider: number): boolean {
    return !this.#providers[provider]!.isOver;
  }

  delivers(): boolean {
    return true;
  }
}
