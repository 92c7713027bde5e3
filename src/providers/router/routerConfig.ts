import { EMPTY, isObservable, type Observable, type SchedulerLike } from 'rxjs';
import type { RecordKind } from '../../market/recordKinds.js';
import { KINDS } from '../../market/recordKinds.js';
import { CircuitBreaker } from '../../policies/circuitBreaker.js';
import { BREAKER_OPTIONS, type CircuitBreakerConfig } from '../../policies/circuitBreakerConfig.js';
import type { MarketCalendar } from '../../policies/marketCalendar.js';
import { eventLoopScheduler } from '../../primitives/eventLoopScheduler.js';
import {
  checked,
  duration,
  func,
  having,
  listOf,
  nested,
  type OptionsOf,
  oneOf,
  type Read,
  readArgument,
  readOptions,
  reject,
  text,
  unchecked,
} from '../../primitives/options.js';
import type { Provider, SubscriptionRequest } from '../provider.js';
import type { Series } from '../session.js';
import type { SwitchReason } from './plan.js';
import { MAX_RANKS } from './rankedRecord.js';
import { type RoutedProvider, routed } from './routedProvider.js';
import type { ProviderEnd } from './routerFailed.js';

/** How several providers are used: see {@link providerRouter}. */
export type RouterStrategy = 'merge' | 'failover' | 'partition';

/** One provider has taken over from another. */
export interface RouterSwitch {
  /** In epoch milliseconds. */
  readonly at: number;
  readonly from: string;
  readonly to: string;
  /** What was wrong with the one before; or `preferred`: that the one that is preferred is well again. */
  readonly reason: SwitchReason;
  /** Why the stream, or the connection, of the one before ended last, without secrets; left out where it has not. */
  readonly error?: string;
  /** What it is about, as the request spells it; left out for every symbol. */
  readonly symbols?: readonly string[];
}

export interface ProviderRouterConfig {
  /** The providers, the preferred one first. At least one, each of another name; at most 3 with `as`. */
  readonly providers: readonly (Provider | RoutedProvider)[];
  /**
   * `failover`: the first that is well delivers everything. `merge`: all at once, each symbol from every provider that has it.
   * `partition`: each symbol from one provider. There is no default.
   */
  readonly strategy: RouterStrategy;
  /** At least one. A provider is asked for those that it has. */
  readonly kinds: readonly RecordKind[];
  /** An Observable of sets changes the subscriptions while the router runs: each set replaces the last. */
  readonly symbols: readonly string[] | Observable<readonly string[]>;
  /** Of bars. Default: the first of the preferred provider's `timeframes`, else `1m`. Every provider that has bars must have it. */
  readonly timeframe?: string;
  /**
   * Up to when a series is known already, in epoch milliseconds, as in a request to a provider; the series is spelled as the
   * request spells it. Default: nothing is known.
   */
  readonly resumeFrom?: (series: Series) => number | undefined;
  /**
   * The vendor of every record: the providers are one series, in which the record of the preferred one wins in whatever order they
   * arrive. Symbols are then spelled as the request spells them. Default: each record keeps its vendor and its symbol.
   */
  readonly as?: string;
  /**
   * A provider that is asked and sends no record for so long, while the market and the gate downstream are open, is silent. In
   * milliseconds, at least 1, default `Infinity`.
   */
  readonly staleAfterMs?: number;
  /** When the market is open: silence while it is closed is none. Default: always. */
  readonly calendar?: MarketCalendar;
  /** How long a provider must be well without interruption before it gets back what it had, in milliseconds. Default 60,000. */
  readonly failBackAfterMs?: number;
  /**
   * When lost connections, failed attempts and failed streams are too many. Default: after 3 of them without `failBackAfterMs` of
   * health in between; then the provider is left alone for 5 s, and up to 60 s while it keeps failing.
   */
  readonly breaker?: RouterBreakerConfig;
  /**
   * Which of these providers a symbol is asked of, with `partition`. It must give the same answer to the same question. Default: by a
   * hash, so that only the symbols of a provider that dies move.
   */
  readonly partition?: (symbol: string, names: readonly string[]) => string;
  /** Called at each switch. What it throws fails the router. */
  readonly onSwitch?: (change: RouterSwitch) => void;
  /**
   * Called when a provider has ended for good: its error, or `undefined` where its stream has completed. The others go on. What it throws
   * fails the router.
   */
  readonly onProviderEnd?: (end: ProviderEnd) => void;
  /** The clock and timers. Default: those of `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** The name of the stage in topology, metrics and the report. Default `providerRouter`. */
  readonly name?: string;
}

/** The part of a breaker's config that says when it opens, and for how long. */
export type RouterBreakerConfig = Pick<
  CircuitBreakerConfig,
  'window' | 'minimumCalls' | 'failureRate' | 'openMs' | 'firstOpenMs'
>;

const { window, minimumCalls, failureRate, openMs, firstOpenMs } = BREAKER_OPTIONS;
const BREAKER = { window, minimumCalls, failureRate, openMs, firstOpenMs } satisfies OptionsOf<RouterBreakerConfig>;

const SYMBOLS = checked(
  'an array of symbols, or an Observable of such arrays',
  (value): value is object => Array.isArray(value) || isObservable(value),
);
const SYMBOL_SET = listOf(text());

const OPTIONS = {
  providers: listOf(unchecked(), { min: 1 }).required(),
  strategy: oneOf(['merge', 'failover', 'partition']).required(),
  kinds: listOf(oneOf(KINDS), { min: 1 }).required(),
  symbols: SYMBOLS.required(),
  timeframe: text(),
  resumeFrom: func(),
  as: text(),
  staleAfterMs: duration({ min: 1 }).or(Number.POSITIVE_INFINITY).default(Number.POSITIVE_INFINITY),
  calendar: having('isOpen', 'nextChange'),
  failBackAfterMs: duration().default(60_000),
  breaker: nested(BREAKER),
  partition: func(),
  onSwitch: func(),
  onProviderEnd: func(),
  scheduler: having('now', 'schedule').default(eventLoopScheduler),
  name: text().default('providerRouter'),
} satisfies OptionsOf<ProviderRouterConfig>;

export type RouterSettings = Omit<Read<ProviderRouterConfig, typeof OPTIONS>, 'providers' | 'breaker' | 'timeframe'> & {
  readonly timeframe: string;
  readonly providers: readonly RoutedProvider[];
  readonly breaker: RouterBreakerConfig;
};

const OWNER = 'providerRouter';

export function readRouterConfig(config: ProviderRouterConfig): RouterSettings {
  const read = readOptions(OWNER, config, OPTIONS);
  const { kinds, strategy, partition, as, symbols } = read;
  const providers = read.providers.map((one, i) => readProvider(one, `providers[${i}]`));
  const timeframe = read.timeframe ?? providers[0]!.provider.timeframes?.[0] ?? '1m';
  const names = providers.map(({ provider }) => provider.name);
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined) reject(OWNER, 'providers', 'of different names', repeated);
  if (as !== undefined && providers.length > MAX_RANKS) {
    reject(OWNER, 'the number of providers that are one series', `at most ${MAX_RANKS}`, providers.length);
  }
  if (partition && strategy !== 'partition')
    reject(OWNER, 'strategy', '"partition" where a partition is given', strategy);
  for (const kind of kinds) {
    if (!providers.some(({ provider }) => provider.kinds.includes(kind))) {
      reject(OWNER, 'kinds', `kinds that ${names.join(' or ')} can stream`, kind);
    }
  }
  const breaker = { ...(read.breaker as RouterBreakerConfig | undefined) };
  const settings = {
    ...read,
    providers,
    timeframe,
    kinds: [...new Set(kinds)],
    breaker: {
      window: { kind: 'count', size: 3 } as const,
      firstOpenMs: Math.min(5_000, breaker.openMs ?? 5_000),
      ...given(breaker),
    },
  };
  // Checks what depends on each other, and what each provider must know.
  new CircuitBreaker(settings.breaker, `${OWNER}: breaker`);
  for (const { provider } of providers) {
    const own = kinds.filter((kind) => provider.kinds.includes(kind));
    if (own.length === 0) reject(OWNER, 'kinds', `at least one that ${provider.name} can stream`, kinds.join(', '));
    provider.stream(requestOf(own, EMPTY, timeframe));
  }
  if (!isObservable(symbols) && readSymbolSet(symbols).length === 0) {
    reject(OWNER, 'symbols', 'an array that is not empty', symbols);
  }
  return settings as RouterSettings;
}

/** What a provider is asked for; a timeframe only where there are bars. */
export function requestOf(
  kinds: readonly RecordKind[],
  symbols: Observable<readonly string[]>,
  timeframe: string,
): SubscriptionRequest {
  return { kinds, symbols, ...(kinds.includes('bar') && { timeframe }) };
}

/** Checks a set of symbols. */
export function readSymbolSet(symbols: unknown): readonly string[] {
  return [...new Set(readArgument(OWNER, 'symbols', symbols, SYMBOL_SET) as readonly string[])];
}

function readProvider(one: Provider | RoutedProvider, option: string): RoutedProvider {
  const found = typeof one === 'object' && one !== null ? routed(one) : undefined;
  const provider = found?.provider as Partial<Provider> | undefined;
  if (typeof provider?.stream !== 'function' || typeof provider.name !== 'string' || !Array.isArray(provider.kinds)) {
    reject(OWNER, option, 'a provider, or { provider, spell }', one);
  }
  if (found?.spell !== undefined && typeof found.spell !== 'function') {
    reject(OWNER, `the spell of its ${option}`, 'a function', found.spell);
  }
  return found!;
}

/** Without what is `undefined`, which would take the place of a default. */
function given<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
