import type { KnownContract } from '../contracts.js';
import { call } from '../frames.js';
import { FREE } from '../pacing.js';
import { requestTime } from '../times.js';
import type { HistoryJob } from './historyJob.js';

/** The most that TWS gives at a time; it adds what is left of the last second. */
export const MAX_TICKS = 1_000;

/** Ticks as the client gives them. */
export type RawTick = Readonly<Record<string, unknown>>;

/** Asks for the ticks from a second on, oldest first. */
export function tickJob(
  contract: KnownContract,
  symbol: string,
  of: 'trade' | 'quote',
  from: number,
  useRTH: boolean,
): HistoryJob<readonly RawTick[]> {
  const what = of === 'trade' ? 'TRADES' : 'BID_ASK';
  const start = requestTime(from);
  const series = `${contract.conId} ${contract.request.exchange} ${what}`;
  let ticks: readonly RawTick[] = [];
  return {
    about: `${symbol}: ${of}s from ${start} on`,
    // Bid and ask count double.
    cost: { ...FREE, opens: true, budget: of === 'trade' ? 1 : 2, series, identity: `${series} ${start}` },
    request: (id) => ({
      frame: call('reqHistoricalTicks', id, contract.request, start, '', MAX_TICKS, what, useRTH ? 1 : 0, false),
    }),
    take([name, , all, isDone]) {
      if (typeof name !== 'string' || !name.startsWith('historicalTicks')) return false;
      const valid = Array.isArray(all) ? (all as readonly unknown[]).filter(isTick) : [];
      ticks = [...ticks, ...valid];
      return isDone !== false || valid.length > 0;
    },
    result: () => ticks,
  };
}

const isTick = (tick: unknown): tick is RawTick => typeof tick === 'object' && tick !== null;
