import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../repository.js';
import type { Fence } from './markdown.js';

/**
 * Type-checks each block as a module of its own, as if its reader had pasted it into a file beside an installed
 * `sluice`, with the files of the same page that have names beside it; what the compiler says comes back at the file and line that the block stands in. `name` keeps apart the
 * folders of callers that run side by side.
 */
export function snippetProblems(fences: readonly Fence[], name: string): string[] {
  if (fences.length === 0) return [];
  // In a folder of the repository, so that packages are found from there; one that git and biome ignore.
  const folder = join(ROOT, '.build', `snippets-${name}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const places = new Map<string, Fence>();
  fences.forEach((fence, index) => {
    const { path, file, code } = fence;
    const place = `${path.replace(/\W/g, '_')}/${file ?? `${index}.ts`}`;
    places.set(place, fence);
    mkdirSync(join(folder, dirname(place)), { recursive: true });
    writeFileSync(join(folder, place), `${code}\nexport {};\n`);
  });
  const config = {
    extends: '../../tsconfig.json',
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
    include: ['**/*.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));

  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const run = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { cwd: folder, encoding: 'utf8' });
  if (run.error) return [`tsc does not run: ${run.error.message}`];
  if (run.status === 0) return [];
  const output = `${run.stdout}${run.stderr}`.trim();
  const problems = output.split('\n').map((line) => {
    const match = /([^\\/]+)[\\/]([^\\/]+\.ts)\((\d+),(\d+)\): (.*)$/.exec(line);
    const fence = match && places.get(`${match[1]}/${match[2]}`);
    return fence ? `${fence.path}:${fence.line + Number(match[3]) - 1}: ${match[5]}` : line;
  });
  rmSync(folder, { recursive: true, force: true });
  return problems;
}
