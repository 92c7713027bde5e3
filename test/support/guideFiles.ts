import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Fence, fencesOf } from '../conventions/rules/markdown.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Writes the TypeScript of a guide to files, one for each block, in a folder that git ignores: a file that the guide names has its
 * name, so that the others can import it. `suite` keeps apart the folders of tests that run side by side.
 */
export function guideFiles(guide: string, suite: string): { readonly path: string; readonly block: Fence }[] {
  const folder = `${root}.build/guides/${suite}-${guide}`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const page = `docs/${guide}.md`;
  const blocks = fencesOf(page, readFileSync(root + page, 'utf8')).filter(({ language }) => language === 'ts');
  return blocks.map((block, index) => {
    const path = `${folder}/${block.file ?? `block${index + 1}.ts`}`;
    writeFileSync(path, block.code);
    return { path, block };
  });
}

/** Imports a file that a guide names. */
export async function guideModule<M>(guide: string, suite: string, file: string): Promise<M> {
  const found = guideFiles(guide, suite).find(({ block }) => block.file === file);
  if (!found) throw new Error(`docs/${guide}.md names no file ${file}`);
  return (await import(/* @vite-ignore */ found.path)) as M;
}
