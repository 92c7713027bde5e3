import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { OPERATOR_RULES } from '../../../src/testing/index.js';

it('the guide lists every rule of operators, as it is called, in order', () => {
  const guide = readFileSync(new URL('../../../docs/testing.md', import.meta.url), 'utf8');
  const listed = [...guide.matchAll(/^\| (OP-\d+\.\d+) \| (.+) \|$/gm)].map(([, id, title]) => ({ id, title }));
  expect(listed).toEqual(OPERATOR_RULES);
});
