import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { operators } from './operators.js';

const folder = new URL('../../src/operators/', import.meta.url);

it('every operator is registered', () => {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== 'index.ts')
    .map((file) => file.replace(/\.ts$/, ''));
  expect(Object.keys(operators).sort()).toEqual(files.sort());
});

for (const [operator, subjects] of Object.entries(operators)) {
  it(`${operator} has a subject`, () => expect(subjects).not.toEqual([]));
  for (const { name, tests } of subjects) {
    describe(`${operator}: ${name}`, () => {
      for (const { id, title, run } of tests) it(`${id} ${title}`, run);
    });
  }
}
