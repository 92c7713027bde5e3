import type { MarketEvent, RecordKind } from '../../market/recordKinds.js';
import type { Provider } from '../../providers/provider.js';
import type { ProviderStreamConfig } from '../../providers/streamConfig.js';
import type { FakeVenue } from '../venues/fakeVenue.js';
import type { RuleSubject } from './testsOf.js';

/**
 * What the provider of a rule is made with, and the fake of the vendor where it has timers. Sockets are real; time is not: it
 * moves only when the rule says so. The waits between attempts are 1,000, 2,000, 4,000, … and at most 60,000 ms.
 */
export type ProviderTrialSettings = { readonly [O in TrialOption]-?: NonNullable<ProviderStreamConfig[O]> };

type TrialOption =
  | 'scheduler'
  | 'random'
  | 'initialMs'
  | 'multiplier'
  | 'maxMs'
  | 'jitter'
  | 'healthyAfterMs'
  | 'pingEveryMs'
  | 'deadAfterMs'
  | 'confirmAfterMs'
  | 'capacity'
  | 'onRejected'
  | 'onRefused'
  | 'onNotice';

/** A provider that is checked against the rules, with a fake of its vendor. */
export interface ProviderSubject<V extends FakeVenue = FakeVenue, R extends string = string> extends RuleSubject<R> {
  /** Starts the fake. Called for each rule, which closes it. */
  readonly open: (settings: ProviderTrialSettings) => V | Promise<V>;
  /** Makes the provider as a program does, with the `url` and the `secret` of the fake. */
  readonly provider: (venue: V, settings: ProviderTrialSettings) => Provider;
  /** At least three, as the vendor spells them. */
  readonly symbols: readonly string[];
  /** The kinds to try it with. Default: those of bars, trades and quotes that it has. */
  readonly kinds?: readonly RecordKind[];
  /** Of bars. Default: the first that the provider has, else `1m`. */
  readonly timeframe?: string;
  /**
   * Makes the record with this number, from 0, in this version, from 1, and of this time, in epoch milliseconds, as the vendor could send
   * it; `undefined` for the one that the kit makes, with prices in cents and times in whole seconds. All versions of a number have the same key.
   */
  readonly record?: (
    of: RecordKind,
    symbol: string,
    index: number,
    version: number,
    ts: number,
  ) => MarketEvent | undefined;
  /**
   * How long the limits of the vendor may make a subscription wait that was made shortly before, as after a reconnect, and which limits:
   * time moves so far until it is confirmed. `ms` from 0, default 2,500.
   */
  readonly settle?: { readonly ms: number; readonly because: string };
  /** How long a step may take before the rule counts as broken, in milliseconds. From 1, default 10,000. */
  readonly timeoutMs?: number;
}
