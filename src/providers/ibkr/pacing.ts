import type { PacingProfile } from '../../policies/pacingProfile.js';
import { SharedPacer, type SharedPacerConfig } from '../../policies/sharedPacer.js';
import { timeframeMs } from '../../primitives/timeframe.js';
import type { HistoryRange, ProviderPacing } from '../provider.js';

/** What a request costs in the limits of IBKR (https://interactivebrokers.github.io/tws-api/historical_limitations.html). */
export interface IbkrRequestCost {
  /** What it takes from the 60 in ten minutes: 2 for bid and ask, 0 for what the limit does not count. */
  readonly budget: 0 | 1 | 2;
  /** Of history: contract, exchange and tick type. Empty for other requests. */
  readonly series: string;
  /** Of history: everything that makes two requests the same. */
  readonly identity: string;
  /** Of tick-by-tick data: contract and type. */
  readonly ticks: string;
  /** Of history: whether it is open until it is answered. */
  readonly opens: boolean;
}

/** Of what no limit counts. */
export const FREE: IbkrRequestCost = { budget: 0, series: '', identity: '', ticks: '', opens: false };

/** All messages that go to TWS, cancellations among them. */
export const MESSAGE_PACING: PacingProfile<unknown> = { windows: [{ limit: 50, perMs: 1_000 }] };

/**
 * - 60 requests in ten minutes: history in bars of 30 seconds or less, and new real-time bars, which share the budget. Bid and ask
 *   count double. Of longer bars IBKR says that it limits them softly: they are not counted.
 * - Fewer than six requests for one contract, exchange and tick type within two seconds.
 * - No identical request within 15 seconds.
 * - One tick-by-tick request per instrument in 15 seconds. IBKR does not say whether trades and quotes of one instrument count
 *   together: they are counted apart, and what is refused is asked again.
 * - 50 requests of the past open at a time.
 */
export const REQUEST_PACING: PacingProfile<IbkrRequestCost> = {
  windows: [
    { limit: 60, perMs: 600_000, weight: ({ budget }) => budget },
    { limit: 5, perMs: 2_000, by: ({ series }) => series, weight: ({ series }) => (series === '' ? 0 : 1) },
    { limit: 1, perMs: 15_000, by: ({ identity }) => identity, weight: ({ identity }) => (identity === '' ? 0 : 1) },
    { limit: 1, perMs: 15_000, by: ({ ticks }) => ticks, weight: ({ ticks }) => (ticks === '' ? 0 : 1) },
  ],
  maxOpen: 50,
  opens: ({ opens }) => opens,
};

/**
 * What keeps to those limits: one for all connections to the same TWS, as a new connection does not begin them anew. Each provider has
 * one of its own; several providers of one TWS share one that is made here.
 *
 * @example
 * ```ts
 * import { ibkr, ibkrPacer } from 'sluice/providers/ibkr';
 *
 * const pacer = ibkrPacer();
 * const [stocks, futures] = [ibkr({ clientId: 7, pacer }), ibkr({ clientId: 8, pacer })];
 * console.log(stocks.name, futures.name, pacer.counts);
 * ```
 */
export function ibkrPacer(config: Pick<SharedPacerConfig<never>, 'scheduler'> = {}): SharedPacer<IbkrRequestCost> {
  return new SharedPacer({ ...config, profile: REQUEST_PACING, maxWaiting: 10_000, name: 'ibkr: requests' });
}

/** Bars of 30 seconds or less count in the budget of ten minutes. */
export const MAX_COUNTED_BAR_MS = 30_000;

const isCounted = ({ of, timeframe = '1m' }: HistoryRange): boolean =>
  of === 'trade' || of === 'quote' || (of === 'bar' && timeframeMs(timeframe) <= MAX_COUNTED_BAR_MS);

const seriesOf = ({ of, symbol, timeframe = '' }: HistoryRange): string => `${of} ${symbol} ${timeframe}`;

/** The same limits for ranges of history, each taken as one request. What a range needs beyond is paced where it is asked. */
export const IBKR_PACING: ProviderPacing = {
  messages: MESSAGE_PACING,
  requests: {
    windows: [
      { limit: 60, perMs: 600_000, weight: (range) => (isCounted(range) ? (range.of === 'quote' ? 2 : 1) : 0) },
      { limit: 5, perMs: 2_000, by: seriesOf },
      { limit: 1, perMs: 15_000, by: (range) => `${seriesOf(range)} ${range.from} ${range.to}` },
    ],
  },
};
