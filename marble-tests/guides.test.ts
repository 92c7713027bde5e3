import { describe, expect, it } from 'vitest';
import { guideFiles } from '../test/support/guideFiles.js';

/** The guides with tests in them, and how many blocks of code hold some that need nothing but themselves. */
const GUIDES = { backpressure: 9, 'getting-started': 2, testing: 9, 'write-an-operator': 1 };

/** The blocks of a guide that are tests and need no database. */
function testsOf(guide: string): string[] {
  return guideFiles(guide, 'marbles')
    .filter(({ block: { code } }) => code.includes("from 'sluice/testing'") && !/DATABASE_URL|^declare /m.test(code))
    .map(({ path }) => path);
}

describe.each(Object.entries(GUIDES))('docs/%s.md', async (guide, count) => {
  const files = testsOf(guide);

  it('has its tests', () => {
    expect(files.length).toBe(count);
  });

  for (const file of files) {
    // A block either exports its tests, or is a test file as a reader would write it.
    const tests: Record<string, unknown> = await import(/* @vite-ignore */ file);
    for (const [name, test] of Object.entries(tests)) it(name, test as () => void);
  }
});
