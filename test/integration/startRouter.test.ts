import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Trade } from '../../src/market/trade.js';
import { startFakeAlpaca } from '../../src/testing/venues/alpaca/startFakeAlpaca.js';
import { startFakeMassive } from '../../src/testing/venues/massive/startFakeMassive.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { storedGaps, storedTrades } from './events.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const database = freshDatabase();
const folder = mkdtempSync(join(tmpdir(), 'sluice-router-'));
let alpaca: Awaited<ReturnType<typeof startFakeAlpaca>>;
let massive: Awaited<ReturnType<typeof startFakeMassive>>;

beforeAll(async () => {
  alpaca = await startFakeAlpaca();
  massive = await startFakeMassive();
});
afterAll(async () => {
  await Promise.all([alpaca.close(), massive.close()]);
  rmSync(folder, { recursive: true, force: true });
});
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
beforeEach(() => database.pool().query('DROP TABLE IF EXISTS trades, gaps'));

/** The main job, as compiled by `npm run programs`. */
function start(args: readonly string[]) {
  const child = spawn(process.execPath, [`${root}.build/examples/run-pipeline-to-store.js`, ...args], {
    cwd: folder,
    env: {
      ...{ PATH: process.env.PATH, DATABASE_URL: database.url, MASSIVE_API_KEY: massive.secret },
      ...{ ALPACA_KEY_ID: alpaca.key, ALPACA_SECRET_KEY: alpaca.secret },
    },
  });
  children.push(child);
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk) => {
      said[name] += chunk;
    });
  }
  const ended = new Promise<typeof said & { code: number | null }>((resolve) => {
    child.once('close', (code) => resolve({ code, ...said }));
  });
  return { child, ended };
}

const trade = (id: string, ts: number): Trade => ({
  ...{ kind: 'trade', vendor: 'sim', symbol: 'AAPL', ts, price: 190, size: 100, id },
});
const both = () => [
  '--provider',
  'alpaca,massive',
  '--url',
  `${alpaca.url},${massive.url}`,
  '--symbols',
  'AAPL',
  '--kinds',
  'trade',
];

describe('npm start with several providers', () => {
  it('fails over into one series, fills the gap from history, and accounts for it', async () => {
    const { child, ended } = start([...both(), '--strategy', 'failover', '--as', 'us', '--fail-back-after', '1h']);
    await alpaca.until(({ subscriptions }) => subscriptions.length > 0);
    const now = Date.now();
    alpaca.publish([trade('1', now)]);
    alpaca.refuse(true);
    alpaca.reset();
    await massive.until(({ subscriptions }) => subscriptions.length > 0);
    massive.publish([trade('2', Date.now())]);
    const pool = database.pool();
    const closed = async () => (await storedGaps(pool).catch(() => [])).some(({ state }) => state !== 'open');
    while (!(await closed())) await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect(stderr).toMatch(/^massive takes over from alpaca/m);
    expect(stdout).toMatch(/^gaps: \d+ opened, [1-9]\d* closed, 0 left open$/m);
    expect(code).toBe(0);
    expect(new Set((await storedTrades(pool)).map(({ vendor }) => vendor))).toEqual(new Set(['us']));
    for (const key of [massive.secret, alpaca.key, alpaca.secret]) expect(stdout + stderr).not.toContain(key);
  }, 60_000);

  it.each([
    [['--provider', 'alpaca', '--as', 'us'], "error: option '--as' needs several providers: --provider ibkr,massive\n"],
    [['--provider', 'alpaca,massive', '--capture', 'x'], "error: option '--capture' takes one provider\n"],
    [
      ['--provider', 'alpaca,massive', '--url', 'ws://127.0.0.1:1'],
      "error: option '--url' must have 2 addresses with commas between them; an empty one is the vendor's own\n",
    ],
    [
      ['--provider', 'synthetic', '--no-backfill'],
      "error: option '--no-backfill' does not go with --provider synthetic\n",
    ],
  ])(
    '%j is wrong usage',
    async (args, said) => {
      expect(await start(args).ended).toMatchObject({ code: 2, stderr: said });
    },
    60_000,
  );
});
