import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sluice } from '../../src/cli/program.js';
import type { Bar } from '../../src/market/bar.js';
import { gapSeq } from '../../src/market/gap.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { gapsSink } from '../../src/sinks/gapsSink.js';
import type { FakeBinance } from '../../src/testing/venues/binance/fakeBinance.js';
import { startFakeBinance } from '../../src/testing/venues/binance/startFakeBinance.js';
import { startFakeMassive } from '../../src/testing/venues/massive/startFakeMassive.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { type FakeTerminalConfig, fakeTerminal, runSluice } from '../support/fakeTerminal.js';
import { SECRET } from '../support/venues.js';
import { write } from './bars.js';
import { gap, storedBars, storedGaps } from './events.js';

const database = freshDatabase();
const cwd = mkdtempSync(join(tmpdir(), 'sluice-backfill-'));
let pool: pg.Pool;
let venue: FakeBinance;
beforeAll(() => {
  pool = database.pool({ max: 2 });
});
afterAll(() => rmSync(cwd, { recursive: true }));
beforeEach(async () => {
  await pool.query('DROP TABLE IF EXISTS gaps, bars');
  venue = await startFakeBinance();
});
afterEach(() => venue.close());

const T = Date.UTC(2026, 0, 5);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Minutes in which nothing traded have no bar: here every seventh. */
function minutes(symbol: string, hours: number): Bar[] {
  return Array.from({ length: hours * 60 }, (_, minute) => minute)
    .filter((minute) => minute % 7 !== 3)
    .map((minute) => ({
      ...{ kind: 'bar', vendor: 'binance', symbol, timeframe: '1m', ts: T + minute * MINUTE_MS },
      ...{ open: 2, high: 4, low: 1, close: 3, volume: 10, isFinal: true, trades: 7, vwap: 2.5, seq: 1 },
    }));
}

const env = () => ({ DATABASE_URL: database.url });
const span = ['--from', '2026-01-05', '--to', '2026-01-05T06:00Z', '--chunk', '1h'];
const fetching = (symbols: string) => ['backfill', '--provider', 'binance', '--url', venue.url, '--symbols', symbols];
const job = (args: readonly string[] = [], config: FakeTerminalConfig = {}) =>
  runSluice([...fetching('BTCUSDT,ETHUSDT'), ...span, ...args], { cwd, env: env(), ...config });
const json = ({ stdout }: { stdout: string }) => JSON.parse(stdout);

/** When an answer was received is its version; everything else is the same in every run. */
const table = async () => (await storedBars(pool)).map(({ seq: _, ...bar }) => bar);
const remembered = () => [...minutes('BTCUSDT', 6), ...minutes('ETHUSDT', 6)];
const expected = () => remembered().map(({ seq: _, ...bar }) => bar);

describe('sluice backfill', () => {
  it('fetches the span of every symbol, closes each span, and asks nothing again', async () => {
    venue.remember(remembered().filter(({ ts }) => ts < T + 5 * HOUR_MS));
    const first = await job();
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(
      /^12 spans:\n +10 {2}filled with 514 records\n +2 {2}empty: the vendor has nothing there\n$/,
    );
    expect(await table()).toEqual(expected().filter(({ ts }) => ts < T + 5 * HOUR_MS));
    const closed = await storedGaps(pool);
    expect(closed).toHaveLength(12);
    expect(new Set(closed.map(({ cause, state }) => `${cause} ${state}`))).toEqual(
      new Set(['requested filled', 'requested empty']),
    );
    const asked = venue.requests.length;
    const again = await job(['--json']);
    expect(again.code).toBe(0);
    expect(json(again)).toMatchObject({ isComplete: true, spans: { total: 12, skipped: 12, filled: 0 }, rows: 0 });
    expect(venue.requests).toHaveLength(asked);
  });

  it('counts spans and requests in a dry run, and changes nothing', async () => {
    const dry = await job(['--dry-run']);
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    expect(dry.stdout).toBe(
      'binance: bar of 2 symbols from 2026-01-05T00:00:00.000Z to 2026-01-05T06:00:00.000Z: 12 spans to ask; at least 12 requests\n',
    );
    expect(json(await job(['--dry-run', '--json']))).toMatchObject({
      dryRun: true,
      spans: { total: 12, asked: 12, skipped: 0 },
      requestsAtLeast: 12,
    });
    expect(venue.requests).toEqual([]);
    expect((await pool.query("SELECT to_regclass('gaps') AS found")).rows).toEqual([{ found: null }]);
  });

  it('drains at Ctrl-C, says how to go on, and a second run leaves the table of an uninterrupted one', async () => {
    venue.remember(remembered());
    const terminal = fakeTerminal({ cwd, env: env() });
    const running = sluice([...fetching('BTCUSDT,ETHUSDT'), ...span, '--concurrency', '1', '--json'], terminal);
    await venue.until(() => venue.requests.length >= 4);
    terminal.signals.emit('SIGINT', 'SIGINT');
    expect(await running).toBe(1);
    const { spans, isComplete } = JSON.parse(terminal.said.stdout);
    expect(isComplete).toBe(false);
    expect(spans.filled).toBeGreaterThanOrEqual(1);
    expect(spans.filled + spans.open + spans.notAsked).toBe(12);
    expect(terminal.said.stderr).toMatch(/stopping: what was answered is written/);
    expect(terminal.said.stderr).toMatch(/run the same command again to go on; what is closed is not asked again\n$/);
    const asked = venue.requests.length;
    const second = json(await job(['--json']));
    expect(second).toMatchObject({ isComplete: true, spans: { total: 12, skipped: spans.filled } });
    expect(venue.requests.length - asked).toBe(12 - spans.filled);
    expect(await table()).toEqual(expected());
    expect((await storedGaps(pool)).filter(({ state }) => state === 'open')).toEqual([]);
  });

  it('keeps a span open whose answer lacks rows that the store has, and does not end with 0', async () => {
    const all = minutes('BTCUSDT', 6);
    await write(barsSink(pool), all);
    // The vendor says that this is all.
    venue.remember(all.filter(({ ts }) => ts !== T + 2 * HOUR_MS + 10 * MINUTE_MS));
    const ran = await runSluice([...fetching('BTCUSDT'), ...span], { cwd, env: env() });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(
      /^6 spans:\n +5 {2}filled with 258 records\n +1 {2}left open \(incomplete 1\)\nopen: binance BTCUSDT bar 1m from 2026-01-05T02:00:00\.000Z to 2026-01-05T02:59:59\.999Z: /,
    );
    const [open] = (await storedGaps(pool)).filter(({ state }) => state === 'open');
    expect(open).toMatchObject({ from: T + 2 * HOUR_MS, to: T + 3 * HOUR_MS - 1, cause: 'requested' });
    // Once it answers all, the same gap closes.
    venue.remember(all);
    const again = await runSluice(['gaps', 'backfill', '--vendor', 'binance', '--url', venue.url, '--yes', '--json'], {
      cwd,
      env: env(),
    });
    expect(again.code).toBe(0);
    expect(json(again)).toMatchObject({ isComplete: true, spans: { total: 1, filled: 1, open: 0 }, left: [] });
  });

  it('stops asking a vendor that refuses again and again, and accounts for what it did not ask', async () => {
    venue.remember(minutes('BTCUSDT', 6));
    const ran = await runSluice([...fetching('BTCUSDT,NONE'), ...span, '--json', '--concurrency', '1'], {
      cwd,
      env: env(),
    });
    expect(ran.code).toBe(1);
    const { spans, left } = json(ran);
    expect(spans).toMatchObject({ total: 12, filled: 6, open: 6, notAsked: 0 });
    expect(left.map(({ symbol, why }: { symbol: string; why: string }) => `${symbol} ${why}`)).toEqual([
      ...Array(3).fill('NONE refused'),
      ...Array(3).fill('NONE givenUp'),
    ]);
    expect(left[5].reason).toMatch(
      /^not asked, because binance refused NONE bar 1m 3 times in a row: .*Invalid symbol/,
    );
    expect(venue.requests).toHaveLength(9);
  });

  it.each([
    [['--from', 'now+1d'], /It must be now, a time before now such as now-30d/],
    [['--from', 'now'], /^error: --from must be in the past, got 20/],
    [
      ['--from', '2026-01-05', '--to', '2026-01-05'],
      /^error: --from must be before --to, got 2026-01-05T00:00:00\.000Z/,
    ],
    [['--from', 'now-1d', '--chunk', '7'], /It must be a period such as 15m, 6h, 7d or 2w/],
    [['--from', 'now-1d', '--kinds', 'bar,magic'], /There is no kind "magic", only bar, option, /],
    [
      ['--from', 'now-1d', '--kinds', 'quote'],
      /^error: binance.*: there is no history of kind quote: the vendor has none of quotes\n$/,
    ],
    [['--from', 'now-1d', '--timeframe', '7m'], /^error: binance.*7m/],
    [['--from', 'now-1d', '--kinds', 'trade', '--timeframe', '1m'], /^error: --timeframe needs bars in --kinds\n$/],
    [['--from', 'now-1d', '--symbols', '*'], /^error: --symbols: history is asked by symbol/],
    [['--from', 'now-1d', '--symbols', '@none.txt'], /^error: cannot read the symbols in /],
    [['--from', 'now-1d', '--concurrency', '65'], /It must be at most 64/],
    [['--from', 'now-1d', '--provider', 'binnance'], /there is no provider "binnance" \(did you mean binance\?/],
    [['--from', 'now-1d', '--provider', 'massive'], /^error: massive needs MASSIVE_API_KEY/],
  ])('%j is wrong usage, which is answered before anything is opened', async (args, said) => {
    const wrong = await runSluice(['backfill', '--provider', 'binance', '--symbols', 'BTCUSDT', ...args], {
      cwd,
      env: { DATABASE_URL: 'postgres://127.0.0.1:1/none' },
    });
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toMatch(said);
    expect(wrong.stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('reads symbols from a file, and shows no key anywhere', async () => {
    writeFileSync(join(cwd, 'symbols.txt'), 'AAPL\n');
    const massive = await startFakeMassive({ key: SECRET });
    try {
      massive.remember([{ ...minutes('AAPL', 1)[0]!, vendor: 'massive' }]);
      const args = ['--provider', 'massive', '--url', massive.url, '--symbols', '@symbols.txt', ...span.slice(0, 4)];
      for (const key of [SECRET, 'Zq7wrongKey42xX']) {
        const { code, stdout, stderr } = await runSluice(['backfill', ...args, '--json', '--debug'], {
          cwd,
          env: { ...env(), MASSIVE_API_KEY: key },
        });
        expect(code).toBe(key === SECRET ? 0 : 1);
        const gaps = JSON.stringify(await storedGaps(pool));
        for (const text of [stdout, stderr, gaps]) expect(text).not.toContain(key);
        await pool.query('DROP TABLE gaps');
      }
    } finally {
      await massive.close();
    }
  });
});

describe('sluice gaps backfill', () => {
  const now = Date.now();
  const open = {
    of: 'bar',
    timeframe: '1m',
    cause: 'reconnect',
    state: 'open',
    rows: undefined,
    reason: undefined,
  } as const;
  const missing = (fields: object) =>
    gap({ ...open, vendor: 'binance', symbol: 'BTCUSDT', seq: gapSeq('open', now - 1), ...fields });
  const repair = (args: readonly string[], config: FakeTerminalConfig = {}) =>
    runSluice(['gaps', 'backfill', ...args], { cwd, env: env(), ...config });

  it('repairs what is selected once it is confirmed, and leaves open what nobody can be asked for', async () => {
    venue.remember(remembered());
    await write(gapsSink(pool), [
      missing({ from: T, to: T + HOUR_MS }),
      missing({ vendor: 'alpaca', symbol: 'AAPL', from: T, to: T + HOUR_MS }),
      missing({ vendor: 'nobody', from: T, to: T + HOUR_MS }),
    ]);
    const one = await repair(['--vendor', 'binance', '--url', venue.url], { answer: 'yes' });
    expect(one.questions).toEqual([
      expect.stringMatching(/^Ask for 1 open gap of binance \(reconnect 1\), from .*\? Type yes: $/),
    ]);
    expect(one).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^1 span:\n +1 {2}filled with 5\d records\n$/),
    });
    const others = await repair(['--all', '--yes', '--json']);
    expect(others.code).toBe(1);
    expect(json(others)).toMatchObject({
      isComplete: false,
      spans: { total: 2, open: 2 },
      left: [
        { vendor: 'alpaca', why: 'provider', reason: expect.stringMatching(/^alpaca needs ALPACA_KEY_ID/) },
        { vendor: 'nobody', why: 'provider', reason: expect.stringMatching(/^there is no provider "nobody"/) },
      ],
    });
  });

  it('asks nobody in a dry run, after a no, and without anybody to ask', async () => {
    await write(gapsSink(pool), [missing({ from: T, to: T + HOUR_MS })]);
    const asked = ['--vendor', 'binance', '--url', venue.url];
    expect(await repair([...asked, '--dry-run'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^1 open gap of binance/),
    });
    expect(await repair(asked, { answer: 'no' })).toMatchObject({ code: 1, stderr: 'nothing was asked\n' });
    expect((await repair(asked)).stderr).toBe(
      'error: refusing to ask vendors without confirmation: no terminal attached; pass --yes\n',
    );
    expect((await repair(['--yes'])).stderr).toMatch(/^error: no gaps are selected/);
    expect((await repair(['--yes', '--all', '--url', venue.url])).stderr).toBe('error: --url needs --vendor\n');
    expect(venue.requests).toEqual([]);
    await pool.query('DROP TABLE gaps');
    expect(await repair([...asked, '--yes'])).toMatchObject({
      code: 0,
      stderr: 'no gaps: the store has no table gaps yet\n',
    });
  });
});
