import type { Move, Plan } from './plan.js';
import type { ProviderHealth } from './providerHealth.js';

/** Who delivers: the first that is well, with one preferred again once it has been well for long enough. A pure state machine. */
export class Failover implements Plan {
  readonly #providers: readonly ProviderHealth[];
  #active = 0;

  /** The first is preferred. Each counts as steady by its own measure. */
  constructor(providers: readonly ProviderHealth[]) {
    this.#providers = providers;
  }

  /** Who delivers, or would if it could. */
  get active(): number {
    return this.#active;
  }

  /** Whether the active one is asked, and nothing is against it. */
  get isWell(): boolean {
    const { phase } = this.#providers[this.#active]!;
    return phase === 'live' || phase === 'trying' || phase === 'fresh';
  }

  /**
   * Who takes over now, if anybody. Where the active one is not well: the first that is live, or has nothing against it. One
   * that was found at fault must be live before it takes over, so that an outage of all moves nothing.
   */
  decide(now: number): Move | undefined {
    const from = this.#active;
    const { isWell } = this;
    const to = this.#providers.findIndex((provider, i) => {
      if (i === from) return false;
      if (isWell) return i < from && now >= provider.steadyAt;
      return provider.phase === 'live' || provider.phase === 'fresh';
    });
    if (to < 0) return undefined;
    const reason = isWell ? 'preferred' : (this.#providers[from]!.ailment ?? 'failing');
    this.#active = to;
    return { from, to, reason };
  }

  /** Whether a provider is to be asked: the active one, those preferred to it, and all while it is not well. */
  wants(index: number): boolean {
    return index <= this.#active || !this.isWell;
  }

  delivers(index: number): boolean {
    return index === this.#active;
  }

  /** When {@link decide} may have an answer that it has not now; `Infinity` for never. */
  get wakeAt(): number {
    let at = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#active; i++) at = Math.min(at, this.#providers[i]!.steadyAt);
    return at;
  }
}
