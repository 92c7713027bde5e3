import type { MarketEvent } from '../../market/recordKinds.js';
import type { RoutedProvider } from './routedProvider.js';

/** How a provider spells the symbols of a request, both ways. */
export class Spelling {
  readonly #spell: RoutedProvider['spell'];
  #toRequest: ReadonlyMap<string, string> | undefined;

  constructor({ spell }: RoutedProvider) {
    this.#spell = spell;
  }

  /** Whether both spell alike. */
  get isPlain(): boolean {
    return this.#spell === undefined;
  }

  /** A set of symbols of the request as the provider spells them, without those that it does not have. Of two that it spells alike, the first counts. */
  spellAll(symbols: readonly string[]): readonly string[] {
    if (!this.#spell) return symbols;
    const toRequest = new Map<string, string>();
    for (const symbol of symbols) {
      const spelled = this.#spell(symbol);
      if (spelled !== undefined && !toRequest.has(spelled)) toRequest.set(spelled, symbol);
    }
    this.#toRequest = toRequest;
    return [...toRequest.keys()];
  }

  /** `undefined` for a symbol that the provider does not have. */
  spelled(symbol: string): string | undefined {
    return this.#spell ? this.#spell(symbol) : symbol;
  }

  requested(symbol: string): string {
    return this.#toRequest?.get(symbol) ?? symbol;
  }

  /** The symbol of a record as the request spells it; `*` for news, which may be about several. */
  requestedOf(record: MarketEvent): string {
    return record.kind === 'news' ? '*' : this.requested(record.symbol);
  }
}
