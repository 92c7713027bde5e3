import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Bar } from '../../src/market/bar.js';
import type { FakeBinance } from '../../src/testing/venues/binance/fakeBinance.js';
import { startFakeBinance } from '../../src/testing/venues/binance/startFakeBinance.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { runSluice } from '../support/fakeTerminal.js';
import { storedBars, storedGaps } from './events.js';

/** As compiled by `npm run build`. */
const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const database = freshDatabase();
let venue: FakeBinance;
beforeEach(async () => {
  venue = await startFakeBinance();
});
afterEach(() => venue.close());

const T = Date.UTC(2026, 0, 5);
const SPANS = 24;
const bars = Array.from(
  { length: SPANS * 60 },
  (_, minute): Bar => ({
    ...{ kind: 'bar', vendor: 'binance', symbol: 'BTCUSDT', timeframe: '1m', ts: T + minute * 60_000 },
    ...{ open: 2, high: 4, low: 1, close: 3, volume: 10, isFinal: true, trades: 7, vwap: 2.5, seq: 1 },
  }),
);

it('a backfill that is killed goes on where it was, and leaves the table of one that was not', async () => {
  venue.remember(bars);
  const args = ['backfill', '--provider', 'binance', '--url', venue.url, '--symbols', 'BTCUSDT'];
  args.push('--from', '2026-01-05', '--to', '2026-01-06', '--chunk', '1h', '--concurrency', '2');
  const env = { PATH: process.env.PATH ?? '', DATABASE_URL: database.url };
  let asked = 0;
  // At three places of the job, each a little further.
  for (const [killed, requests] of [2, 7, 5].entries()) {
    const from = venue.requests.length;
    const child = spawn(process.execPath, [program, ...args], { env, stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
    await venue.until(() => venue.requests.length >= from + requests);
    child.kill('SIGKILL');
    expect([killed, await ended]).toEqual([killed, 'SIGKILL']);
    asked = venue.requests.length;
  }
  const pool = database.pool({ max: 1 });
  const closed = (await storedGaps(pool)).filter(({ state }) => state === 'filled').length;
  expect(closed).toBeGreaterThan(0);
  const last = await runSluice([...args, '--json'], { env });
  expect(last.code).toBe(0);
  expect(JSON.parse(last.stdout)).toMatchObject({
    isComplete: true,
    spans: { total: SPANS, skipped: closed, filled: SPANS - closed, open: 0, notAsked: 0 },
  });
  expect(venue.requests.length - asked).toBe(SPANS - closed);
  const table = (await storedBars(pool)).map(({ seq: _, ...bar }) => bar);
  expect(table).toEqual(bars.map(({ seq: _, ...bar }) => bar));
  const gaps = await storedGaps(pool);
  expect(gaps.map(({ state }) => state)).toEqual(Array(SPANS).fill('filled'));
}, 60_000);
