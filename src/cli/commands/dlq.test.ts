import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { coded } from '../../../test/support/errors.js';
import { type FakeTerminalConfig, fakeTerminal, runSluice } from '../../../test/support/fakeTerminal.js';
import { bar, type LetterFolder, letterFolder } from '../../../test/support/letters.js';
import { openDeadLetters } from '../../dead-letters/openDeadLetters.js';
import { StoreError } from '../../postgres/storeError.js';
import { sluice } from '../program.js';
import { holdText } from './dlq/withQueue.js';

let letters: LetterFolder;
beforeEach(() => {
  letters = letterFolder();
});
afterEach(() => letters.remove());

const dlq = (args: readonly string[], config: FakeTerminalConfig = {}) =>
  runSluice(['dlq', ...args], { cwd: letters.cwd, ...config });

const lines = (text: string) => text.trimEnd().split('\n');
const objects = (ndjson: string) => lines(ndjson).map((line) => JSON.parse(line) as Record<string, unknown>);

const BARS = { name: 'bars', table: 'bars', records: 'bar' };

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
    expect((await dlq(['ls'])).stdout).toContain('Error: bad\uFFFD[2J xxx');
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

describe('sluice dlq park and unpark', () => {
  it('put letters aside and back', async () => {
    await letters.write({ stage: 'a', items: [1, 2] }, { stage: 'b' });
    expect(await dlq(['park', '--stage', 'a'])).toMatchObject({ code: 0, stdout: 'parked 1 letter with 2 items\n' });
    expect((await letters.read()).map(({ stage }) => stage)).toEqual(['b']);
    const [parked] = await letters.read('parked');
    expect(parked?.stage).toBe('a');
    expect(await dlq(['unpark', parked?.id ?? '', '--json'])).toMatchObject({
      code: 0,
      stdout: '{"letters":1,"items":2}\n',
    });
    expect((await letters.read()).map(({ stage }) => stage).sort()).toEqual(['a', 'b']);
    expect(await letters.read('parked')).toEqual([]);
  });

  it.each(['park', 'unpark', 'purge'])('%s has to be told which', async (command) => {
    await letters.write({});
    const alone = await dlq([command, ...(command === 'purge' ? ['--yes'] : [])]);
    expect(alone).toMatchObject({ code: 2, stdout: '' });
    expect(alone.stderr).toBe('error: no letters are selected: pass ids or a filter, or --all for every letter\n');
    expect((await dlq([command, '--all', '--stage', 'a'])).code).toBe(2);
    expect(await letters.read()).toHaveLength(1);
  });

  it.each(['park', 'unpark', 'purge', 'replay'])(
    '%s says that a letter that was named is not there',
    async (command) => {
      await letters.write({});
      const extra = command === 'purge' ? ['--yes'] : command === 'replay' ? ['--dry-run'] : [];
      const mistyped = await dlq([command, '1-1', ...extra]);
      expect(mistyped).toMatchObject({
        code: 0,
        stderr: 'note: found 0 of 1 letters: see `sluice dlq ls` and `sluice dlq ls --parked`\n',
      });
      expect(await letters.read()).toHaveLength(1);
      const [letter] = await letters.read();
      if (command !== 'unpark') expect((await dlq([command, letter?.id ?? '', ...extra])).stderr).toBe('');
    },
  );

  it('share a folder that is open in this process', async () => {
    await letters.write({});
    const queue = await openDeadLetters(letters.folder, { pipeline: 'busy' });
    // Another process is refused: test/integration/cli.test.ts.
    expect((await dlq(['park', '--all'])).code).toBe(0);
    await queue.close();
  });
});

describe('Ctrl-C', () => {
  it.each(['park', 'purge'])(
    'stops %s after the letters under way and reports it, and does not hold back a second signal',
    async (command) => {
      await letters.write(...Array.from({ length: 100 }, () => ({})));
      const terminal = fakeTerminal({ cwd: letters.cwd });
      const { signals, said } = terminal;
      let heard = 0;
      let isHeard = false;
      signals.on('newListener', () => {
        heard += 1;
        // As soon as somebody listens, which is when the change begins.
        if (heard > 1) return;
        setImmediate(() => {
          signals.emit('SIGINT', 'SIGINT');
          // The same, passed on by a runner: somebody must hear it, or it would end the program.
          isHeard = signals.emit('SIGINT', 'SIGINT');
        });
      });
      const code = await sluice(['dlq', command, '--all', ...(command === 'purge' ? ['--yes'] : [])], terminal);
      expect(said.stderr).toMatch(/^stopping: what is (parked|removed) stays so; press Ctrl-C again to end at once\n$/);
      expect(code).toBe(3);
      const done = Number(/^(?:parked|removed) (\d+) letters?/.exec(said.stdout)?.[1]);
      expect(done).toBeLessThan(100);
      expect(await letters.read()).toHaveLength(100 - done);
      expect(isHeard).toBe(true);
      expect(signals.listenerCount('SIGINT')).toBe(0);
    },
  );
});

describe('every command that takes long', () => {
  it.each([
    ['ls', /^reading /m],
    ['show', /^looking for 1-1$/m],
    ['park', /^opening /m],
    ['unpark', /^opening /m],
    ['purge', /^opening /m],
    ['replay', /^\d+ letters read$/m],
  ])('%s says so on standard error', async (command, said) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await letters.write(...Array.from({ length: 3 }, () => ({ sink: BARS })));
    const args = {
      show: ['1-1'],
      park: ['--all'],
      unpark: ['--all'],
      purge: ['--all', '--yes'],
      replay: ['--dry-run'],
    };
    const terminal = fakeTerminal({ cwd: letters.cwd });
    let isOver = false;
    const running = sluice(['dlq', command, ...(args[command as keyof typeof args] ?? [])], terminal).finally(() => {
      isOver = true;
    });
    // Time flies: every turn of the event loop takes a minute.
    while (!isOver) {
      vi.advanceTimersByTime(60_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    vi.useRealTimers();
    await running;
    expect(terminal.said.stderr).toMatch(said);
  });
});

describe('a disk that accepts no data', () => {
  it('is reported with the reason, the remedy and the letters that wait, if any', () => {
    const hold = { error: coded('ENOSPC', 'ENOSPC: no space left'), sinceMs: 0 };
    expect(holdText({ ...hold, letters: 0, items: 0 })).toBe(
      'waiting for disk: the disk is full; free some space; writing resumes when the disk accepts data',
    );
    expect(holdText({ ...hold, letters: 3, items: 30 })).toBe(
      'waiting for disk, 3 letters with 30 items pending: the disk is full; free some space; writing resumes when the disk ' +
        'accepts data',
    );
  });
});

describe('sluice dlq purge', () => {
  it('removes letters once a person has typed yes', async () => {
    await letters.write({ reason: 'poison', items: [1, 2] }, {});
    const { code, stdout, questions } = await dlq(['purge', '--reason', 'poison'], { answer: 'yes' });
    expect(questions).toEqual([`Delete 1 letter with 2 items from ${letters.folder} permanently? Type yes: `]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'removed 1 letter with 2 items\n' });
    expect((await letters.read()).map(({ reason }) => reason)).toEqual(['exhausted']);
  });

  it.each(['', 'y', 'YES', 'no'])('removes nothing at the answer %j', async (answer) => {
    await letters.write({});
    expect(await dlq(['purge', '--all'], { answer })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'nothing was removed\n',
    });
    expect(await letters.read()).toHaveLength(1);
  });

  it('refuses where nobody can answer, and does not ask with --yes', async () => {
    await letters.write({}, {});
    const refused = await dlq(['purge', '--all']);
    expect(refused).toMatchObject({ code: 2, stdout: '', questions: [] });
    expect(refused.stderr).toContain('no terminal attached; pass --yes');
    expect(await letters.read()).toHaveLength(2);
    expect(await dlq(['purge', '--all', '--yes', '--json'])).toMatchObject({
      code: 0,
      stdout: '{"letters":2,"items":2}\n',
      questions: [],
    });
    expect(await letters.read()).toEqual([]);
  });

  it('removes parked letters only when told so', async () => {
    await letters.write({}, {});
    const [first] = await letters.read();
    await dlq(['park', first?.id ?? '']);
    expect((await dlq(['purge', '--all', '--yes'])).stdout).toBe('removed 1 letter with 1 item\n');
    expect(await letters.read('parked')).toHaveLength(1);
    expect((await dlq(['purge', '--all', '--parked', '--yes'])).stdout).toBe('removed 1 letter with 1 item\n');
    expect(await letters.read('parked')).toEqual([]);
  });

  it('does not ask about nothing', async () => {
    await letters.write({});
    const { code, stdout, questions } = await dlq(['purge', '--stage', 'x'], { answer: 'yes' });
    expect({ code, stdout, questions }).toEqual({ code: 0, stdout: 'removed 0 letters with 0 items\n', questions: [] });
  });
});

describe('sluice dlq replay --dry-run', () => {
  const counts = async (...args: string[]) =>
    JSON.parse((await dlq(['replay', '--dry-run', '--json', ...args])).stdout) as Record<string, unknown>;

  it('counts what would be sent, and what would be left', async () => {
    await letters.write(
      { items: [bar(), bar()], sink: BARS },
      { items: [{ kind: 'news' }], sink: { name: 'news', table: 'news', records: 'news' } },
      { items: [{ kind: 'dividend' }, { kind: 'dividend' }] },
      { items: [bar(), { kind: 'dividend' }] },
      { items: [bar()], reason: 'decode' },
      { items: ['x'] },
    );
    expect(await counts()).toEqual({
      outcome: 'completed',
      dryRun: true,
      letters: 2,
      items: 3,
      written: 0,
      failedAgain: 0,
      parked: 0,
      left: [
        { kind: 'bar', why: 'not decoded', letters: 1, items: 1 },
        { kind: 'dividend', why: 'no table', letters: 1, items: 2 },
        { kind: 'mixed', why: 'no table', letters: 1, items: 2 },
        { kind: null, why: 'no table', letters: 1, items: 1 },
      ],
    });
    expect(await counts('--kind', 'dividend')).toMatchObject({ letters: 0, left: [{ kind: 'dividend' }] });
    expect(await counts('--reason', 'decode')).toMatchObject({ letters: 0, left: [{ why: 'not decoded' }] });
    expect(await counts('--limit', '1')).toMatchObject({ letters: 1, items: 2 });
  });

  it('goes by the sink that gave a letter up, and leaves what it cannot rebuild', async () => {
    await letters.write(
      { sink: BARS },
      { sink: { ...BARS, name: 'quotes', table: 'x', schema: 'q' } },
      { sink: { name: 'http' } },
      { sink: { name: 'trades', table: 'bars' }, items: [bar(), bar()] },
      { items: [bar(), bar(), bar()] },
      // A table may get what has no kind at all.
      { items: [{ price: 1 }], sink: BARS },
    );
    const result = await counts();
    expect(result).toMatchObject({ letters: 3, items: 3 });
    expect(result.left).toEqual([
      { kind: 'bar', why: 'own sink', sink: 'http', letters: 1, items: 1 },
      { kind: 'bar', why: 'own sink', sink: 'trades', table: 'bars', letters: 1, items: 2 },
      { kind: 'bar', why: 'no sink', letters: 1, items: 3 },
    ]);
    const { stdout } = await dlq(['replay', '--dry-run']);
    expect(stdout).toContain('  into table bars: 2 letters with 2 items\n  into table q.x: 1 letter with 1 item\n');
    expect(stdout).toContain(
      'left 1 letter with 1 item of kind bar from the sink http: not a sink that this command can rebuild: ',
    );
    for (const way of ['--table <name>', '--sink ./my-sink.js', 'replayDeadLetters()']) expect(stdout).toContain(way);
  });

  it('takes --table for letters that do not name theirs, and for no others', async () => {
    await letters.write({}, { sink: { name: 'http' } }, { sink: { ...BARS, table: 'x' } }, { sink: BARS });
    const named = await counts('--table', 'bars');
    expect(named).toMatchObject({ letters: 3, left: [{ why: 'other table', table: 'x', letters: 1 }] });
    await letters.write({ items: [{ kind: 'news' }] });
    const mixed = await dlq(['replay', '--dry-run', '--table', 'bars']);
    expect(mixed).toMatchObject({ code: 2, stdout: '' });
    expect(mixed.stderr).toContain('the letters are of bar, news: add --kind');
  });

  it('sends all to a sink that is named, but not what is not decoded, unless it is mended', async () => {
    await letters.write({}, { sink: BARS }, { items: ['x'] }, { items: ['raw'], reason: 'decode' });
    expect(await counts('--sink', 'x.mjs')).toMatchObject({ letters: 3, left: [{ why: 'not decoded', letters: 1 }] });
    expect(await counts('--sink', 'x.mjs', '--mend', 'm.mjs')).toMatchObject({ letters: 4, left: [] });
    expect((await dlq(['replay', '--sink', 'x.mjs', '--table', 'bars'])).code).toBe(2);
    expect((await dlq(['replay', '--schema', 'q'])).code).toBe(2);
  });

  it('ends with 0, whatever would be left, and changes nothing', async () => {
    await letters.write({}, { items: ['x'] });
    const before = readdirSync(letters.folder, { recursive: true });
    expect((await dlq(['replay', '--dry-run'])).code).toBe(0);
    expect(await letters.read()).toHaveLength(2);
    expect(readdirSync(letters.folder, { recursive: true })).toEqual(before);
  });
});

describe('sluice dlq replay', () => {
  it('writes to a sink of the user, with items mended on the way, and needs no store', async () => {
    await letters.write(
      { sink: { name: 'http' }, items: [bar({ seq: 1 }), bar({ seq: 2 })] },
      { items: [bar({ seq: 3 })] },
    );
    const out = join(letters.cwd, 'out.ndjson');
    writeFileSync(
      join(letters.cwd, 'my-sink.mjs'),
      `import { appendFileSync } from 'node:fs';
      export default () => ({
        name: 'mine',
        async *write(items) {
          for (const item of items) appendFileSync(${JSON.stringify(out)}, JSON.stringify(item) + '\\n');
          yield { rows: items.length };
        },
      });
      export const close = () => appendFileSync(${JSON.stringify(out)}, '"closed"\\n');`,
    );
    writeFileSync(
      join(letters.cwd, 'mend.mjs'),
      `export default (item, letter) => {
        if (item.seq === 2) throw new Error('seq 2 cannot be mended');
        return { ...item, symbol: letter.sink?.name ?? 'nobody' };
      };`,
    );
    const { code, stdout } = await dlq(['replay', '--sink', './my-sink.mjs', '--mend', 'mend.mjs']);
    expect(stdout).toContain('replayed 2 letters with 3 items: 2 written, 1 failed again');
    expect(code).toBe(3);
    expect(
      readFileSync(out, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([bar({ seq: 1, symbol: 'http' }), bar({ seq: 3, symbol: 'nobody' }), 'closed']);
    // The letter holds the item as it was, still belongs to its sink, and says what was wrong.
    expect(await letters.read()).toMatchObject([
      {
        items: [bar({ seq: 2 })],
        sink: { name: 'http' },
        reason: 'mend',
        error: { message: 'seq 2 cannot be mended' },
      },
    ]);
  });

  it.each([
    ['--sink', 'nobody.mjs', 'cannot load nobody.mjs'],
    ['--sink', 'none.mjs', 'must be a sink, or a function that returns one'],
    ['--mend', 'none.mjs', 'must be a function'],
  ])('refuses %s %s before it touches a letter', async (option, file, said) => {
    await letters.write({ sink: BARS });
    writeFileSync(join(letters.cwd, 'none.mjs'), 'export default 5;');
    const { code, stderr } = await dlq(['replay', option, file]);
    expect(code).toBe(2);
    expect(stderr).toContain(said);
    expect(await letters.read()).toHaveLength(1);
  });

  it('leaves letters that name no sink, as those of earlier versions, and says how', async () => {
    await letters.write({});
    const { code, stdout } = await dlq(['replay']);
    expect(code).toBe(3);
    expect(stdout).toContain('--table <name>');
    expect(await letters.read()).toHaveLength(1);
  });

  it('needs a store that is named, before it touches a letter', async () => {
    await letters.write({ sink: BARS });
    const { code, stdout, stderr } = await dlq(['replay']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('set DATABASE_URL');
    expect(await letters.read()).toHaveLength(1);
  });

  it('needs no store where nothing is to be sent', async () => {
    expect(await dlq(['replay'])).toMatchObject({ code: 0, stdout: expect.stringContaining('replayed 0 letters') });
    await letters.write({ items: ['x'] });
    expect(await dlq(['replay'])).toMatchObject({ code: 3, stdout: expect.stringContaining('left 1 letter') });
  });

  it('counts letters of an unknown version among those that are left', async () => {
    await letters.write({ items: ['x'] });
    const segment = readdirSync(letters.folder).find((name) => name.endsWith('.ndjson')) ?? '';
    appendFileSync(join(letters.folder, segment), '{"v":99,"id":"later-1","count":3}\n');
    const { code, stdout } = await dlq(['replay', '--json']);
    expect(code).toBe(3);
    expect((JSON.parse(stdout) as { left: unknown[] }).left).toContainEqual({
      kind: null,
      why: 'unknown version',
      letters: 1,
      items: 0,
    });
    expect((await dlq(['replay'])).stdout).toContain('left 1 letter of an unknown version: written by a later version');
  });

  it.each([
    ['--rate', '0'],
    ['--rate', '-5'],
    ['--rate', 'fast'],
    ['--max-replays', '0'],
    ['--max-attempts', '0'],
    ['--limit', '1.5'],
  ])('refuses %s %s', async (...args) => {
    await letters.write({});
    expect((await dlq(['replay', ...args])).code).toBe(2);
  });
});
