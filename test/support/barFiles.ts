import { type BadRow, type ReplayBarsConfig, replayFile } from '../../src/files/replayFile.js';
import { observe } from './collect.js';

export const SP500 = 'node_modules/vega-datasets/data/sp500-2000.csv';
export const SP500_CONFIG = {
  columns: { ts: 'date' },
  defaults: { vendor: 'vega', symbol: 'SPX', timeframe: '1d' },
} satisfies ReplayBarsConfig;

export const HEADER = 'vendor,symbol,timeframe,ts,open,high,low,close,volume';
export const START = Date.UTC(2024, 0, 2);
export const row = (n: number) => `acme,SPY,1m,${START + n * 60_000},1${n},2${n},0.5,1${n},${n}00`;
export const csv = (...rows: string[]) => [HEADER, ...rows].join('\n');

/** Everything that a file gives, and everything that is wrong with it. */
export async function replay(path: string, config: ReplayBarsConfig = {}) {
  const bad: BadRow[] = [];
  const seen = observe(replayFile(path, { onBadRow: (row) => bad.push(row), ...config }));
  await seen.ended;
  return { items: seen.items, end: seen.end, bad, account: seen.monitor.account() };
}
