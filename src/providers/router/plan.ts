import type { Ailment } from './providerHealth.js';

/** Why another provider delivers: what was wrong with the one before, or that the one that is `preferred` is well again. */
export type SwitchReason = Ailment | 'preferred';

/** One provider takes over from another. They are numbers in the order of preference. */
export interface Move {
  readonly from: number;
  readonly to: number;
  readonly reason: SwitchReason;
  /** What it is about, as the request spells it. Default: every symbol. */
  readonly symbols?: readonly string[];
}

/** What a strategy decides. A pure state machine: who is asked for what, and who delivers. */
export interface Plan {
  /** What moves now, one move per call, until there is none. */
  decide(now: number): Move | undefined;
  /** Whether a provider is to be asked. */
  wants(provider: number): boolean;
  /** Whether what a provider sends is delivered. */
  delivers(provider: number): boolean;
  /** Where symbols have a provider each: takes the set of them. */
  want?(symbols: readonly string[]): void;
  /** What a provider is to be asked for. Default: every symbol. */
  symbolsOf?(provider: number): readonly string[];
  /** Whose a symbol is; `undefined` for one that is not in the request. */
  ownerOf?(symbol: string): number | undefined;
  /** When {@link decide} may have an answer that it has not now; `Infinity` for never. */
  readonly wakeAt: number;
}
