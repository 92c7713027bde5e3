import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RECORD_KINDS } from '../../src/market/recordKinds.js';
import { everything, HOUSE, PAGES, pages, REFERENCES, src } from './house.js';
import { ROOT } from './repository.js';
import { exportedBy, exportsPage, indexesOf, subpathOf, summaryOf } from './rules/exportsPage.js';
import { INDEX_OF_DOCS, membersOf } from './rules/membership.js';
import { pageOf, readDocblock } from './rules/pages.js';
import { recordsPage } from './rules/recordsPage.js';
import { memberSection, readMeaning } from './rules/tables.js';

describe.each(HOUSE)('the pages of $docs', (rule) => {
  it.each([...membersOf(rule, everything)])('say what the docblock says: %s', async (name, path) => {
    const page = `${rule.docs}/${name}.md`;
    await expect(pageOf(name, path, everything, everything.get(page))).toMatchFileSnapshot(join(ROOT, page));
  });
});

describe('the pages of functions and classes that lie elsewhere', () => {
  it.each(REFERENCES)('say what the docblock says: $name', async ({ name, path, page, types }) => {
    const made = pageOf(name, path, everything, everything.get(page), types);
    await expect(made).toMatchFileSnapshot(join(ROOT, page));
  });

  it('are in the index of the docs', () => {
    const index = pages.get(INDEX_OF_DOCS) ?? '';
    const missing = REFERENCES.filter(({ page }) => !index.includes(`](${page.replace('docs/', '')})`));
    expect(missing.map(({ page }) => page)).toEqual([]);
  });
});

describe('the page of records', () => {
  it('says what each field is, and what its codec asks of it', async () => {
    await expect(recordsPage(RECORD_KINDS, src)).toMatchFileSnapshot(join(ROOT, 'docs/records.md'));
  });

  it('fails on a kind without a codec, and on one without a type', () => {
    const { bar } = RECORD_KINDS;
    expect(() => recordsPage({ bar: { ...bar, name: 'Candle' } }, src)).toThrow('Candle');
    expect(() => recordsPage({ bar }, new Map([...src, ['src/market/codecs.ts', '']]))).toThrow('no codec');
  });
});

describe('the index of exports', () => {
  it('says what they are, and where to read more', async () => {
    await expect(exportsPage(src, PAGES)).toMatchFileSnapshot(join(ROOT, 'docs/exports.md'));
  });

  it('names all that the package exports', () => {
    const named = new Set(
      indexesOf(src).flatMap((index) => exportedBy(src, index).map(({ name }) => `${subpathOf(index)} ${name}`)),
    );
    let subpath = '';
    const missing = readFileSync(join(ROOT, 'test/package/exports.txt'), 'utf8')
      .trim()
      .split('\n')
      .flatMap((line) => {
        const name = /^ {2}(\w+): /.exec(line)?.[1];
        if (name === undefined) subpath = line;
        return name === undefined || named.has(`${subpath} ${name}`) ? [] : [`${subpath} ${name}`];
      });
    expect(missing).toEqual([]);
  });

  it('has a sentence for each', () => {
    const all = indexesOf(src).flatMap((index) => exportedBy(src, index));
    const names = new Set(all.map(({ name }) => name));
    const silent = all.filter((one) => summaryOf(src, one, names) === '');
    expect([...new Set(silent.map(({ name, path }) => `${path}: ${name} has no docblock`))]).toEqual([]);
  });

  it('leads to pages that are there', () => {
    const { byName, byFile, byFolder } = PAGES;
    const targets = new Set([...byName.values(), ...byFile.values(), ...byFolder.map(([, page]) => page)]);
    expect([...targets].filter((page) => !pages.has(page))).toEqual([]);
    const unused = byFolder.filter(([prefix]) => ![...src.keys()].some((path) => path.startsWith(prefix)));
    expect(unused).toEqual([]);
  });

  it('follows a name to the file that declares it, and knows what names say', () => {
    const sample = new Map([
      ['src/index.ts', "export { hop as leap } from './moves/hop.js';"],
      [
        'src/moves/index.ts',
        "export { hop, type HopConfig, isHopError, type HopErrorCode, type Way, dull } from './hop.js';\nexport type { Gone } from './gone.js';",
      ],
      [
        'src/moves/hop.ts',
        [
          '/** Hops over {@link Way}s: one by one. It lands. */',
          'export function hop() {}',
          'export interface HopConfig {}',
          'export function isHopError() {}',
          "export type HopErrorCode = 'a';",
          "export type Way =\n  | 'up'\n  | 'down';",
          'export const dull = 1;',
        ].join('\n'),
      ],
    ]);
    expect(indexesOf(sample).map(subpathOf)).toEqual(['sluice', 'sluice/moves']);
    const pagesOfSample = {
      byName: new Map([['hop', 'docs/hop.md']]),
      byFile: new Map<string, string>(),
      byFolder: [['src/moves/', 'docs/moves.md']],
    } as const;
    expect(
      exportsPage(sample, pagesOfSample)
        .split('\n')
        .filter((line) => line.startsWith('|')),
    ).toEqual([
      '| Name | | What it is |',
      '|---|---|---|',
      '| [`leap`](moves.md) | function | Hops over `Way`s: one by one. |',
      '| Name | | What it is |',
      '|---|---|---|',
      '| [`HopConfig`](hop.md) | type | The options of `hop`. |',
      '| [`HopErrorCode`](moves.md) | type | What the `code` of the error `HopError` can be. |',
      "| [`Way`](moves.md) | type | `'up' \\| 'down'`. |",
      '| [`dull`](moves.md) | value |  |',
      '| [`hop`](hop.md) | function | Hops over `Way`s: one by one. |',
      '| [`isHopError`](moves.md) | function | Whether a value is a `HopError`. |',
    ]);
  });
});

describe('a generated page', () => {
  const source = [
    "import type { Shared } from './shared.js';",
    'export interface SkipConfig extends Omit<Shared, "hidden"> {',
    '  /** How many items. Integer of at least 1, default 2. */',
    '  readonly count?: number;',
    '  /** The key, `a | b`. */',
    "  readonly by: 'a' | 'b';",
    '}',
    '/**',
    ' * Skips items.',
    ' *',
    ' * ```text',
    ' * --a--b--|',
    ' * ```',
    ' *',
    ' * **Emits when**: an item',
    ' * comes | goes.',
    ' * **Backpressure**: passes.',
    ' * **Completes when**: its source does.',
    ' * **Errors when**: its source does.',
    ' * **On unsubscribe**: nothing.',
    ' *',
    ' * **Delivery**: as it comes.',
    ' *',
    ' * **Gotchas**:',
    ' * - none',
    ' *',
    ' * @example',
    ' * ```ts',
    " * import { skip } from 'sluice';",
    ' * ```',
    ' */',
    'export function skip(config: SkipConfig): void {}',
  ].join('\n');
  const files = new Map([
    ['src/skip.ts', source],
    [
      'src/shared.ts',
      'export interface Shared {\n  /** Not shown. */\n  readonly hidden: 1;\n  /** The name. Default `skip`. */\n  readonly name?: string;\n}',
    ],
  ]);

  it('has what a reader compares in one table, then options, of other files too, and the rest', () => {
    expect(pageOf('skip', 'src/skip.ts', files, '# old\n\n## Notes\n\nBy hand.\n')).toBe(
      [
        '# skip',
        '<!-- Generated from src/skip.ts by `npm run docs`. Change the docblock there; only the notes at the end are written here. -->',
        'Skips items.',
        '| | |\n|---|---|\n| **Emits when** | An item comes \\| goes. |\n| **Backpressure** | Passes. |\n| **Completes when** | Its source does. |\n| **Errors when** | Its source does. |',
        '## Marble\n\n```text\n--a--b--|\n```',
        '## Signature\n\n```text\nskip(config: SkipConfig): void\n```',
        [
          '## Options\n',
          '| Option | Type | Default | Meaning |\n|---|---|---|---|',
          '| `count` | `number` | 2 | How many items. Integer of at least 1. |',
          "| `by` | `'a' \\| 'b'` | required | The key, `a \\| b`. |",
          '| `name` | `string` | `skip` | The name. |',
        ].join('\n'),
        '## On unsubscribe\n\nNothing.',
        '## Delivery\n\nAs it comes.',
        '## Gotchas\n\n- none',
        "## Example\n\n```ts\nimport { skip } from 'sluice';\n```",
        '## Notes\n\nBy hand.\n',
      ].join('\n\n'),
    );
  });

  it.each([
    ['Integer of at least 1, default 10,000.', 'Integer of at least 1.', '10,000'],
    ['Above 0, at most 1; default 0.8.', 'Above 0, at most 1.', '0.8'],
    ['How many. Default 1. More.', 'How many. More.', '1'],
    [
      'How long. Default: a batch waits until it is full. It goes on.',
      'How long. It goes on.',
      'a batch waits until it is full',
    ],
    ['No word of it.', 'No word of it.', ''],
    [
      'From 0; default 0.5, or half of it where that is 0.5 or less.',
      'From 0.',
      '0.5, or half of it where that is 0.5 or less',
    ],
  ])('takes the default out of %s', (docblock, meaning, byDefault) => {
    expect(readMeaning(docblock)).toEqual({ meaning, byDefault });
  });

  it('has a table of the members of an interface or a class, without what is private', () => {
    const text = [
      '/** A gate. */',
      'export class Gate {',
      '  readonly #state = 1;',
      '  /** How wide. */',
      '  readonly width = 2;',
      '  private secret = 3;',
      '  constructor() {}',
      '  /** Whether it is open. */',
      '  get isOpen(): boolean { return true; }',
      '  /** Opens {@link Gate}. */',
      '  open(by: string, ms = 1): void {}',
      '}',
      'interface Base { /** From below. */ base?: 1 }',
      '/** What is done.',
      ' *',
      ' * @example',
      ' * none',
      ' */',
      'export interface Handlers extends Pick<Base, "base"> { /** Takes | one. */ next(value: 1): void }',
    ].join('\n');
    const sample = new Map([['src/gate.ts', text]]);
    const table = [
      '| Member | What it is |',
      '|---|---|',
      '| `width = 2` | How wide. |',
      '| `isOpen: boolean` | Whether it is open. |',
      '| `open(by: string, ms = 1): void` | Opens `Gate`. |',
    ].join('\n');
    expect(memberSection('Gate', 'src/other.ts', sample)).toBe(`## Gate\n\nA gate.\n\n${table}`);
    expect(memberSection('Gate', 'src/other.ts', sample, 'Gate')).toBe(`## Members\n\n${table}`);
    expect(memberSection('Handlers', 'src/gate.ts', sample)).toBe(
      '## Handlers\n\nWhat is done.\n\n| Member | What it is |\n|---|---|\n| `next(value: 1): void` | Takes \\| one. |\n| `base?: 1` | From below. |',
    );
    expect(() => memberSection('Door', 'src/gate.ts', sample)).toThrow('Door');
  });

  it('keeps what stands between the drawing and the first lead-in', () => {
    const { details, summary } = readDocblock('Does.\n\n```text\n-|\n```\n\nMore of it.\n\n**Emits when**: asked.\n');
    expect([summary, details]).toEqual(['Does.', 'More of it.']);
  });
});
