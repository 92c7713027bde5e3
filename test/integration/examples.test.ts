import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countDeadLetters } from '../../src/dead-letters/readDeadLetters.js';
import { foldBars } from '../../src/market/foldByKey.js';
import { syntheticBars } from '../../src/sources/syntheticBars.js';
import { freshDatabase } from '../postgres/freshDatabase.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const database = freshDatabase();
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-examples-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs an example as compiled by `npm run programs`. `onOutput` may send it signals. */
function example(
  name: string,
  args: readonly string[] = [],
  onOutput?: (text: string, child: ChildProcess) => void,
  settings: Readonly<Record<string, string>> = {},
) {
  return new Promise<Ended>((resolve, reject) => {
    const { DATABASE_URL: _, ...env } = process.env;
    const child = spawn(process.execPath, [`${root}.build/examples/${name}.js`, ...args], {
      cwd: folder,
      env: { ...env, ...settings },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      onOutput?.(stdout, child);
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

const toStore = (...args: string[]) =>
  example('run-pipeline-to-store', args, undefined, { DATABASE_URL: database.url });

/** What a file of bars does not say. */
const ACME = ['--symbol', 'ACME', '--timeframe', '1d'];

/** The whole table, as text, so that two states of it can be compared. */
async function table(): Promise<string[]> {
  const { rows } = await database.pool().query<{ row: string }>('SELECT bars::text AS row FROM bars ORDER BY 1');
  return rows.map(({ row }) => row);
}

describe('run-pipeline-to-store', () => {
  it('writes the real bars, accounts for them, and leaves the same table when run again', async () => {
    const first = await toStore();
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain('received  5,105\nwritten   5,105 (5,105 rows inserted or changed');
    expect(first.stdout).toContain('every item is accounted for');
    expect(first.stdout).toMatch(
      /^bars of +timeframe +rows +first +last +last close\n\^GSPC +1d +5,105 +2000-01-03 +2020-04-17 +2,874\.56\n$/m,
    );
    const before = await table();
    expect(before).toHaveLength(5_105);

    const second = await toStore();
    expect(second.stdout).toContain('written   5,105 (0 rows inserted or changed');
    expect(await table()).toEqual(before);
  }, 60_000);

  it('writes generated bars: the table holds the newest version of each', async () => {
    const config = { count: 20_000, symbols: 50, seed: 11, revisions: 0.05, duplicates: 0.05 };
    const args = Object.entries(config).flatMap(([name, value]) => [`--${name}`, String(value)]);
    expect((await toStore('--provider', 'synthetic', ...args)).code).toBe(0);
    const { rows } = await database
      .pool()
      .query(`SELECT symbol, (extract(epoch from ts) * 1000)::float8 AS ts, open, high, low, close, volume, seq::float8
              FROM bars WHERE vendor = 'synthetic-11' ORDER BY symbol COLLATE "C", ts`);
    const expected = [...foldBars(syntheticBars(config)).values()]
      .map(({ symbol, ts, open, high, low, close, volume, seq }) => ({
        symbol,
        ts,
        open,
        high,
        low,
        close,
        volume,
        seq,
      }))
      .sort((a, b) => (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : a.ts - b.ts));
    expect(rows).toEqual(expected);
  }, 60_000);

  it('ends although the server falls silent before its last query', async () => {
    const server = new URL(database.url);
    let isSilent = false;
    const proxy = createServer((client) => {
      const upstream = connect(Number(server.port), server.hostname);
      client.on('data', (bytes) => {
        isSilent ||= bytes.includes('WITH ORDINALITY AS s');
        if (!isSilent) upstream.write(bytes);
      });
      upstream.on('data', (bytes) => isSilent || client.write(bytes));
      for (const socket of [client, upstream]) {
        socket.on('error', () => {});
        socket.on('close', () => {
          client.destroy();
          upstream.destroy();
        });
      }
    });
    await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
    const url = new URL(database.url);
    url.port = String((proxy.address() as AddressInfo).port);
    const ended = await example('run-pipeline-to-store', ['--provider', 'synthetic', '--count', '10'], undefined, {
      DATABASE_URL: url.toString(),
    });
    proxy.close();
    expect(isSilent).toBe(true);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain('every item is accounted for');
    expect(ended.stderr).toContain(
      'the bars are written, but how many rows the store has of them cannot be read: no answer within 5 s',
    );
  }, 60_000);

  it('drains on a signal, and says so', async () => {
    const args = ['--database-url', database.url, '--provider', 'synthetic', '--count', '100000000', '--symbols', '10'];
    let asked = false;
    const { code, stdout } = await example('run-pipeline-to-store', args, (text, child) => {
      if (asked || !text.includes(' written, ')) return;
      asked = true;
      child.kill('SIGTERM');
    });
    expect(code).toBe(0);
    expect(stdout).toContain('drained after a request to stop (SIGTERM)');
    expect(stdout).toContain('held      0\nevery item is accounted for');
  }, 60_000);

  it('skips a bad row with its file and line, counts it, and writes the rows around it', async () => {
    const file = join(folder, 'bars.csv');
    writeFileSync(
      file,
      'date,open,high,low,close,volume\n2024-01-02,1,2,0.5,1.5,10\n2024-01-03,1,2,0.5,n/a,10\n2024-01-04,1,2,0.5,1.5,10\n',
    );
    const { code, stdout, stderr } = await toStore('--file', file, ...ACME);
    expect(code).toBe(0);
    expect(stdout).toContain('received  3\nwritten   2');
    expect(stdout).toContain('dropped   1 (badRow 1)');
    expect(stderr).toContain(`${file}:3`);
    expect(stderr).toContain('close');
    expect(stderr).toContain('n/a');
  }, 30_000);

  it('lets a corrected file win over the one before', async () => {
    const file = join(folder, 'versions.csv');
    const closes = () =>
      database
        .pool()
        .query("SELECT close FROM bars WHERE ts = '1990-01-02T00:00:00Z'")
        .then(({ rows }) => rows);
    for (const [close, mtime] of [
      [1.5, 1_000],
      [1.6, 2_000],
      [1.7, 500],
    ] as const) {
      writeFileSync(file, `date,open,high,low,close,volume\n1990-01-02,1,2,0.5,${close},10\n`);
      utimesSync(file, mtime, mtime);
      await toStore('--file', file, ...ACME);
      expect(await closes()).toEqual([{ close: Math.min(close, 1.6) }]);
    }
  }, 30_000);

  it('drains quietly when its output is closed', async () => {
    const args = ['--provider', 'synthetic', '--count', '100000000', '--symbols', '10'];
    const settings = { DATABASE_URL: database.url };
    const close = (_: string, child: ChildProcess) => child.stdout?.destroy();
    const { code, stderr } = await example('run-pipeline-to-store', args, close, settings);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  }, 60_000);

  it('ends in good order when there is nothing to write', async () => {
    const file = join(folder, 'empty.csv');
    writeFileSync(file, 'date,open,high,low,close,volume\n');
    const { code, stdout } = await example('run-pipeline-to-store', [
      '--file',
      file,
      ...ACME,
      '--folder',
      join(folder, 'pglite'),
    ]);
    expect(stdout).toContain('received  0');
    expect(stdout).toContain('nothing was written');
    expect(code).toBe(0);
  }, 60_000);

  it('ends after the deadline of a drain, though the table is locked by another: what it holds is in the dead letters', async () => {
    await toStore('--provider', 'synthetic', '--count', '1');
    const locker = new pg.Client(database.url);
    await locker.connect();
    await locker.query('BEGIN');
    await locker.query('LOCK TABLE bars');
    let asked = false;
    const letters = join(folder, 'letters');
    const args = ['--provider', 'synthetic', '--count', '100000', '--dead-letters', letters];
    const { code, stdout, stderr } = await example(
      'run-pipeline-to-store',
      ['--database-url', database.url, ...args],
      (text, child) => {
        if (asked || !/[1-9][\d,]* held/.test(text)) return;
        asked = true;
        for (const signal of ['SIGTERM', 'SIGINT'] as const) child.kill(signal);
      },
    );
    await locker.end();
    expect(stdout).toMatch(/drained after a request to stop \(SIG/);
    const [, received] = /received {2}([\d,]+)/.exec(stdout) ?? [];
    expect(stdout).toContain(`diverted  ${received} (drain ${received})`);
    expect(stdout).toContain('held      0\nevery item is accounted for');
    expect(stderr).toContain(letters);
    expect(code).toBe(1);
    expect((await countDeadLetters(letters)).open.items.toLocaleString('en-US')).toBe(received);
  }, 60_000);

  it('loses nothing to a second signal, says what it does, and takes a Ctrl-C that arrives twice for one', async () => {
    await toStore('--provider', 'synthetic', '--count', '1');
    const locker = new pg.Client(database.url);
    await locker.connect();
    await locker.query('BEGIN');
    await locker.query('LOCK TABLE bars');
    let asked = false;
    const letters = join(folder, 'hurried');
    const args = ['--provider', 'synthetic', '--count', '100000', '--dead-letters', letters];
    const { code, stdout, stderr } = await example(
      'run-pipeline-to-store',
      ['--database-url', database.url, ...args],
      (text, child) => {
        if (asked || !/[1-9][\d,]* held/.test(text)) return;
        asked = true;
        for (const ms of [0, 20, 700, 720]) setTimeout(() => child.kill('SIGINT'), ms);
      },
    );
    await locker.end();
    const [, received] = /received {2}([\d,]+)/.exec(stdout) ?? [];
    expect(stdout).toContain(`diverted  ${received} (drain ${received})`);
    expect(stdout).toContain('held      0\nevery item is accounted for');
    expect(stdout).toMatch(/drained after a request to stop \(SIGINT\)/);
    expect(stderr.match(/^SIGINT: .*$/gm)).toEqual([
      expect.stringContaining('a second signal ends the writing'),
      expect.stringContaining('nothing more is written; what is held goes to the dead letters'),
    ]);
    expect(code).toBe(1);
  }, 60_000);

  it.each([
    ['postgres://u:secret@127.0.0.1:1/x', true],
    ['postgres://u:se/cr@et@127.0.0.1:1/x', true],
    ['postgres://u@127.0.0.1:1/x?password=secret', true],
    ['host=127.0.0.1 port=1 password=secret', true],
    ['postgres://u@127.0.0.1:1/x', false],
    ['postgres://127.0.0.1:1/x', false],
  ])('warns of a password on its command line: %s', async (url, isWarned) => {
    const { stderr } = await example('run-pipeline-to-store', ['--database-url', url]);
    expect(stderr.includes('warning: --database-url holds a password')).toBe(isWarned);
    expect(stderr).not.toMatch(/secret|se\/cr/);
  });

  it('tells all that is wrong with its settings at once, and starts nothing', async () => {
    const { code, stdout, stderr } = await example('run-pipeline-to-store', [], undefined, {
      MDS_COORDINATOR_WORKERS: 'four',
      MDS_METRICS_PORT: '99999',
    });
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('MDS_COORDINATOR_WORKERS');
    expect(stderr).toContain('MDS_METRICS_PORT');
  });

  it.each([
    ['a missing file', 1, ['--file', '/nowhere/bars.csv'], ['/nowhere/bars.csv']],
    ['a file of another kind', 2, ['--file', `${root}package.json`], ['package.json']],
    ['an unknown option', 2, ['--sybmols', '3'], ["unknown option '--sybmols'"]],
    ['an option out of range', 2, ['--workers', '0'], ['--workers', 'from 1 to 64']],
    ['an option of another provider', 2, ['--seed', '9'], ['--seed', 'sp500']],
    ['an address in the wrong place', 2, ['--workers', 'postgres://u:secret@h/x'], ['--workers', '***@h/x']],
    ['a choice that is none', 2, ['--provider', 'bloomberg'], ['sp500, synthetic']],
    [
      'a database that cannot be reached',
      1,
      ['--database-url', 'postgres://u:secret@127.0.0.1:1/x'],
      ['127.0.0.1:1', 'DATABASE_URL'],
    ],
    ['a database url that is none', 1, ['--database-url', 'nonsense'], ['DATABASE_URL']],
  ])('refuses %s in one sentence, without a stack', async (_, exitCode, args, said) => {
    const all = args.includes('--database-url') ? args : ['--database-url', database.url, ...args];
    const { code, stderr } = await example('run-pipeline-to-store', all);
    expect(code).toBe(exitCode);
    for (const words of said) expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stderr).not.toContain('secret');
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
  });

  it('shows the stack and the causes when asked to', async () => {
    const { stderr } = await toStore('--file', '/nowhere/bars.csv', '--verbose');
    expect(stderr).toMatch(/^\s+at /m);
    expect(stderr).toContain('ENOENT');
  });

  it('lists its options', async () => {
    const { code, stdout } = await example('run-pipeline-to-store', ['--help']);
    expect(code).toBe(0);
    for (const option of [
      '--provider',
      '--count',
      '--symbols',
      '--seed',
      '--rate',
      '--workers',
      '--database-url',
      '--verbose',
    ]) {
      expect(stdout).toContain(option);
    }
  });
});

describe('the other examples', () => {
  it('custom-operator counts what its operator drops', async () => {
    const { code, stdout } = await example('custom-operator');
    expect(code).toBe(0);
    expect(stdout).toMatch(/dropped {3}[\d,]+ \(narrow [\d,]+\)/);
    expect(stdout).toContain('every item is accounted for');
  });

  it('holding-operator puts items in order', async () => {
    const { code, stdout } = await example('holding-operator');
    expect(code).toBe(0);
    expect(stdout.trim().split('\n').slice(-7)).toEqual(['1', '2', '3', '4', '5', '6', '7']);
  });

  it('route-by-kind writes every bar and conflates quotes', async () => {
    const { code, stdout } = await example('route-by-kind');
    expect(code).toBe(0);
    expect(stdout).toMatch(/received {2}4,000\nwritten {3}2,\d+/);
    expect(stdout).toMatch(/conflated 1,\d+/);
  });

  it('dead-letters waits out an outage, puts one bar aside and replays it', async () => {
    const { code, stdout } = await example('dead-letters');
    expect(code).toBe(0);
    expect(stdout).toContain('written   1,999');
    expect(stdout).toContain('diverted  1 (poison 1)');
    expect(stdout).toMatch(/letter \S+: 1 item, poison: 23514, S\d+: volume -1 violates a check/);
    expect(stdout).toContain('replayed: 1 written, 0 failed again, 0 left\nthe store has 2000 of 2000 bars');
  });

  it('http-sink waits as it is asked to, puts one bar aside, and has the program replay it', async () => {
    const { code, stdout, stderr } = await example('http-sink');
    expect(code).toBe(0);
    // The log of the run: what the server refused, the breaker, and the letter.
    expect(stderr.match(/\((HTTP_\d+, \w+), attempt \d\)/g)).toHaveLength(4);
    expect(stderr).toContain('http.write: an item goes to the dead letters (poison): HTTP 400: Bad Request');
    // Each batch once, but for the three bad days and the bar that is refused, which the server names.
    expect(stdout).toContain('the server answered 429, 503, 503, 200, 200, 400, 200, 200\n');
    const [, seconds, states] = /waited ([\d.]+) s; the breaker: (.*)/.exec(stdout) ?? [];
    expect(Number(seconds)).toBeGreaterThanOrEqual(1);
    expect(states).toBe('open, halfOpen, closed');
    expect(stdout).toContain('written   1,999 (1,999 rows inserted or changed, 4 batches)\ndiverted  1 (poison 1)');
    expect(stdout).toContain('every item is accounted for');
    expect(stdout).toContain('replayed 1 letter with 1 item: 1 written, 0 failed again');
    expect(stdout).toContain('sluice dlq replay ended with 0; the server has 2000 of 2000 bars');
  });

  it('ways-out hands items out no faster than they are taken', async () => {
    const { code, stdout } = await example('ways-out');
    expect(code).toBe(0);
    const [, emitted] = /300 taken, (\d+) emitted/.exec(stdout) ?? [];
    expect(Number(emitted)).toBeLessThan(330);
    expect(stdout).toMatch(/20000 bars in \d+ kB/);
  });

  it('custom-provider streams from its fake, and replays what it captured', async () => {
    const { code, stdout } = await example('custom-provider');
    expect(code).toBe(0);
    expect(stdout).toContain(
      '1998 trades live, 2 elements unreadable; 1004 frames in 1 file\n1998 trades replayed, the same\n',
    );
    expect(stdout).toContain('BadCredentials: acme: unknown key');
  });

  it('that print a report end with another code than 0 where something was lost', () => {
    const folder = `${root}examples`;
    const reporting = readdirSync(folder).filter((name) => {
      if (!name.endsWith('.ts')) return false;
      const text = readFileSync(join(folder, name), 'utf8');
      expect(text.includes('formatReport('), name).toBe(/if \(.*!isSettled\(report\)/.test(text));
      return text.includes('formatReport(');
    });
    expect(reporting.length).toBeGreaterThan(3);
  });

  it('slow-sink shows the gate close at 800 and open at 200', async () => {
    const { code, stdout } = await example('slow-sink');
    expect(code).toBe(0);
    expect(stdout).toMatch(/gate closed +emitted +1000 +held +800/);
    expect(stdout).toMatch(/gate open +emitted +1000 +held +200/);
    expect(stdout).toContain('written   3,000');
  });
});
