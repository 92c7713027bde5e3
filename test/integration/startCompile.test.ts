import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OUTSIDE } from '../../examples/run-pipeline-to-store/options.js';
import { PROVIDERS } from '../../src/providers/registry.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
let checkout: string;

/** A checkout with one example, which prints what the package exports. */
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'sluice-compile-'));
  cpSync(join(root, 'scripts'), join(checkout, 'scripts'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  write('package.json', '{ "name": "tiny", "type": "module", "exports": "./dist/index.js" }');
  write('src/index.ts', 'export const answer: number = 1;\n');
  write('src/index.test.ts', 'this is no program');
  write('examples/show.ts', "import { answer } from 'tiny';\nconsole.log('answer', answer);\n");
});
afterEach(() => rmSync(checkout, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(checkout, path)), { recursive: true });
  writeFileSync(join(checkout, path), text);
}

function runExample() {
  const args = [join(checkout, 'scripts/run-program.js'), 'examples', 'show'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('npm start and npm run example', () => {
  it('compile what they need once, and say so, and again only what has changed', () => {
    expect(runExample()).toEqual({ status: 0, stdout: 'answer 1\n', stderr: 'compiling 2 files …\n' });
    expect(runExample()).toEqual({ status: 0, stdout: 'answer 1\n', stderr: '' });
    const { mtimeMs } = statSync(join(checkout, '.build/examples/show.js'));
    write('src/index.ts', 'export const answer: number = 2;\n');
    // Such as a file of an archive, which is older than what was compiled from the former one.
    utimesSync(join(checkout, 'src/index.ts'), 1_000, 1_000);
    expect(runExample()).toEqual({ status: 0, stdout: 'answer 2\n', stderr: 'compiling 1 file …\n' });
    expect(statSync(join(checkout, '.build/examples/show.js')).mtimeMs).toBe(mtimeMs);
  });

  it('keep what starts with #! executable', () => {
    write('src/main.ts', '#!/usr/bin/env node\nconsole.log(1 as number);\n');
    runExample();
    const main = join(checkout, 'dist/main.js');
    expect(readFileSync(main, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(statSync(main).mode & 0o777).toBe(0o755);
  });

  it('show what cannot be compiled with its file, and leave no half of an output', () => {
    write('src/index.ts', 'export const answer = ;\n');
    const { status, stderr } = runExample();
    expect(status).toBe(1);
    expect(stderr).toContain('src/index.ts');
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(statSync(join(checkout, 'dist/index.js'), { throwIfNoEntry: false })).toBeUndefined();
  });

  it('say what to do before npm ci, and where nothing can be written', () => {
    rmSync(join(checkout, 'node_modules'));
    // Node would look for it in the folders above as well.
    write('node_modules/rolldown/package.json', '{}');
    expect(runExample()).toMatchObject({ status: 1, stderr: expect.stringContaining('run `npm ci` first') });
    rmSync(join(checkout, 'node_modules'), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
    // A file in place of the folder: a permission would not keep root out.
    write('dist', '');
    const { status, stderr } = runExample();
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: cannot use \S+dist\S*: a file is where a folder should be: remove it\n$/);
  });

  it('know the providers of the registry by name', () => {
    expect([...OUTSIDE].sort()).toEqual(PROVIDERS.flatMap(({ name, aliases }) => [name, ...aliases]).sort());
  });
});
