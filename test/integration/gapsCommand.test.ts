import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Gap, MIN_CLOSED_SEQ } from '../../src/market/gap.js';
import { gapsSink } from '../../src/sinks/gapsSink.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { type FakeTerminalConfig, runSluice } from '../support/fakeTerminal.js';
import { write } from './bars.js';
import { gap, storedGaps } from './events.js';

const database = freshDatabase();
const cwd = mkdtempSync(join(tmpdir(), 'sluice-gaps-'));
let pool: pg.Pool;
beforeAll(() => {
  pool = database.pool({ max: 2 });
});
afterAll(() => rmSync(cwd, { recursive: true }));
beforeEach(() => pool.query('DROP TABLE IF EXISTS gaps'));

const T = Date.UTC(2024, 0, 2, 14, 30);
const gaps = (args: readonly string[], config: FakeTerminalConfig = {}) =>
  runSluice(['gaps', ...args], { cwd, env: { DATABASE_URL: database.url }, ...config });
const listed = ({ stdout }: { stdout: string }) =>
  stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));

const base = { vendor: 'coinbase', symbol: 'BTC-USD', of: 'trade', cause: 'reconnect', state: 'open' } as const;
const lacking = (fields: Partial<Gap>) => gap({ timeframe: undefined, rows: undefined, reason: undefined, ...fields });
const OPEN = [
  lacking({ ...base, from: T + 0.125, to: T + 90_000, reason: 'the vendor\nis down' }),
  lacking({ ...base, symbol: 'ETH-USD', from: T + 60_000, to: T + 60_500, cause: 'sequence', rows: 3 }),
  gap({
    ...base,
    vendor: 'massive',
    symbol: 'AAPL',
    of: 'bar',
    timeframe: '1m',
    from: T + 3_600_000,
    to: T + 7_200_000,
  }),
];
const FILLED = lacking({ ...base, symbol: 'SOL-USD', from: T, to: T + 1, state: 'filled', rows: 7 });
const fill = () => write(gapsSink(pool), [...OPEN, FILLED]);

describe('sluice gaps ls', () => {
  it('lists what is open, those that begin first first, with a total', async () => {
    await fill();
    const { code, stdout, stderr } = await gaps(['ls']);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^FROM +LENGTH +VENDOR +SYMBOL +KIND +CAUSE +STATE +ROWS +REASON$/);
    expect(lines[1]).toMatch(
      /^2024-01-02T14:30:00\.000125Z +1m 30s +coinbase +BTC-USD +trade +reconnect +open +- +the vendor is down$/,
    );
    expect(lines[2]).toMatch(/^2024-01-02T14:31:00\.000Z +500 ms +coinbase +ETH-USD +trade +sequence +open +3$/);
    expect(lines[3]).toMatch(/ 1h +massive +AAPL +bar 1m +/);
    expect(lines).toHaveLength(4);
    expect(stderr).toBe(
      '3 open gaps of coinbase, massive (reconnect 2, sequence 1), from 2024-01-02T14:30:00.000125Z to 2024-01-02T16:30:00.000Z\n',
    );
  });

  it('prints one object per gap, each with every key', async () => {
    await fill();
    expect(listed(await gaps(['ls', '--json', '--state', 'all', '--to', '2024-01-02T14:30:00.001Z']))).toEqual([
      {
        ...{ vendor: 'coinbase', symbol: 'SOL-USD', of: 'trade', timeframe: null, cause: 'reconnect', state: 'filled' },
        ...{ from: '2024-01-02T14:30:00.000Z', to: '2024-01-02T14:30:00.001Z', rows: 7, reason: null },
      },
      expect.objectContaining({ symbol: 'BTC-USD', state: 'open', rows: null, reason: 'the vendor\nis down' }),
    ]);
  });

  it.each([
    [['--vendor', 'massive'], ['AAPL']],
    [
      ['--symbol', 'AAPL,ETH-USD'],
      ['ETH-USD', 'AAPL'],
    ],
    [['--symbol', '@symbols.txt'], ['ETH-USD']],
    [['--kind', 'bar'], ['AAPL']],
    [['--cause', 'sequence'], ['ETH-USD']],
    [['--state', 'filled,abandoned'], ['SOL-USD']],
    [
      ['--from', '2024-01-02T14:31:15Z'],
      ['BTC-USD', 'AAPL'],
    ],
    [['--to', '2024-01-02T14:31:00Z'], ['BTC-USD']],
    [
      ['--older-than', '100w'],
      ['BTC-USD', 'ETH-USD', 'AAPL'],
    ],
    [['--older-than', '2000w'], []],
    [['--from', 'now-1d'], []],
    [
      ['--limit', '2'],
      ['BTC-USD', 'ETH-USD'],
    ],
  ])('%j selects %j', async (args, symbols) => {
    writeFileSync(join(cwd, 'symbols.txt'), 'ETH-USD # one\n');
    await fill();
    expect(listed(await gaps(['ls', '--json', ...args])).map(({ symbol }) => symbol)).toEqual(symbols);
  });

  it.each([
    [['--state', 'shut'], /There is no state "shut", only open, filled, empty, abandoned and all/],
    [['--cause', 'magic'], /Allowed choices are reconnect, sequence, stale, overflow, restart, requested/],
    [['--kind', 'gap'], /Allowed choices are bar, /],
    [['--from', 'now', '--to', 'now-1d'], /^error: --from must be before --to\n$/],
    [['--older-than', '7'], /It must be a period such as 15m, 6h, 7d or 2w/],
    [['--symbol', '@none.txt'], /^error: cannot read the symbols in .*none\.txt/],
  ])('%j is wrong usage, which is answered before the store is opened', async (args, said) => {
    const wrong = await gaps(['ls', ...args], { env: { DATABASE_URL: 'postgres://127.0.0.1:1/none' } });
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toMatch(said);
  });

  it('says in one sentence that there is no table, no store, no server', async () => {
    expect(await gaps(['ls'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'no gaps: the store has no table gaps yet\n',
    });
    const folder = await gaps(['ls', '--store-folder', 'none']);
    expect(folder).toMatchObject({ code: 2, stdout: '' });
    expect(folder.stderr).toBe(`error: there is no store in ${join(cwd, 'none')}: check --store-folder\n`);
    expect(readdirSync(cwd)).not.toContain('none');
    const away = await gaps(['ls'], { env: { DATABASE_URL: 'postgres://me:secret@127.0.0.1:1/none' } });
    expect(away).toMatchObject({ code: 1, stdout: '' });
    expect(away.stderr).toMatch(/^error: [^\n]+\n$/);
    expect(away.stderr).not.toContain('secret');
    expect((await gaps(['ls'], { env: {} })).stderr).toMatch(/^error: no store is configured: /);
  });
});

describe('sluice gaps abandon', () => {
  const reason = ['--reason', 'the vendor has no history'];

  it('closes what is selected with the reason, once it is confirmed, above every open state', async () => {
    await fill();
    const done = await gaps(['abandon', '--vendor', 'coinbase', ...reason], { answer: 'yes' });
    expect(done).toMatchObject({ code: 0, stdout: 'abandoned 2 gaps\n' });
    expect(done.questions).toEqual([
      expect.stringMatching(/^Abandon 2 open gaps of coinbase \(.*\), from .* for good\? Type yes: $/),
    ]);
    const closed = (await storedGaps(pool)).filter(({ state }) => state === 'abandoned');
    expect(closed.map(({ symbol, reason: why }) => [symbol, why])).toEqual([
      ['BTC-USD', 'the vendor has no history'],
      ['ETH-USD', 'the vendor has no history'],
    ]);
    for (const { seq } of closed) expect(seq).toBeGreaterThan(MIN_CLOSED_SEQ);
    await fill();
    expect(listed(await gaps(['ls', '--json'])).map(({ symbol }) => symbol)).toEqual(['AAPL']);
  });

  it('changes nothing if the answer is no, in a dry run, and without anybody to ask', async () => {
    await fill();
    const before = await storedGaps(pool);
    expect(await gaps(['abandon', '--all', ...reason], { answer: 'no' })).toMatchObject({ code: 1, stdout: '' });
    expect(await gaps(['abandon', '--all', ...reason, '--dry-run', '--json'])).toMatchObject({
      code: 0,
      stdout: '{"gaps":3,"abandoned":0,"dryRun":true}\n',
    });
    expect((await gaps(['abandon', '--all', ...reason])).stderr).toBe(
      'error: refusing to abandon gaps without confirmation: no terminal attached; pass --yes\n',
    );
    expect(await storedGaps(pool)).toEqual(before);
  });

  it('has to be told which, and why', async () => {
    expect((await gaps(['abandon', '--yes', ...reason])).stderr).toBe(
      'error: no gaps are selected: pass a filter, or --all for every open gap\n',
    );
    expect((await gaps(['abandon', '--yes', '--all', '--kind', 'bar', ...reason])).code).toBe(2);
    expect(await gaps(['abandon', '--yes', '--all'])).toMatchObject({ code: 2 });
    expect((await gaps(['abandon', '--yes', '--all', '--reason', ' '])).stderr).toBe('error: --reason must say why\n');
  });

  it('prints what it did as JSON, and is done when there is nothing to do', async () => {
    await fill();
    const first = await gaps(['abandon', '--all', '--yes', '--json', ...reason]);
    expect(first).toMatchObject({ code: 0, stdout: '{"gaps":3,"abandoned":3,"dryRun":false}\n', stderr: '' });
    expect(await gaps(['abandon', '--all', '--yes', ...reason])).toMatchObject({
      code: 0,
      stdout: 'abandoned 0 gaps\n',
    });
    await pool.query('DROP TABLE gaps');
    expect(await gaps(['abandon', '--all', '--yes', '--json', ...reason])).toMatchObject({
      code: 0,
      stdout: '{"gaps":0,"abandoned":0,"dryRun":false}\n',
    });
  });
});
