import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pages, programs, src } from './house.js';
import { ROOT } from './repository.js';
import {
  docblockFences,
  type Fence,
  fenceProblems,
  fencesOf,
  lastValueProblems,
  linkProblems,
} from './rules/markdown.js';
import { snippetProblems } from './rules/snippets.js';

const ofPages = [...pages].flatMap(([path, text]) => fencesOf(path, text));
const ofSource = [...src].flatMap(([path, text]) => docblockFences(path, text));
const ofType = (fences: readonly Fence[], language: string) => fences.filter((fence) => fence.language === language);

describe('the pages', () => {
  it('link to what is there', () => {
    expect(linkProblems(pages, (path) => existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('and docblocks say what their code blocks are', () => {
    const drawings = ofSource.filter(({ language }) => language !== '');
    expect(fenceProblems([...ofPages, ...drawings])).toEqual([]);
  });

  it('hold TypeScript that type-checks, and so do the docblocks', () => {
    const snippets = [...ofType(ofPages, 'ts'), ...ofType(ofSource, 'ts')];
    expect(snippets.length).toBeGreaterThan(0);
    expect(snippetProblems(snippets, 'docs')).toEqual([]);
  }, 300_000);
});

describe('what users copy', () => {
  it('does not fail where there is nothing to emit', () => {
    const examples = [...programs].filter(([path]) => path.startsWith('examples/'));
    const files = examples.map(([path, code]) => ({ path, code, line: 1 }));
    expect(lastValueProblems([...ofPages, ...ofSource, ...files])).toEqual([]);
  });
});

describe('the rules fail on', () => {
  it('a wait for the last value of what may have none', () => {
    const code = [
      "import { lastValueFrom } from 'rxjs';",
      'await lastValueFrom(outcomes$);',
      'await firstValueFrom(bars$.pipe(take(1)));',
      'await lastValueFrom(outcomes$, { defaultValue: undefined });',
      'await lastValueFrom(replayDeadLetters(queue, { sink }));',
    ].join('\n');
    expect(lastValueProblems([{ path: 'a.md', line: 10, code }])).toEqual([
      expect.stringMatching(/^a\.md:11: /),
      expect.stringMatching(/^a\.md:12: /),
    ]);
  });

  const page = [
    '# Title',
    '',
    '```ts',
    'const a: number = 1;',
    "const b: number = 'x';",
    '```',
    '',
    '````js',
    '```',
    '````',
  ].join('\n');

  it('a snippet that does not type-check, at the line of its page', () => {
    const docblock =
      "/**\n * Does.\n *\n * @example\n * ```ts\n * import { nothing } from 'sluice';\n * ```\n */\nexport const x = 1;";
    const fences = [...fencesOf('docs/a.md', page), ...docblockFences('src/x.ts', docblock)];
    const problems = snippetProblems(ofType(fences, 'ts'), 'self-test');
    expect(problems).toEqual([
      expect.stringMatching(/^docs\/a\.md:5: error TS2322/),
      expect.stringMatching(/^src\/x\.ts:6: error TS2305/),
    ]);
  }, 300_000);

  it('a snippet that asks a file of its page for what is not in it', () => {
    const text = "`one.ts`: a file.\n\n```ts\nexport const a = 1;\n```\n\n```ts\nimport { a, b } from './one.js';\n```";
    const fences = fencesOf('docs/a.md', text);
    expect(fences.map(({ file }) => file)).toEqual(['one.ts', undefined]);
    expect(snippetProblems(fences, 'files')).toEqual([expect.stringMatching(/^docs\/a\.md:8: error TS2305.*'b'/)]);
  }, 300_000);

  it('a block in a language that nothing checks', () => {
    expect(fenceProblems(fencesOf('docs/a.md', page))).toEqual([expect.stringMatching(/^docs\/a\.md:9: ```js/)]);
    expect(fenceProblems(fencesOf('docs/a.md', '```ts ignore\n```'))).toHaveLength(1);
    expect(fenceProblems(fencesOf('docs/a.md', '```\n```'))).toEqual([expect.stringContaining('without a language')]);
  });

  it('links that lead nowhere', () => {
    const exists = (path: string) => path === 'docs/b.md' || path === 'docs/a.md' || path === 'LICENSE';
    const links = [
      '# A page',
      '[ok](b.md) [ok](../LICENSE) [ok](b.md#the-gate-its-state) [ok](#a-page) [ok](https://example.org/x)',
      '[gone](c.md)',
      '[gone](b.md#the-door)',
      '[gone](#b-page)',
      '[out](../../x.md)',
      '[gone]: ../d.md',
      '`[not a link](e.md)`',
      '```text\n[not a link](f.md)\n```',
    ].join('\n');
    const sample = new Map([
      ['docs/a.md', links],
      ['docs/b.md', '## The `Gate`: its state'],
    ]);
    expect(linkProblems(sample, exists).map((problem) => problem.split(':')[1])).toEqual(['3', '4', '5', '6', '7']);
  });
});
