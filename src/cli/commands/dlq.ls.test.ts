import { appendFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeTerminalConfig, runSluice } from '../../../test/support/fakeTerminal.js';
import { bar, type LetterFolder, letterFolder } from '../../../test/support/letters.js';
import { openDeadLetters } from '../../dead-letters/openDeadLetters.js';
import { StoreError } from '../../postgres/storeError.js';

let letters: LetterFolder;
beforeEach(() => {
  letters = letterFolder();
});
afterEach(() => letters.remove());

const dlq = (args: readonly string[], config: FakeTerminalConfig = {}) =>
  runSluice(['dlq', ...args], { cwd: letters.cwd, ...config });

const lines = (text: string) => text.trimEnd().split('\n');
const objects = (ndjson: string) => lines(ndjson).map((line) => JSON.parse(line) as Record<string, unknown>);

const badPrice = new StoreError('SLUICE_STORE_VALUE', 'close must be a number, got "n/a"', { sqlState: '22P02' });

describe('sluice dlq ls', () => {
  it('lists letters, oldest first, with the innermost error', async () => {
    await letters.write(
      { items: [bar(), bar()], error: new Error('cannot write', { cause: badPrice }), reason: 'poison', attempts: 1 },
      { items: ['x'], stage: 'other', reason: 'drain', attempts: 0 },
    );
    const { code, stdout, stderr } = await dlq(['ls']);
    expect(code).toBe(0);
    const ids = (await letters.read()).map(({ id }) => id);
    const [head, ...rows] = lines(stdout).map((line) => line.split(/ {2,}/));
    expect(head).toEqual('ID AT PIPELINE STAGE REASON KIND ITEMS ATTEMPTS REPLAYS ERROR'.split(' '));
    expect(rows).toEqual([
      [
        ...[ids[0], '2026-01-05T10:00:00.000Z', 'test', 'bars.write', 'poison', 'bar', '2', '1', '0'],
        'StoreError 22P02: close must be a number, got "n/a"',
      ],
      [ids[1], '2026-01-05T10:01:00.000Z', 'test', 'other', 'drain', '-', '1', '0', '0'],
    ]);
    expect(stderr).toBe('open: 2 letters with 3 items (poison 1, drain 1)\n');
  });

  it.each<[string[], number[]]>([
    [['--stage', 'a'], [0]],
    [['--reason', 'drain'], [1]],
    [
      ['--kind', 'bar'],
      [0, 1],
    ],
    [
      ['--from', '2026-01-05T10:01:00Z'],
      [1, 2],
    ],
    [['--to', '2026-01-05T10:01:00Z'], [0]],
    [['--from', '2026-01-05T11:01:00+01:00', '--to', '2026-01-05 10:02'], [1]],
    [['--from', '20260106'], []],
    [
      ['--limit', '2'],
      [0, 1],
    ],
    [['--reason', 'drain', '--stage', 'a'], []],
    [['--parked'], []],
  ])('%j: only those', async (args, expected) => {
    await letters.write({ stage: 'a' }, { stage: 'b', reason: 'drain' }, { stage: 'c', items: [{ kind: 'dividend' }] });
    const ids = (await letters.read()).map(({ id }) => id);
    const { code, stdout } = await dlq(['ls', '--json', ...args]);
    expect(code).toBe(0);
    const found = stdout === '' ? [] : objects(stdout).map(({ id }) => ids.indexOf(String(id)));
    expect(found).toEqual(expected);
  });

  it('says that there are more than the limit', async () => {
    await letters.write({}, {}, {});
    expect((await dlq(['ls', '--limit', '2'])).stderr).toBe(
      'open: 2 letters with 2 items (exhausted 2); more are beyond --limit 2\n',
    );
    expect((await dlq(['ls', '--limit', '3'])).stderr).toBe('open: 3 letters with 3 items (exhausted 3)\n');
  });

  it('is NDJSON with --json, without the items', async () => {
    await letters.write({ items: [bar(), bar()], error: badPrice, reason: 'poison' });
    const [letter] = await letters.read();
    const { stdout, stderr } = await dlq(['ls', '--json']);
    expect(stderr).toBe('');
    expect(objects(stdout)).toEqual([
      {
        id: letter?.id,
        at: '2026-01-05T10:00:00.000Z',
        pipeline: 'test',
        stage: 'bars.write',
        reason: 'poison',
        error: expect.objectContaining({ name: 'StoreError', sqlState: '22P02' }),
        attempts: 5,
        replays: 0,
        kind: 'bar',
        state: 'open',
        itemCount: 2,
      },
    ]);
  });

  it('shows more letters than it sets at once, under one head', async () => {
    await letters.write(...Array.from({ length: 250 }, () => ({})));
    const rows = lines((await dlq(['ls'])).stdout);
    expect(rows).toHaveLength(251);
    expect(rows.filter((row) => row.startsWith('ID'))).toHaveLength(1);
  });

  it('cuts lines at the width of the terminal, and lets nothing move its cursor', async () => {
    await letters.write({ error: new Error(`bad\u001b[2J ${'x'.repeat(300)}`) });
    const { stdout } = await dlq(['ls'], { isTTY: true });
    for (const line of lines(stdout)) expect(line.length).toBeLessThanOrEqual(80);
    expect((await dlq(['ls'])).stdout).toContain('Error: bad\\u001b[2J xxx');
  });

  it('stops quietly when nobody reads any more', async () => {
    await letters.write(...Array.from({ length: 5 }, () => ({})));
    const { code, stdout, stderr } = await dlq(['ls', '--json'], { closesAfter: 1 });
    expect({ code, stderr, rows: lines(stdout).length }).toEqual({ code: 0, stderr: '', rows: 1 });
  });

  it('reads while a pipeline has the folder open', async () => {
    await letters.write({});
    const queue = await openDeadLetters(letters.folder, { pipeline: 'busy' });
    expect(objects((await dlq(['ls', '--json'])).stdout)).toHaveLength(1);
    await queue.close();
  });

  it('warns of a line that is no letter', async () => {
    await letters.write({});
    const segment = readdirSync(letters.folder, { recursive: true, encoding: 'utf8' }).find((name) =>
      name.endsWith('.ndjson'),
    );
    appendFileSync(join(letters.folder, segment ?? ''), '{"v":1,"id":\nnot a letter\n');
    const { code, stderr } = await dlq(['ls']);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^warning: cannot read the line at byte \d+ of .*: .*, and 1 more\nopen: 1 letter with 1 item /,
    );
  });

  it('says how many damaged parts are kept aside', async () => {
    await letters.write({});
    mkdirSync(join(letters.folder, 'quarantine'), { recursive: true });
    for (const name of ['1@0.ndjson', '1@90.ndjson', '2@0.ndjson.part']) {
      writeFileSync(join(letters.folder, 'quarantine', name), 'x');
    }
    const { stderr } = await dlq(['ls']);
    expect(stderr).toContain('quarantined: 2 damaged parts of segments in ');
  });

  it('has nothing to show where nothing was ever given up, but a folder that was named must be there', async () => {
    expect(await dlq(['ls'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: `no dead letters: the folder ${letters.folder} does not exist\n`,
    });
    expect(await dlq(['ls', '--dir', 'lettres'])).toMatchObject({
      code: 2,
      stderr: `error: the folder ${join(letters.cwd, 'lettres')} does not exist: check --dir\n`,
    });
  });

  it.each(['ls', 'replay', 'purge'])('%s says that a file is no folder', async (command) => {
    appendFileSync(join(letters.cwd, 'file'), '');
    const extra = command === 'purge' ? ['--all', '--yes'] : [];
    expect(await dlq([command, '--dir', 'file', ...extra])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: `error: ${join(letters.cwd, 'file')} is a file rather than a dead-letter folder: check --dir and MDS_DLQ_DIR\n`,
    });
  });

  it('takes the folder from MDS_DLQ_DIR, and --dir before that', async () => {
    await letters.write({});
    expect((await dlq(['ls'], { cwd: '/', env: { MDS_DLQ_DIR: letters.folder } })).stderr).toContain('open: 1 letter');
    expect((await dlq(['ls', '--dir', '.dlq'], { env: { MDS_DLQ_DIR: '/nowhere' } })).stderr).toContain(
      'open: 1 letter',
    );
  });

  it.each([
    [['--limit', '0'], '--limit <n>'],
    [['--limit', 'all'], 'It must be an integer of at least 1.'],
    [['--from', 'yesterday'], 'It must be a time such as 2026-01-31'],
    [['--to', '1767607200'], 'It must be a time such as'],
    [['--to', '2026-02-30'], 'It must be a time such as'],
  ])('refuses %j', async (args, said) => {
    const { code, stdout, stderr } = await dlq(['ls', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(said);
  });
});

describe('sluice dlq show', () => {
  it('shows a letter with its causes and items', async () => {
    await letters.write({
      items: [bar(), { kind: 'bar', at: new Date(0) }],
      error: new Error('outer', { cause: badPrice }),
    });
    const [letter] = await letters.read();
    const { code, stdout, stderr } = await dlq(['show', letter?.id ?? '']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(lines(stdout)).toEqual([
      `id        ${letter?.id}`,
      'state     open',
      'at        2026-01-05T10:00:00.000Z',
      'pipeline  test',
      'stage     bars.write',
      'reason    exhausted',
      'kind      bar',
      'attempts  5',
      'replays   0',
      'error     Error: outer',
      'cause     StoreError 22P02: close must be a number, got "n/a"',
      'items     2',
      `  ${JSON.stringify(bar())}`,
      '  {"kind":"bar","at":{"$":"Date","of":0}}',
    ]);
  });

  it('shows no more items than asked for, and none of what hides or turns text', async () => {
    await letters.write({ items: [...Array(25).keys()].map((n) => `\u202Eitem \u009b ${n}`) });
    const id = (await letters.read())[0]?.id ?? '';
    const all = lines((await dlq(['show', id])).stdout);
    expect(all.at(-1)).toBe('  … and 5 more: raise --items, or use --json');
    expect(all.at(-2)).toBe('  "\\u202eitem \\u009b 19"');
    expect(lines((await dlq(['show', id, '--items', '25'])).stdout).at(-1)).toBe('  "\\u202eitem \\u009b 24"');
  });

  it('is one JSON document with --json, with all items as they lie in the folder', async () => {
    const items = [bar(), { big: 1n, not: Number.NaN }, ...Array(30).keys()];
    await letters.write({ items });
    const id = (await letters.read())[0]?.id ?? '';
    const document = JSON.parse((await dlq(['show', id, '--json'])).stdout) as Record<string, unknown>;
    expect(document).toMatchObject({ id, itemCount: 32, state: 'open' });
    expect(document.items).toEqual([bar(), { big: { $: 'bigint', of: '1' }, not: { $: 'NaN' } }, ...Array(30).keys()]);
  });

  it('finds parked letters too', async () => {
    await letters.write({});
    await dlq(['park', '--all']);
    const id = (await letters.read('parked'))[0]?.id ?? '';
    expect((await dlq(['show', id])).stdout).toContain('state     parked');
  });

  it('fails where there is no such letter', async () => {
    await letters.write({});
    expect(await dlq(['show', 'nobody'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `error: no letter nobody in ${letters.folder}\n`,
    });
  });
});
