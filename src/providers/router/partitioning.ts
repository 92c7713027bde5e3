import { reject } from '../../primitives/options.js';
import type { Move, Plan } from './plan.js';
import type { ProviderHealth } from './providerHealth.js';

export interface PartitioningConfig {
  readonly providers: readonly ProviderHealth[];
  readonly names: readonly string[];
  /** Whether a provider has a symbol. */
  readonly has: (provider: number, symbol: string) => boolean;
  /** Which of these names a symbol belongs to. */
  readonly rule: (symbol: string, names: readonly string[]) => string;
}

/**
 * Each symbol from one provider: from its home, by the rule among all that have it; from another, by the rule among those that are
 * well, while that is not well. A pure state machine.
 *
 * A provider is trusted until it fails, and again once it has been well for long enough. While none is that has a symbol, the symbol
 * goes to one that is live, and stays where it is if there is none.
 */
export class Partitioning implements Plan {
  readonly #config: PartitioningConfig;
  readonly #isTrusted: boolean[];
  readonly #owners = new Map<string, number>();
  readonly #homes = new Map<string, number>();
  #moves: Move[] = [];
  #seen = '';

  constructor(config: PartitioningConfig) {
    this.#config = config;
    this.#isTrusted = config.providers.map(() => true);
  }

  /** Replaces the set of symbols. Nothing moves for that. */
  want(symbols: readonly string[]): void {
    const wanted = new Set(symbols);
    for (const symbol of this.#owners.keys()) {
      if (wanted.has(symbol)) continue;
      this.#owners.delete(symbol);
      this.#homes.delete(symbol);
    }
    for (const symbol of wanted) {
      if (this.#owners.has(symbol)) continue;
      const home = this.#choose(symbol, () => true);
      if (home === undefined) continue;
      this.#homes.set(symbol, home);
      this.#owners.set(symbol, this.#ownerOf(symbol, home));
    }
  }

  decide(now: number): Move | undefined {
    const { providers } = this.#config;
    providers.forEach((provider, i) => {
      if (provider.phase === 'resting' || provider.isOver) this.#isTrusted[i] = false;
      else if (now >= provider.steadyAt) this.#isTrusted[i] = true;
    });
    const seen = providers.map(({ phase }, i) => `${this.#isTrusted[i]} ${phase === 'live'}`).join();
    if (seen !== this.#seen) {
      this.#seen = seen;
      this.#reassign();
    }
    return this.#moves.shift();
  }

  wants(provider: number): boolean {
    return !this.#config.providers[provider]!.isOver;
  }

  delivers(provider: number): boolean {
    return this.#isTrusted[provider]!;
  }

  ownerOf(symbol: string): number | undefined {
    return this.#owners.get(symbol);
  }

  /** What a provider is to be asked for: what it owns and, while it is not trusted, what it would own, which shows whether it is well. */
  symbolsOf(provider: number): readonly string[] {
    const isTrusted = this.#isTrusted[provider];
    const symbols: string[] = [];
    for (const [symbol, owner] of this.#owners) {
      if (owner === provider || (!isTrusted && this.#homes.get(symbol) === provider)) symbols.push(symbol);
    }
    if (symbols.length > 0 || isTrusted) return symbols;
    // One that is nobody's home must be able to show it too.
    for (const symbol of this.#owners.keys()) if (this.#config.has(provider, symbol)) return [symbol];
    return symbols;
  }

  get wakeAt(): number {
    let at = Number.POSITIVE_INFINITY;
    this.#config.providers.forEach(({ steadyAt }, i) => {
      if (!this.#isTrusted[i]) at = Math.min(at, steadyAt);
    });
    return at;
  }

  #reassign(): void {
    const moved = new Map<string, { readonly from: number; readonly to: number; readonly symbols: string[] }>();
    for (const [symbol, from] of this.#owners) {
      const to = this.#ownerOf(symbol, this.#homes.get(symbol)!, from);
      if (to === from) continue;
      this.#owners.set(symbol, to);
      const key = `${from} ${to}`;
      const move = moved.get(key) ?? { from, to, symbols: [] };
      move.symbols.push(symbol);
      moved.set(key, move);
    }
    for (const { from, to, symbols } of moved.values()) {
      const reason = this.#isTrusted[from] ? 'preferred' : (this.#config.providers[from]!.ailment ?? 'failing');
      this.#moves.push({ from, to, reason, symbols });
    }
  }

  #ownerOf(symbol: string, home: number, owner = home): number {
    if (this.#isTrusted[home]) return home;
    if (this.#isTrusted[owner]) return owner;
    const { providers } = this.#config;
    const isLive = (i: number) => providers[i]!.phase === 'live';
    const trusted = this.#choose(symbol, (i) => this.#isTrusted[i]!);
    if (trusted !== undefined) return trusted;
    // Back to and fro among those that come and go is no use: one that delivers keeps it.
    return isLive(owner) ? owner : (this.#choose(symbol, isLive) ?? owner);
  }

  #choose(symbol: string, may: (provider: number) => boolean): number | undefined {
    const { names, has, rule } = this.#config;
    const known = names.filter((_, i) => may(i) && has(i, symbol));
    if (known.length === 0) return undefined;
    const chosen = rule(symbol, known);
    const place = names.indexOf(chosen);
    if (place < 0 || !known.includes(chosen)) {
      reject(
        'providerRouter',
        `what partition returns for ${JSON.stringify(symbol)}`,
        `one of ${known.join(', ')}`,
        chosen,
      );
    }
    return place;
  }
}
