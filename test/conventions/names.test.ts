import { describe, expect, it } from 'vitest';
import { pages, programs, src } from './house.js';
import { exportedBy, indexesOf, subpathOf } from './rules/exportsPage.js';
import {
  declaredNames,
  docblocksOf,
  foreignNames,
  presentVersion,
  unknownCalls,
  unknownSubpaths,
} from './rules/names.js';

/** Functions of other programs that the pages speak of, and those of readers' own code. */
const OTHERS: Readonly<Record<string, string>> = {
  it: 'a test of Vitest',
  import: 'JavaScript, when it runs',
  addCommand: 'of commander',
  errno: 'the manual page errno(3)',
  unnest: 'of Postgres',
};

const indexes = indexesOf(src);
const subpaths = new Set([...indexes.map(subpathOf), 'sluice/package.json']);
const foreign = foreignNames();
const exported = new Set(indexes.flatMap((index) => exportedBy(src, index).map(({ name }) => name)));
// Decisions tell what was tried, and of what the project was at the time.
const texts = [...pages]
  .filter(([path]) => path !== 'docs/decisions.md')
  .map(([path, text]) => [path, path === 'CHANGELOG.md' ? presentVersion(text) : text] as const);

describe('what is named', () => {
  it('on the pages is exported, or a member of something that is, or of RxJS', () => {
    const members = declaredNames(src);
    const known = (name: string) => exported.has(name) || members.has(name) || foreign.has(name) || name in OTHERS;
    expect(texts.flatMap(([path, text]) => unknownCalls(path, text, known))).toEqual([]);
  }, 60_000);

  it('in docblocks is declared somewhere', () => {
    const declared = declaredNames(src, true);
    const known = (name: string) => declared.has(name) || foreign.has(name) || name in OTHERS;
    expect([...src].flatMap(([path, text]) => unknownCalls(path, docblocksOf(text), known))).toEqual([]);
  }, 60_000);

  it('as a subpath is one', () => {
    const all = [...texts, ...src, ...programs];
    expect(all.flatMap(([path, text]) => unknownSubpaths(path, text, subpaths))).toEqual([]);
  });

  it('as of others is named somewhere', () => {
    const everything = [...pages.values(), ...src.values()].join('\n');
    expect(Object.keys(OTHERS).filter((name) => !everything.includes(`${name}(`))).toEqual([]);
  });
});

describe('the rules fail on', () => {
  const known = (name: string) => ['hop', 'pump'].includes(name);

  it('a call of what is not there, at its line', () => {
    const text =
      'Use `hop()` and `outlet.pump(3)`.\n\n```ts\n`skip()`\n```\nNot `skip({ by: 1 })`, nor `new Leap<T>()`, nor `hop`.';
    expect(unknownCalls('docs/a.md', text, known)).toEqual([
      'docs/a.md:6: `skip({ by: 1 })` names skip(), which is not there',
      'docs/a.md:6: `new Leap<T>()` names Leap(), which is not there',
    ]);
    const docblock = '/** Calls `hop()`. */\nconst a = `skip()`;\n/**\n * Calls `skip()`.\n */';
    expect(unknownCalls('src/a.ts', docblocksOf(docblock), known)).toEqual([expect.stringMatching(/^src\/a\.ts:4: /)]);
  });

  it('a subpath that is gone', () => {
    const text = "`sluice/flow`, `sluice/doors`\nimport 'sluice/gates';";
    expect(unknownSubpaths('docs/a.md', text, new Set(['sluice/flow']))).toHaveLength(2);
  });

  it('a former name, unless the text says so', () => {
    const text = '`skip()` is `hop()`.\n`skip()` -> `hop()`; `leap()` is gone';
    expect(unknownCalls('CHANGELOG.md', text, known)).toEqual([expect.stringMatching(/^CHANGELOG\.md:1: /)]);
  });

  it('names of former versions only where the page is not about them', () => {
    expect(presentVersion('# Changes\n\n## 0.2\n\nnew\n\n## 0.1\n\nold\n')).toBe('# Changes\n\n## 0.2\n\nnew\n\n');
  });

  it('no member and no declaration', () => {
    const sample = new Map([
      ['src/a.ts', 'export class A { hop() {} }\nfunction skip() {}\nconst { leap, run: go } = A;'],
    ]);
    expect([...declaredNames(sample)]).toEqual(expect.arrayContaining(['hop']));
    expect(declaredNames(sample).has('skip')).toBe(false);
    expect([...declaredNames(sample, true)]).toEqual(expect.arrayContaining(['A', 'hop', 'skip', 'leap', 'go']));
  });
});
