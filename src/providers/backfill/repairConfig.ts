import type { SchedulerLike } from 'rxjs';
import type { GapLedger } from '../../contracts/gapLedger.js';
import type { Gap } from '../../market/gap.js';
import { eventLoopScheduler } from '../../primitives/eventLoopScheduler.js';
import {
  checked,
  duration,
  func,
  having,
  integer,
  listOf,
  type OptionsOf,
  type Read,
  text,
} from '../../primitives/options.js';
import type { Provider } from '../provider.js';
import { MAX_RANKS } from '../router/rankedRecord.js';
import { type RoutedProvider, routed } from '../router/routedProvider.js';
import type { RepairedChunk, RepairSettings } from './repairSettings.js';

/** What every repair of gaps can be told. */
export interface RepairConfig {
  /** Who can be asked. A gap is asked of the one whose name is its `vendor`; at least one. */
  readonly providers: readonly (Provider | RoutedProvider)[];
  /** Where gaps and records are kept: `storeLedger(pool)`. */
  readonly ledger: GapLedger;
  /**
   * The vendor of the one series that all providers make, as of a router. Its gaps are asked of the providers in turn, the first is
   * preferred, and at most 3. Default: each provider has its own series.
   */
  readonly as?: string;
  /**
   * How much of a gap is asked at a time, and proven before the next, in milliseconds. Integer of at least 1. Default: a day of bars, 30
   * days of news and fundamentals, an hour of everything else.
   */
  readonly chunkMs?: number;
  /**
   * How many records of a chunk are held until it is proven. Integer of at least 1, default 100,000. A chunk with more is asked again in
   * halves.
   */
  readonly maxChunkRows?: number;
  /** How long to wait until the rows of a chunk are in the store, in milliseconds. 0 or more, default 60,000. */
  readonly proofTimeoutMs?: number;
  /** How long a page may take, its wait for the pacer included, in milliseconds. At least 1, default 900,000. */
  readonly pageTimeoutMs?: number;
  /**
   * By how much the history of a vendor lags behind its stream, in milliseconds: what is younger is not asked yet. 0 or more, default
   * 10,000; a delayed plan needs more.
   */
  readonly settleMs?: number;
  /** The same by the gap, where vendors differ. Default: `settleMs` for all. */
  readonly settleMsOf?: (gap: Gap) => number;
  /** How old a span must be for an answer without records to close it, in milliseconds. 0 or more, default 960,000: plans lag by 15 minutes. */
  readonly emptyAfterMs?: number;
  /** Whether the vendor of a gap of all symbols (`*`) answers for all of them at once. Default: none does. */
  readonly canAskAll?: (gap: Gap) => boolean;
  /** Called with each part of a gap that is proven. */
  readonly onChunk?: (chunk: RepairedChunk) => void;
  /** The clock and timers. Default: those of `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

const PROVIDER = checked('a provider, or { provider, spell }', (value): value is Provider | RoutedProvider => {
  const { provider = value } = (value ?? {}) as Partial<RoutedProvider>;
  const { name, stream } = (provider ?? {}) as Partial<Provider>;
  return typeof name === 'string' && typeof stream === 'function';
});

export const REPAIR = {
  providers: listOf(PROVIDER, { min: 1 }).required(),
  ledger: having('open', 'count', 'closed', 'find').required(),
  as: text(),
  chunkMs: integer({ min: 1 }),
  maxChunkRows: integer({ min: 1 }).default(100_000),
  proofTimeoutMs: duration().default(60_000),
  pageTimeoutMs: duration({ min: 1 }).default(900_000),
  settleMs: duration().default(10_000),
  settleMsOf: func(),
  emptyAfterMs: duration().default(960_000),
  canAskAll: func(),
  onChunk: func(),
  scheduler: having('now', 'schedule').default(eventLoopScheduler),
} satisfies OptionsOf<RepairConfig>;

/** Of options that are read, what a repair goes by. */
export function repairSettings(owner: string, read: Read<RepairConfig, typeof REPAIR>): RepairSettings {
  const { as, providers } = read;
  if (as !== undefined && providers.length > MAX_RANKS) {
    throw new RangeError(`${owner}: one series (as) has at most ${MAX_RANKS} providers, got ${providers.length}`);
  }
  return { ...read, providers: providers.map(routed) };
}
