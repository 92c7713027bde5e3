import { timeframeMs } from '../../primitives/timeframe.js';
import type { Frame, Series } from '../session.js';
import { barSizeOf, REAL_TIME_BARS, usualWhatToShow, type WhatToShow } from './barSizes.js';
import type { KnownContract } from './contracts.js';
import { call } from './frames.js';
import { FREE, type IbkrRequestCost, MAX_COUNTED_BAR_MS } from './pacing.js';
import { durationOf } from './times.js';

/** What live requests ask for. */
export interface LiveConfig {
  readonly trades: 'AllLast' | 'Last';
  readonly whatToShow: WhatToShow | undefined;
  readonly useRTH: boolean;
  /** Options are asked for as snapshots that often, instead of as a stream. */
  readonly optionSnapshotEveryMs: number | undefined;
  /** The shortest time between two records of one option. */
  readonly optionIntervalMs: number;
  /** Codes of news providers; empty for all. */
  readonly newsProviders: readonly string[];
  readonly fundamentalReport: 'ReportsFinSummary' | 'ReportSnapshot';
}

export interface LiveRequest {
  readonly frame: Frame;
  readonly cost: IbkrRequestCost;
  /** `undefined` for what ends by itself. */
  readonly cancel: Frame | undefined;
}

/** The request of a series; in words why there is none. */
export function liveRequest(
  id: number,
  series: Series,
  contract: KnownContract,
  config: LiveConfig,
): LiveRequest | string {
  const { request, conId, secType } = contract;
  switch (series.of) {
    case 'bar':
      return barRequest(id, series.timeframe ?? '1m', contract, config);
    case 'trade':
      return ticks(id, contract, config.trades, `${conId} trades`);
    case 'quote':
      return ticks(id, contract, 'BidAsk', `${conId} quotes`);
    case 'option': {
      if (!contract.option)
        return `${series.symbol} is no option (${secType}): options are named as AAPL 20260116 C 150`;
      const isSnapshot = config.optionSnapshotEveryMs !== undefined;
      // 101 is open interest; a snapshot takes no generic ticks.
      const frame = call('reqMktData', id, request, isSnapshot ? '' : '101', isSnapshot, false);
      return { frame, cost: FREE, cancel: isSnapshot ? undefined : call('cancelMktData', id) };
    }
    case 'news': {
      const codes = config.newsProviders.length > 0 ? `:${config.newsProviders.join('+')}` : '';
      const frame = call('reqMktData', id, request, `mdoff,292${codes}`, false, false);
      return { frame, cost: FREE, cancel: call('cancelMktData', id) };
    }
    case 'fundamental': {
      const frame = call('reqFundamentalData', id, request, config.fundamentalReport);
      return { frame, cost: FREE, cancel: undefined };
    }
    default:
      return `IBKR has no live ${series.of}`;
  }
}

function ticks(id: number, { request }: KnownContract, type: string, key: string): LiveRequest {
  return {
    frame: call('reqTickByTickData', id, request, type, 0, false),
    cost: { ...FREE, ticks: key },
    cancel: call('cancelTickByTickData', id),
  };
}

function barRequest(id: number, timeframe: string, contract: KnownContract, config: LiveConfig): LiveRequest | string {
  const { request, conId, secType } = contract;
  const what = config.whatToShow ?? usualWhatToShow(secType);
  if (timeframe === REAL_TIME_BARS) {
    const frame = call('reqRealTimeBars', id, request, 5, what, config.useRTH);
    return { frame, cost: { ...FREE, budget: 1 }, cancel: call('cancelRealTimeBars', id) };
  }
  const barSize = barSizeOf(timeframe);
  if (barSize === undefined) return `IBKR has no bars of ${timeframe}`;
  const ms = timeframeMs(timeframe);
  // Two bars: the one that is forming, and the one before, which may have ended since it was asked for.
  const duration = durationOf(2 * ms);
  const series = `${conId} ${request.exchange} ${what}`;
  return {
    // An empty end is what keeps it up to date.
    frame: call('reqHistoricalData', id, request, '', duration, barSize, what, config.useRTH ? 1 : 0, 2, true),
    cost: { ...FREE, budget: ms <= MAX_COUNTED_BAR_MS ? 1 : 0, series, identity: `${series} ${barSize} live` },
    cancel: call('cancelHistoricalData', id),
  };
}
