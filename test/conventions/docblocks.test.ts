import { describe, expect, it } from 'vitest';
import { everything, members, src } from './house.js';
import { configFieldProblems, docblockProblems } from './rules/docblocks.js';
import { exportsOf, parse } from './syntax.js';

describe('docblocks', () => {
  it('of every operator, source and sink have the fixed sections in their order', () => {
    expect([...members].flatMap(([name, path]) => docblockProblems(path, everything.get(path) ?? '', name))).toEqual(
      [],
    );
  });

  it('stand on every option of a configuration', () => {
    const faces = [...src].filter(([path]) => path.endsWith('/index.ts'));
    const names = new Set(faces.flatMap(([path, text]) => exportsOf(parse(path, text)).map(({ name }) => name)));
    const isPublic = (name: string) => names.has(name);
    expect([...src].flatMap(([path, text]) => configFieldProblems(path, text, isPublic))).toEqual([]);
  });
});

describe('the rule fails on', () => {
  const good = [
    '/**',
    ' * Skips items.',
    ' *',
    ' * ```text',
    ' * --a--b--|',
    ' * ```',
    ' *',
    ' * **Emits when** asked.',
    ' * **Backpressure** passes.',
    ' * **Completes when** its source does.',
    ' * **Errors when** its source does.',
    ' * **On unsubscribe** nothing.',
    ' *',
    ' * **Delivery** as it comes.',
    ' *',
    ' * **Gotchas** none.',
    ' *',
    ' * @example',
    ' * ```ts',
    " * import { skip } from 'sluice';",
    ' * ```',
    ' */',
    'export function skip(): void {}',
  ].join('\n');

  it('nothing in a docblock in order', () => {
    expect(docblockProblems('src/operators/skip.ts', good, 'skip')).toEqual([]);
    const opening = 'export async function skip(): Promise<void> {}';
    const promising = good
      .replace(/ \* \*\*(?:Emits|Backpressure)[^\n]*\n/g, '')
      .replace(/export function .*/, opening);
    expect(docblockProblems('src/operators/skip.ts', promising, 'skip')).toEqual([]);
    const ignoring = good.replace('export', '// biome-ignore lint/x: y\nexport');
    expect(docblockProblems('src/operators/skip.ts', ignoring, 'skip')).toEqual([]);
  });

  it.each<[string, (text: string) => string, RegExp]>([
    ['no docblock', (text) => text.slice(text.indexOf('export')), /skip has no docblock/],
    ['a comment that is no docblock', (text) => text.replace('/**', '/*'), /skip has no docblock/],
    ['no summary', (text) => text.replace(' * Skips items.\n *\n', ''), /summary/],
    ['no drawing', (text) => text.replace(/ \* ```text[^`]*```\n/, ''), /lacks a drawing/],
    ['a missing lead-in', (text) => text.replace('**Delivery**', 'Delivery'), /lacks \*\*Delivery\*\*/],
    [
      'lead-ins out of order',
      (text) => text.replace('**Emits when**', '**X**').replace('**Gotchas**', '**Emits when**'),
      /must stand after/,
    ],
    ['no example', (text) => text.replace('@example', 'Example'), /lacks @example/],
    ['an example that is not checked', (text) => text.replace('```ts', '```js'), /@example of skip holds/],
    ['a function that is gone', (text) => text.replace('skip()', 'leap()'), /does not export skip/],
  ])('%s', (_, change, problem) => {
    expect(docblockProblems('src/operators/skip.ts', change(good), 'skip')).toContainEqual(
      expect.stringMatching(problem),
    );
  });

  it('an option without a docblock', () => {
    const text =
      'export interface SkipConfig {\n  /** How many. Default 1. */\n  readonly count?: number;\n  readonly by: string;\n}';
    expect(configFieldProblems('src/operators/skip.ts', text, () => true)).toEqual([
      'src/operators/skip.ts:4: SkipConfig.by has no docblock: its unit, range and default',
    ]);
  });
});
