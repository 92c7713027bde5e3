import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeTerminalConfig, runSluice } from '../../../test/support/fakeTerminal.js';
import { bar, type LetterFolder, letterFolder } from '../../../test/support/letters.js';

let letters: LetterFolder;
beforeEach(() => {
  letters = letterFolder();
});
afterEach(() => letters.remove());

const dlq = (args: readonly string[], config: FakeTerminalConfig = {}) =>
  runSluice(['dlq', ...args], { cwd: letters.cwd, ...config });

const BARS = { name: 'bars', table: 'bars', records: 'bar' };

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

  it('takes a row of a file for a record only if it is mended, and told where it belongs', async () => {
    await letters.write({ items: [{ file: 'a.csv', line: 7, raw: 'x,y' }], reason: 'badRow' });
    const left = { left: [{ kind: null, why: 'bad row', letters: 1, items: 1 }] };
    expect(await counts()).toMatchObject(left);
    for (const args of [
      ['--table', 'bars'],
      ['--sink', 'x.mjs'],
      ['--mend', 'm.mjs'],
    ]) {
      expect(await counts(...args)).toMatchObject({ letters: 0, ...left });
    }
    expect(await counts('--sink', 'x.mjs', '--mend', 'm.mjs')).toMatchObject({ letters: 1, left: [] });
    const { stdout } = await dlq(['replay', '--dry-run']);
    expect(stdout).toContain('of no kind: rows of a file that could not be read, and no records: correct the file');
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
