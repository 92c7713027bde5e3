import { describe, expect, it } from 'vitest';
import { src } from './house.js';
import { lineAt } from './repository.js';
import { body, parse } from './syntax.js';

const DECLARATION = /^(Import|Export|Function|Class|Variable|TS)\w*Declaration$/;

/** Statements that act when their module is loaded, rather than declaring something. */
function actions(path: string, text: string): string[] {
  return body(parse(path, text))
    .filter(({ type }) => !DECLARATION.test(type))
    .map(({ start }) => `${path}:${lineAt(text, start)}`);
}

describe('sideEffects: false in package.json', () => {
  it('is true: no module acts when it is loaded, but for the program of the command line', () => {
    expect(
      [...src].flatMap(([path, text]) => actions(path, text)).filter((at) => !at.startsWith('src/cli/main.ts:')),
    ).toEqual([]);
  });

  it('would be found untrue', () => {
    expect(actions('src/a.ts', "import 'x';\nexport const y = 1;\nregister(y);\nif (y) z();")).toEqual([
      'src/a.ts:3',
      'src/a.ts:4',
    ]);
  });
});
