import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { lastValueFrom, of, throwError } from 'rxjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Sink } from '../../src/contracts/sink.js';
import { openDeadLetters } from '../../src/dead-letters/openDeadLetters.js';
import type { Bar } from '../../src/market/bar.js';
import type { Fundamentals } from '../../src/market/fundamentals.js';
import type { NewsItem } from '../../src/market/newsItem.js';
import type { OptionSnapshot } from '../../src/market/optionSnapshot.js';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import { writeTo } from '../../src/operators/writeTo.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { bar, type LetterFolder, letterFolder } from '../support/letters.js';
import { gap, quote, storedTrades, trade } from './events.js';

/** As compiled by `npm run build`. */
const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** As the sink of the kind in the store gives letters up. */
const STORE: Readonly<Record<string, string>> = {
  bar: 'bars',
  option: 'options_snap',
  news: 'news',
  fundamental: 'fundamentals',
  trade: 'trades',
  quote: 'quotes',
  gap: 'gaps',
};
const fromStore = (...items: readonly MarketEvent[]) => {
  const records = items[0]!.kind;
  const name = STORE[records]!;
  return { items, sink: { name, table: name, records } };
};

const database = freshDatabase();
let letters: LetterFolder;
beforeEach(() => {
  letters = letterFolder();
});
afterEach(() => letters.remove());

function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = { DATABASE_URL: database.url },
): Started {
  const { DATABASE_URL: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [program, ...args], { cwd: letters.cwd, env: { ...inherited, ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

const sluice = (args: readonly string[], env?: Readonly<Record<string, string>>) => start(args, env).ended;

/** Resolves when `isSo`, which some other process makes so. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));
}

let pool: pg.Pool;
beforeAll(() => {
  pool = database.pool();
});

async function count(table: string): Promise<number> {
  const { rows } = await pool.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [table]);
  if (!rows[0]?.there) return 0;
  return (await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`)).rows[0]?.n ?? 0;
}

async function clear(): Promise<void> {
  for (const table of Object.values(STORE)) await pool.query(`DROP TABLE IF EXISTS ${table} CASCADE`);
}

const option: OptionSnapshot = {
  kind: 'option',
  vendor: 'acme',
  symbol: 'SPY',
  expiry: '2026-06-19',
  optionType: 'C',
  strike: 470,
  ts: Date.UTC(2026, 0, 5),
  iv: 0.2,
  seq: 1,
};
const news: NewsItem = {
  kind: 'news',
  vendor: 'acme',
  id: 'n1',
  publishedAt: Date.UTC(2026, 0, 5),
  title: 'Something happened',
  url: 'https://example.org/n1',
  symbols: ['AAPL'],
  seq: 1,
};
const fundamental: Fundamentals = {
  kind: 'fundamental',
  vendor: 'acme',
  symbol: 'AAPL',
  periodEnd: '2025-12-31',
  timeframe: 'quarterly',
  metric: 'eps',
  value: 1.5,
  unit: 'USD/share',
  seq: 1,
};

describe('sluice', () => {
  it('config shows what is in effect, from the environment and .env', async () => {
    writeFileSync(join(letters.cwd, '.env'), 'MDS_COORDINATOR_WORKERS=7\n');
    const { code, stdout, stderr } = await sluice(['config', '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { settings } = JSON.parse(stdout) as { settings: { variable: string; value: unknown; origin: string }[] };
    const of = (name: string) => settings.find(({ variable }) => variable === name);
    expect(of('MDS_COORDINATOR_WORKERS')).toMatchObject({ value: 7, origin: 'dotenv' });
    expect(of('DATABASE_URL')).toMatchObject({ origin: 'environment' });
    expect(stdout).not.toContain(new URL(database.url).password);
  });

  it('tells wrong settings without a stack, and starts nothing', async () => {
    const { code, stdout, stderr } = await sluice(['migrate'], { DATABASE_URL: 'nonsense-hunter2', MDS_WORKERS: '1' });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.split('\n')).toHaveLength(4);
    expect(stderr).not.toMatch(/^\s+at |hunter2/m);
  });

  it.each([
    ['a server that is not there', 'postgres://u:hunter2@127.0.0.1:1/d', 'cannot reach Postgres at 127.0.0.1:1'],
    ['a wrong password', undefined, 'password'],
  ])('says in one sentence that the store cannot be opened: %s', async (_, url, said) => {
    const wrong = new URL(database.url);
    wrong.password = 'hunter2';
    const { code, stdout, stderr } = await sluice(['migrate'], { DATABASE_URL: url ?? wrong.toString() });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error: .*\n$/);
    expect(stderr).toContain(said);
    expect(stderr).not.toContain('hunter2');
  });

  it('says itself that a file of settings is not there: Node would, of an option --env-file, and exit with 9', async () => {
    for (const args of [
      ['config', '--dotenv-file', 'nobody.env'],
      ['--dotenv-file=nobody.env', 'config'],
    ]) {
      const { code, stdout, stderr } = await sluice(args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(`${join(letters.cwd, 'nobody.env')} does not exist`);
    }
  });

  it('ends quietly when its output is closed, as by head', async () => {
    await letters.write(...Array.from({ length: 300 }, () => ({ error: new Error('x'.repeat(1_000)) })));
    const shell = spawnSync(
      'bash',
      ['-o', 'pipefail', '-c', '"$0" "$1" dlq ls --json | head -n 1', process.execPath, program],
      { cwd: letters.cwd, encoding: 'utf8' },
    );
    expect(shell.stderr).toBe('');
    expect(shell.status).toBe(0);
    expect(shell.stdout.trimEnd().split('\n')).toHaveLength(1);
  }, 30_000);
});

describe('sluice migrate', () => {
  beforeEach(clear);
  afterAll(clear);

  it('gives bars_1d the days that are asked for, and refuses what is none', async () => {
    const done = await sluice(['migrate', '--schema', 'zoned', '--days', 'America/New_York@17:00']);
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(done.stdout).toContain('make bars_1d a view of the bars of 1m, with days of America/New_York from 17:00');
    for (const none of ['+05:30', 'America/New_York@25:00']) {
      const refused = await sluice(['migrate', '--days', none]);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain('It must be the IANA name of a time zone');
    }
  });

  it('shows what is missing, does it, and then has nothing to do', async () => {
    await pool.query('DROP TABLE IF EXISTS sluice_migrations');
    const plan = await sluice(['migrate', '--plan']);
    expect(plan).toMatchObject({ code: 0, stderr: '' });
    expect(plan.stdout).toMatch(/^\d+ steps missing \(schema "public"/);
    expect(plan.stdout).toContain('001_bars');
    expect(await count('bars')).toBe(0);

    const done = await sluice(['migrate']);
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(done.stdout).toMatch(/^apply 001_bars\napply 002_options_snap\n/);
    expect(done.stdout).toMatch(/\d+ steps done/);
    await pool.query(`SELECT * FROM ${Object.values(STORE).join(', ')}`);

    const again = await sluice(['migrate', '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ plan: false, schema: 'public', steps: [] });
    expect((await sluice(['migrate'])).stdout).toMatch(/^up to date /);
  }, 60_000);

  it('says for which process it waits, and gives up', async () => {
    await sluice(['migrate']);
    const holder = await pool.connect();
    await holder.query('BEGIN; LOCK TABLE sluice_migrations');
    const { rows } = await holder.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const { code, stdout, stderr } = await sluice(['migrate', '--lock-timeout', '3']);
    await holder.query('ROLLBACK');
    holder.release();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(
        `^waiting for process ${rows[0]!.pid} .*\\nerror: .* waited 3000 ms for process ${rows[0]!.pid} .*\\n$`,
        's',
      ),
    );
  }, 30_000);

  it('takes a schema', async () => {
    const { code, stdout } = await sluice(['migrate', '--schema', 'market data', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ schema: 'market data' });
    await pool.query('SELECT * FROM "market data".bars');
  }, 30_000);

  it('needs a store that is named', async () => {
    const { code, stderr } = await sluice(['migrate'], {});
    expect(code).toBe(2);
    expect(stderr).toBe(
      'error: no store is configured: set DATABASE_URL in the environment or .env, or pass --store-folder for an embedded store\n',
    );
  });

  it('brings up an embedded store, which a replay then writes to', async () => {
    const { code, stdout, stderr } = await sluice(['migrate', '--store-folder', 'store'], {});
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/\d+ steps done/);
    await letters.write(fromStore(bar()));
    // The option comes before DATABASE_URL.
    expect(await sluice(['dlq', 'replay', '--store-folder', 'store'])).toMatchObject({ code: 0 });
    expect(await letters.read()).toEqual([]);
    expect(await count('bars')).toBe(0);
  }, 60_000);
});

describe('sluice dlq replay', () => {
  beforeEach(clear);

  it('writes each kind to its table and removes its letters', async () => {
    await letters.write(
      fromStore(bar(), bar({ symbol: 'MSFT' })),
      fromStore(option),
      fromStore(news),
      fromStore(fundamental),
      fromStore(trade({ symbol: 'TpC', conditions: ['"', '🚀'] })),
      fromStore(quote({ symbol: 'BRK B', ask: null, askSize: null })),
      fromStore(gap()),
    );
    const { code, stdout, stderr } = await sluice(['dlq', 'replay']);
    expect(stderr).toBe('');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'replayed 7 letters with 8 items: 8 written, 0 failed again\n',
    });
    expect(await letters.read()).toEqual([]);
    expect(await Promise.all(Object.values(STORE).map(count))).toEqual([2, 1, 1, 1, 1, 1, 1]);
    expect(await storedTrades(pool)).toEqual([trade({ symbol: 'TpC', conditions: ['"', '🚀'] })]);
  }, 30_000);

  it('leaves what it has no table for, and what was never decoded, and says so', async () => {
    await letters.write(
      { ...fromStore(bar()), reason: 'drain' },
      { items: [{ kind: 'dividend', price: 1 }] },
      { items: ['2026;AAPL;n/a'], reason: 'decode' },
      { items: [{ kind: 'bar', high: 'n/a' }], reason: 'decode', stage: 'decode' },
    );
    const { code, stdout } = await sluice(['dlq', 'replay']);
    expect(stdout.trimEnd().split('\n')).toEqual([
      'replayed 1 letter with 1 item: 1 written, 0 failed again',
      expect.stringContaining('left 1 letter with 1 item of kind bar: not decoded yet'),
      expect.stringContaining('left 1 letter with 1 item of kind dividend: the store has no table for this kind'),
      expect.stringContaining('left 1 letter with 1 item of no kind: the store has no table for this kind'),
    ]);
    expect(code).toBe(3);
    expect((await letters.read()).map(({ kind, reason }) => `${kind} ${reason}`).sort()).toEqual([
      'bar decode',
      'dividend exhausted',
      'null decode',
    ]);
    expect(await count('bars')).toBe(1);
  }, 30_000);

  it('writes letters back to the table of their sink, and none to a table that merely has their kind', async () => {
    const queue = await openDeadLetters<Bar>(letters.folder, { pipeline: 'test' });
    const refuse = { concurrency: 1, classify: () => 'poison' as const, deadLetters: queue };
    const full = database.pool();
    const sinks: Sink<Bar>[] = [
      barsSink(full, { table: 'x', schema: 'other', name: 'elsewhere' }),
      { ...barsSink(full), name: 'http', write: () => throwError(() => new Error('HTTP 500')) },
      { name: 'bars', write: () => throwError(() => new Error('HTTP 500')) },
    ];
    for (const [n, sink] of sinks.entries()) {
      // The first one cannot be written to, because the item is bad.
      const item = bar({ symbol: `S${n}`, open: n === 0 ? ('1.5' as never) : 1 });
      await lastValueFrom(of([item]).pipe(writeTo(sink, refuse)));
    }
    await queue.close();
    writeFileSync(join(letters.cwd, 'mend.mjs'), 'export default (bar) => ({ ...bar, open: Number(bar.open) });');
    const { code, stdout } = await sluice(['dlq', 'replay', '--mend', 'mend.mjs']);
    expect(stdout).toContain('replayed 1 letter with 1 item: 1 written, 0 failed again');
    expect(stdout).toContain('of kind bar from the sink http: not a sink that this command can rebuild');
    expect(stdout).toContain('of kind bar from the sink bars: not a sink that this command can rebuild');
    expect(code).toBe(3);
    expect((await pool.query('SELECT symbol, open FROM other.x')).rows).toEqual([{ symbol: 'S0', open: 1.5 }]);
    expect(await count('bars')).toBe(0);
    expect(await letters.read()).toHaveLength(2);
    // A table that does not exist is not made of a mistyped name.
    expect((await sluice(['dlq', 'replay', '--table', 'brs'])).code).toBe(1);
    expect(await letters.read()).toHaveLength(2);
    await sluice(['migrate']);
    expect((await sluice(['dlq', 'replay', '--table', 'bars'])).code).toBe(0);
    expect(await count('bars')).toBe(2);
    await pool.query('DROP SCHEMA other CASCADE');
  }, 60_000);

  it('changes nothing with --dry-run, and needs no store for it', async () => {
    await letters.write(fromStore(bar(), bar()), fromStore(news), { items: [{ kind: 'dividend' }] });
    const before = await letters.read();
    const { code, stdout, stderr } = await sluice(['dlq', 'replay', '--dry-run'], {});
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trimEnd().split('\n')).toEqual([
      'would replay 2 letters with 3 items',
      '  into table bars: 1 letter with 2 items',
      '  into table news: 1 letter with 1 item',
      expect.stringContaining('left 1 letter with 1 item of kind dividend: the store has no table for this kind'),
    ]);
    expect(await letters.read()).toEqual(before);
  });

  it('writes the good items of a letter, and parks the bad one after so many replays', async () => {
    await letters.write(fromStore(bar(), bar({ symbol: 'BAD', open: 'n/a' as never }), bar({ symbol: 'MSFT' })));
    const args = ['dlq', 'replay', '--max-replays', '2', '--json'];
    const first = await sluice(args);
    expect(first.code).toBe(3);
    expect(JSON.parse(first.stdout)).toEqual({
      outcome: 'completed',
      dryRun: false,
      letters: 1,
      items: 3,
      written: 2,
      failedAgain: 1,
      parked: 0,
      left: [],
    });
    expect(await count('bars')).toBe(2);
    const [again] = await letters.read();
    expect(again).toMatchObject({ replays: 1, kind: 'bar', items: [{ symbol: 'BAD' }] });
    const second = await sluice(args);
    expect(second.code).toBe(3);
    expect(JSON.parse(second.stdout)).toMatchObject({ items: 1, written: 0, failedAgain: 1, parked: 1 });
    expect(await letters.read()).toEqual([]);
    expect((await letters.read('parked')).map(({ items }) => items.length)).toEqual([1]);
    expect((await sluice(args)).code).toBe(0);
  }, 30_000);

  it('sends no more letters than --limit, and only those that are named', async () => {
    await letters.write(...['A', 'B', 'C'].map((symbol) => ({ ...fromStore(bar({ symbol })), stage: symbol })));
    const limited = await sluice(['dlq', 'replay', '--limit', '1']);
    expect(limited.code).toBe(3);
    expect(limited.stdout).toBe(
      'replayed 1 letter with 1 item: 1 written, 0 failed again\nleft 2 letters beyond --limit\n',
    );
    const [b, c] = await letters.read();
    expect([b?.stage, c?.stage]).toEqual(['B', 'C']);
    expect((await sluice(['dlq', 'replay', c?.id ?? ''])).code).toBe(0);
    expect((await letters.read()).map(({ stage }) => stage)).toEqual(['B']);
    const { rows } = await pool.query('SELECT symbol FROM bars ORDER BY 1');
    expect(rows).toEqual([{ symbol: 'A' }, { symbol: 'C' }]);
  }, 30_000);

  it('loses nothing when it is killed half-way', async () => {
    const symbols = Array.from({ length: 300 }, (_, n) => `S${n}`);
    await letters.write(...symbols.map((symbol) => fromStore(bar({ symbol }))));
    const { child, ended } = start(['dlq', 'replay', '--rate', '100']);
    await until(async () => (await count('bars')) >= 20);
    child.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    const written = await count('bars');
    expect(written).toBeLessThan(300);
    const left = new Set((await letters.read()).map(({ items }) => (items[0] as { symbol: string }).symbol));
    const { rows } = await pool.query<{ symbol: string }>('SELECT symbol FROM bars');
    for (const { symbol } of rows) left.add(symbol);
    expect(left.size).toBe(300);
    expect((await sluice(['dlq', 'replay'])).code).toBe(0);
    expect(await count('bars')).toBe(300);
    expect(await letters.read()).toEqual([]);
  }, 60_000);

  it('stops in good order at SIGINT: it finishes what it has begun, and the rest stays', async () => {
    const symbols = Array.from({ length: 300 }, (_, n) => `S${n}`);
    await letters.write(
      ...symbols.map((symbol) => fromStore(bar({ symbol }))),
      // Of another kind, which comes after: it must not be begun.
      fromStore(news),
    );
    const { child, ended } = start(['dlq', 'replay', '--rate', '100']);
    await until(async () => (await count('bars')) >= 20);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect(stderr).toBe('stopping after the current writes; press Ctrl-C again to stop sooner\n');
    expect(code).toBe(3);
    expect(stdout).toMatch(/^replayed \d+ letters with \d+ items: \d+ written, 0 failed again, stopped on request\n$/);
    const written = await count('bars');
    expect(written).toBeLessThan(300);
    expect(await letters.read()).toHaveLength(301 - written);
    expect(Number(/: (\d+) written/.exec(stdout)?.[1])).toBe(written);
    expect(await count('news')).toBe(0);
  }, 60_000);

  it('waits for less at a second SIGINT, and keeps the letter that it is replaying', async () => {
    await letters.write(fromStore(bar()), fromStore(bar({ symbol: 'MSFT' })));
    expect((await sluice(['dlq', 'replay', '--limit', '1'])).code).toBe(3);
    const locker = new pg.Client(database.url);
    await locker.connect();
    try {
      await locker.query('BEGIN');
      await locker.query('LOCK TABLE bars');
      const { child, ended } = start(['dlq', 'replay']);
      await until(async () => {
        const { rows } = await pool.query(
          "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        );
        return rows.length > 0;
      });
      child.kill('SIGINT');
      // At once it would be the same one, passed on by a runner.
      child.stderr?.once('data', () => {
        child.kill('SIGINT');
        setTimeout(() => child.kill('SIGINT'), 600);
      });
      const { code, stdout, stderr } = await ended;
      expect(code).toBe(3);
      expect(stderr).toBe(
        'stopping after the current writes; press Ctrl-C again to stop sooner\n' +
          'stopping within a second; letters that are not written by then are kept\n',
      );
      expect(stdout).toContain('stopped at the deadline: unfinished letters are kept');
    } finally {
      await locker.end();
    }
    expect(await letters.read()).toHaveLength(1);
    expect((await sluice(['dlq', 'replay'])).code).toBe(0);
    expect(await count('bars')).toBe(2);
  }, 60_000);

  it('does not touch a folder that a pipeline has open', async () => {
    await letters.write({});
    const queue = await openDeadLetters(letters.folder, { pipeline: 'busy' });
    for (const args of [
      ['replay', '--table', 'bars'],
      ['park', '--all'],
      ['purge', '--all', '--yes'],
    ]) {
      const { code, stdout, stderr } = await sluice(['dlq', ...args]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^error: .*\n$/);
      expect(stderr).toContain(letters.folder);
    }
    await queue.close();
    expect(await letters.read()).toHaveLength(1);
  }, 30_000);

  it('does not begin with settings that are wrong', async () => {
    await letters.write(fromStore(bar()));
    const env = { DATABASE_URL: database.url, MDS_RETRY_MAX_ATTEMPTS: '0' };
    expect((await sluice(['dlq', 'replay'], env)).stderr).toContain('MDS_RETRY_MAX_ATTEMPTS must be an integer');
    expect(await letters.read()).toHaveLength(1);
  });

  it('has no option for a connection string', async () => {
    const { code, stderr } = await sluice(['dlq', 'replay', '--database-url', database.url]);
    expect(code).toBe(2);
    expect(stderr).toContain("unknown option '--database-url'");
  });
});

describe('sluice dlq purge', () => {
  it('asks nobody where nobody is', async () => {
    await letters.write({});
    const { code, stderr } = await sluice(['dlq', 'purge', '--all']);
    expect(code).toBe(2);
    expect(stderr).toContain('--yes');
    expect(await letters.read()).toHaveLength(1);
    expect((await sluice(['dlq', 'purge', '--all', '--yes'])).code).toBe(0);
    expect(await letters.read()).toEqual([]);
  });
});
