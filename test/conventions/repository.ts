import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');

/** Files by their path from the repository's root, with forward slashes. A rule is given these, real or made up. */
export type Files = ReadonlyMap<string, string>;

const NEVER_OURS = new Set(['node_modules', 'dist', 'coverage']);

/** The text files of the repository under `folders` (or at its root, for `.`) with one of the `endings`. */
export function readFiles(folders: readonly string[], endings: readonly string[]): Files {
  const files = new Map<string, string>();
  const visit = (folder: string, deep: boolean): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (deep && !entry.name.startsWith('.') && !NEVER_OURS.has(entry.name)) visit(path, deep);
      } else if (entry.isFile() && endings.some((ending) => entry.name.endsWith(ending))) {
        files.set(relative(ROOT, path).split(sep).join('/'), readFileSync(path, 'utf8'));
      }
    }
  };
  for (const folder of folders) {
    const path = join(ROOT, folder);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) visit(path, folder !== '.');
  }
  return files;
}

/** The part of `files` under `folder`. */
export function under(files: Files, folder: string): Files {
  return new Map([...files].filter(([path]) => path.startsWith(`${folder}/`)));
}

/** `src/operators/batch.ts` → `batch`. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.(test\.ts|ts|md)$/, '');
}

export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i >= 0 && i < offset; i = text.indexOf('\n', i + 1)) line += 1;
  return line;
}
