import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A program that runs in a process of its own, compiled with what it imports from `src` as it is now. */
export interface CompiledProgram {
  readonly path: string;
  remove(): void;
}

export function compileProgram(source: URL): CompiledProgram {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-program-'));
  const file = fileURLToPath(source);
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    files: [file],
    include: [],
    compilerOptions: { noEmit: false, noCheck: true, types: [], rootDir: ROOT, outDir: folder },
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', join(folder, 'tsconfig.json')]);
  return {
    path: join(folder, relative(ROOT, file).replace(/\.ts$/, '.js')),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
