import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PENDING, providers } from './providers.js';

const folder = fileURLToPath(new URL('../../src/providers/', import.meta.url));

it('every venue is registered', () => {
  const venues = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'index.ts')));
  expect([...Object.keys(providers), ...PENDING].sort()).toEqual(venues.sort());
});

for (const [venue, subjects] of Object.entries(providers)) {
  it(`${venue} has a subject`, () => expect(subjects).not.toEqual([]));
  for (const { name, tests } of subjects) {
    describe(name, () => {
      for (const { id, title, run } of tests) it(`${id} ${title}`, run, 30_000);
    });
  }
}
