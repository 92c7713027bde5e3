import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inOptions } from '../../examples/run-pipeline-to-store/fileOptions.js';
import { countDeadLetters } from '../../src/dead-letters/readDeadLetters.js';
import { freshDatabase } from '../postgres/freshDatabase.js';

const program = fileURLToPath(new URL('../../.build/examples/run-pipeline-to-store.js', import.meta.url));
const database = freshDatabase();
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-start-file-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function start(text: string, args: readonly string[]) {
  const file = join(folder, 'bars.csv');
  writeFileSync(file, text);
  const { DATABASE_URL: _, ...rest } = process.env;
  const options = { cwd: folder, env: { ...rest, DATABASE_URL: database.url } };
  return new Promise<Ended>((resolve) => {
    execFile(process.execPath, [program, '--file', file, ...args], options, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

describe('npm start with a file', () => {
  it('reads it as its options say, and keeps what cannot be read as dead letters', async () => {
    const text =
      'Export of today\nTag;Zeit;Eröffnung;Hoch;Tief;Schluss;Stück\n' +
      '15.11.2023;09:30;1.000,5;1.002,0;999,25;1.001,75;1.200\n15.11.2023;09:31;1.001,0;x;1.000,0;1.001,0;10\n';
    const columns = 'ts=Tag+Zeit,open=Eröffnung,high=Hoch,low=Tief,close=Schluss,volume=Stück';
    const shape = ['--columns', columns, '--date-order', 'DMY', '--time-zone', 'Europe/Berlin', '--decimal', ','];
    const letters = join(folder, 'letters');
    const ended = await start(text, [
      ...[...shape, '--skip-lines', '1', '--delimiter', ';', '--symbol', 'SAP GR', '--timeframe', '1m'],
      ...['--bad-rows', 'dead-letters', '--dead-letters', letters],
    ]);
    expect(ended.stdout, ended.stderr).toContain('written   1 ');
    expect(ended.stdout).toContain('diverted  1 (badRow 1)');
    expect(ended.status).toBe(1);
    expect((await countDeadLetters(letters)).open.items).toBe(1);
    const { rows } = await database.pool().query('SELECT vendor, symbol, timeframe, ts, open, close, volume FROM bars');
    expect(rows).toEqual([
      {
        ...{ vendor: 'file', symbol: 'SAP GR', timeframe: '1m', ts: new Date('2023-11-15T08:30:00Z') },
        ...{ open: 1000.5, close: 1001.75, volume: 1200 },
      },
    ]);
  }, 60_000);

  it('says by which option to tell what the file does not, rather than to take it for something else', async () => {
    const ended = await start('Date,Open,High,Low,Close,Volume\n2024-01-02,1,2,0.5,1.5,10\n', []);
    expect(ended.status).toBe(1);
    expect(ended.stderr).toContain('--symbol');
    expect(ended.stderr.trim().split('\n')).toHaveLength(1);
  }, 60_000);

  it.each([
    [['--columns', 'ts'], 'ts=Date'],
    [['--columns', 'date=Date'], '"date"'],
    [['--skip-lines', '-1'], '--skip-lines'],
    [['--time-zone', 'Mars/Olympus'], 'Mars/Olympus'],
  ])('refuses %j with 2', async (args, said) => {
    const { status, stderr } = await start('Date,Close\n', args);
    expect(status).toBe(2);
    expect(stderr).toContain(said);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('speaks of options where the reader speaks of its config', () => {
    expect(inOptions("in columns: { ts: '…' }, or in defaults: { symbol: … }")).toBe(
      'in --columns ts=…, or in --symbol …',
    );
  });
});
