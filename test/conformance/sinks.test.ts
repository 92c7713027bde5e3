import { describe, expect, it } from 'vitest';
import { places } from './places.js';
import { sinks } from './sinks.js';

const here = places();

for (const [sink, subjects] of Object.entries(sinks)) {
  it(`${sink} has a subject`, () => expect(subjects).not.toEqual([]));
  for (const subject of subjects) {
    const { name, tests } = subject(here);
    describe(`${sink} ${name}`, () => {
      for (const { id, title, run } of tests) it(`${id} ${title}`, run, 60_000);
    });
  }
}
