import { timeframeMs } from '../../../primitives/timeframe.js';
import { barSizeOf, usualWhatToShow, type WhatToShow } from '../barSizes.js';
import type { KnownContract } from '../contracts.js';
import { call } from '../frames.js';
import { FREE, type IbkrRequestCost, MAX_COUNTED_BAR_MS } from '../pacing.js';
import { durationOf, requestTime } from '../times.js';
import type { HistoryJob } from './historyJob.js';

export interface BarHistoryConfig {
  readonly whatToShow: WhatToShow | undefined;
  readonly useRTH: boolean;
}

/** Asks for the bars from `from` to `to`; TWS may answer with earlier ones too. Each is an element of the provider. */
export function barJob(
  contract: KnownContract,
  symbol: string,
  timeframe: string,
  span: { readonly from: number; readonly to: number },
  config: BarHistoryConfig,
): HistoryJob<readonly unknown[]> {
  const { from, to } = span;
  const ms = timeframeMs(timeframe);
  const barSize = barSizeOf(timeframe)!;
  const what = config.whatToShow ?? usualWhatToShow(contract.secType);
  const end = requestTime(to);
  const duration = durationOf(to - from);
  const elements: (readonly unknown[])[] = [];
  return {
    about: `${symbol}: bars of ${timeframe} before ${end}`,
    cost: barCost(contract, ms, what, `${barSize} ${end} ${duration}`),
    request: (id) => ({
      frame: call(
        'reqHistoricalData',
        id,
        contract.request,
        end,
        duration,
        barSize,
        what,
        config.useRTH ? 1 : 0,
        2,
        false,
      ),
      cancel: call('cancelHistoricalData', id),
    }),
    take([name, , time, ...values]) {
      if (name !== 'historicalData') return false;
      if (typeof time === 'string' && time.startsWith('finished')) return true;
      elements.push(['bar', symbol, timeframe, contract.zone, null, time, ...values.slice(0, 7)]);
      return false;
    },
    result: () => elements,
  };
}

function barCost({ conId, request }: KnownContract, ms: number, what: string, rest: string): IbkrRequestCost {
  const series = `${conId} ${request.exchange} ${what}`;
  return { ...FREE, opens: true, budget: ms <= MAX_COUNTED_BAR_MS ? 1 : 0, series, identity: `${series} ${rest}` };
}
