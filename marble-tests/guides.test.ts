import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fencesOf } from '../test/conventions/rules/markdown.js';

/** The guides with tests in them, and how many blocks of code hold some that need nothing but themselves. */
const GUIDES = { backpressure: 9, 'getting-started': 2, testing: 9, 'write-an-operator': 1 };

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * The blocks of a guide that are tests and need no database, each written to a file of its own, so that a failure names the line.
 * Beside them are the files that the guide names.
 */
function blocksOf(guide: string): string[] {
  const folder = `${root}.build/guides/${guide}`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const path = `docs/${guide}.md`;
  const blocks = fencesOf(path, readFileSync(root + path, 'utf8')).filter(({ language }) => language === 'ts');
  const written = blocks.map((block, index) => {
    const file = `${folder}/${block.file ?? `block${index + 1}.ts`}`;
    writeFileSync(file, block.code);
    return { file, code: block.code };
  });
  return written
    .filter(({ code }) => code.includes("from 'sluice/testing'") && !/DATABASE_URL|^declare /m.test(code))
    .map(({ file }) => file);
}

describe.each(Object.entries(GUIDES))('docs/%s.md', async (guide, count) => {
  const files = blocksOf(guide);

  it('has its tests', () => {
    expect(files.length).toBe(count);
  });

  for (const file of files) {
    // A block either exports its tests, or is a test file as a reader would write it.
    const tests: Record<string, unknown> = await import(/* @vite-ignore */ file);
    for (const [name, test] of Object.entries(tests)) it(name, test as () => void);
  }
});
