import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { countDeadLetters } from '../../src/dead-letters/readDeadLetters.js';
import type { Trade } from '../../src/market/trade.js';
import { tradesSink } from '../../src/sinks/tradesSink.js';
import { startFakeAlpaca } from '../../src/testing/venues/alpaca/startFakeAlpaca.js';
import type { FakeCoinbase } from '../../src/testing/venues/coinbase/fakeCoinbase.js';
import { startFakeCoinbase } from '../../src/testing/venues/coinbase/startFakeCoinbase.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { write } from './bars.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const database = freshDatabase();
let folder: string;
let venue: FakeCoinbase;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-start-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  venue = await startFakeCoinbase();
});
afterEach(() => venue.close());

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The main job, as compiled by `npm run programs`. `during` gets the process once it runs. */
function start(args: readonly string[], during?: (child: ChildProcess) => void, env: Record<string, string> = {}) {
  return new Promise<Ended>((resolve, reject) => {
    const child = spawn(process.execPath, [`${root}.build/examples/run-pipeline-to-store.js`, ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, DATABASE_URL: database.url, ...env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
    during?.(child);
  });
}

const ts = 1_767_623_400_000;
function trade(id: number): Trade {
  const kind = 'trade';
  return {
    kind,
    vendor: 'coinbase',
    symbol: 'BTC-USD',
    ts: ts + id,
    price: 100 + id,
    size: 1,
    id: `${id}`,
    side: 'buy',
  };
}

/** What the process says, once it has. */
function said(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve) => {
    let text = '';
    child.stdout?.on('data', (chunk) => {
      text += chunk;
      const found = pattern.exec(text);
      if (found) resolve(found);
    });
  });
}

async function rows(): Promise<unknown> {
  return (await database.pool().query('SELECT id, ts, price FROM trades ORDER BY id')).rows;
}

describe('npm start with a provider', () => {
  it('streams it into the store, with a letter for what cannot be read, and a capture that replays to the same rows', async () => {
    const capture = ['--capture', join(folder, 'captures')];
    const live = ['--provider', 'coinbase', '--url', venue.url, '--symbols', 'BTC-USD', '--kinds', 'trade'];
    const ended = await start([...live, ...capture, '--dead-letters', join(folder, 'dlq')], (child) => {
      void (async () => {
        await venue.until(({ subscriptions }) => subscriptions.length === 2);
        venue.publish([trade(1), trade(2)]);
        venue.publishMalformed([trade(3)], 0);
        // A reconnect, so that all of it has arrived.
        venue.reset();
        await venue.until(({ accepted, subscriptions }) => accepted.length === 2 && subscriptions.length === 2);
        child.kill('SIGINT');
      })();
    });
    expect(ended.stdout).toMatch(/drained after a request to stop \(SIGINT\)/);
    expect(ended.stdout).toMatch(/^coinbase: \d+ messages, 3 records, 1 reconnects, .*1 unreadable elements/m);
    expect(ended.stdout).toContain('diverted  1 (decode 1)');
    expect(ended.stderr).toContain('what was diverted is in');
    expect(ended.code).toBe(1);
    expect((await countDeadLetters(join(folder, 'dlq'))).open.items).toBe(1);
    const written = await rows();
    expect(written).toHaveLength(3);

    await database.pool().query('TRUNCATE trades');
    const files = readdirSync(join(folder, 'captures'));
    expect(files).toHaveLength(1);
    expect(gunzipSync(readFileSync(join(folder, 'captures', files[0]!))).toString()).toContain('"is":"in"');
    const replay = ['--replay', join(folder, 'captures'), '--speed', 'max', '--dead-letters', join(folder, 'dlq2')];
    const replayed = await start(['--provider', 'coinbase', '--symbols', 'BTC-USD', '--kinds', 'trade', ...replay]);
    expect(replayed.stdout).toMatch(/^completed in /m);
    expect(await rows()).toEqual(written);
  }, 60_000);

  it('shows the table that it wrote, and ends by itself after --for', async () => {
    const live = ['--provider', 'coinbase', '--url', venue.url, '--kinds', 'trade'];
    // The store has trades of long ago, and the vendor no history of them.
    const args = [...live, '--for', '3s', '--no-backfill'];
    const ended = await start(args, () => {
      void venue
        .until(({ subscriptions }) => subscriptions.length === 2)
        .then(() => venue.publish([trade(1), trade(2)]));
    });
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout).toMatch(/^trades of +rows +first +last +last price\nBTC-USD +2 .* 102\.00\n/m);
    expect(ended.stdout).toMatch(/coinbase (live|connecting) \(\d of 1 series\)/);
  }, 60_000);

  it('connects again when no data come for --stale-after', async () => {
    const args = ['--provider', 'coinbase', '--url', venue.url, '--kinds', 'trade', '--stale-after', '300ms'];
    const ended = await start(args, (child) => {
      void venue.until(({ accepted }) => accepted.length === 2).then(() => child.kill('SIGINT'));
    });
    expect(ended.stdout).toMatch(/^coinbase: .*last error: .*carried no data for 300 ms/m);
  }, 60_000);

  it('says in one sentence that the vendor cannot be reached', async () => {
    const { url } = venue;
    await venue.close();
    const { code, stderr, stdout } = await start(['--provider', 'coinbase', '--url', url]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: coinbase: could not connect to 127\.0\.0\.1:\d+: connection refused \(ECONNREFUSED\)\n$/m,
    );
    expect(stdout).not.toMatch(/\n\s+at /);
    venue = await startFakeCoinbase();
  }, 60_000);

  it('records what was missed since the newest trade of the store, and shows it as open', async () => {
    const pool = database.pool();
    await pool.query('DROP TABLE IF EXISTS trades, gaps');
    const sink = tradesSink(pool);
    await write(sink, [trade(1), { ...trade(9), symbol: 'ETH-USD' }]);
    const live = ['--provider', 'coinbase', '--url', venue.url, '--symbols', 'BTC-USD,SOL-USD', '--kinds', 'trade'];
    const args = [...live, '--dead-letters', join(folder, 'dlq-restart'), '--metrics', '--no-backfill'];
    let shown = '';
    const begun = Date.now();
    const ended = await start(
      args,
      (child) => {
        void (async () => {
          const [, url] = await said(child, /metrics: (\S+)/);
          // The gap is written, and asked for, each in its own time.
          while (!/sluice_gaps_open\{pipeline="market-data",cause="restart"\} 1/.test(shown)) {
            shown = await (await fetch(url!)).text();
            await setTimeout(100);
          }
          child.kill('SIGINT');
        })();
      },
      { MDS_METRICS_PORT: '0' },
    );
    expect(ended.code).toBe(0);
    expect(shown).toMatch(/sluice_gaps_oldest_seconds\{pipeline="market-data",cause="restart"\} \d/);
    const { rows } = await pool.query('SELECT symbol, of_kind, from_ts, to_ts, cause, state FROM gaps');
    expect(rows).toEqual([
      {
        symbol: 'BTC-USD',
        of_kind: 'trade',
        from_ts: new Date(ts + 1),
        to_ts: expect.any(Date),
        cause: 'restart',
        state: 'open',
      },
    ]);
    expect(rows[0].to_ts.getTime()).toBeGreaterThanOrEqual(begun);
  }, 90_000);

  it.each(['credentials', 'entitlement'] as const)(
    "ends with the vendor's own words, 2 and no retry: %s",
    async (why) => {
      const alpaca = await startFakeAlpaca();
      alpaca.rejectLogins(why);
      const env = { ALPACA_KEY_ID: 'distinct-key-1234', ALPACA_SECRET_KEY: 'distinct-secret-5678' };
      const { code, stderr, stdout } = await start(['--provider', 'alpaca', '--url', alpaca.url], undefined, env);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^error: alpaca: .+\n$/m);
      expect(alpaca.accepted).toHaveLength(1);
      expect(stdout + stderr).not.toContain('distinct-');
      await alpaca.close();
    },
    60_000,
  );

  it.each<[string, readonly string[], string]>([
    [
      'options of generated bars',
      ['--provider', 'coinbase', '--seed', '1'],
      "option '--seed' does not go with --provider coinbase",
    ],
    [
      'options of a provider',
      ['--provider', 'synthetic', '--kinds', 'trade'],
      "option '--kinds' does not go with --provider synthetic",
    ],
    ['names where a number is meant', ['--provider', 'synthetic', '--symbols', 'A,B'], 'must be a number'],
    [
      'an address with a replay',
      ['--provider', 'coinbase', '--replay', 'x', '--url', 'ws://x'],
      "'--url' does not go with --replay",
    ],
    [
      'a wait with generated bars',
      ['--provider', 'synthetic', '--stale-after', '1s'],
      "option '--stale-after' does not go with --provider synthetic",
    ],
    ['a speed without a replay', ['--provider', 'coinbase', '--speed', 'max'], "option '--speed' needs --replay"],
    [
      'a speed that is none',
      ['--provider', 'coinbase', '--replay', 'x', '--speed', '0'],
      'It must be a number above 0, or max.',
    ],
    ['a key that is missing', ['--provider', 'alpaca'], 'alpaca needs ALPACA_KEY_ID'],
    ['a kind that it has not', ['--provider', 'coinbase', '--kinds', 'news'], 'got "news"'],
  ])(
    'refuses %s with 2',
    async (_, args, words) => {
      const { code, stderr, stdout } = await start(args);
      expect(stderr).toContain(words);
      if (words.includes('ALPACA')) expect(stdout).not.toContain('store:');
      expect(code).toBe(2);
    },
    30_000,
  );
});
