import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fencesOf } from '../conventions/rules/markdown.js';
import type { Installed, RunResult } from './installed.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The programs that come with packages which a guide installs. */
const PROGRAMS: Readonly<Record<string, string>> = { typescript: 'tsc', vitest: 'vitest' };

/**
 * Does in an empty folder what a guide says: writes the files that it names and types its commands, in their order. What it installs
 * is linked rather than fetched, and nothing else is there. Gives what each command printed.
 */
export function followGuide(guide: string, installed: Installed): Map<string, RunResult> {
  let cwd = mkdtempSync(join(dirname(installed.folder), 'guide-'));
  const results = new Map<string, RunResult>();
  const path = `docs/${guide}.md`;
  for (const { language, code, file } of fencesOf(path, readFileSync(join(ROOT, path), 'utf8'))) {
    if (file !== undefined) writeFileSync(join(cwd, file), code);
    if (language !== 'sh') continue;
    for (const command of code.split('\n')) {
      const [, folder] = /^mkdir (\S+) && cd \1$/.exec(command) ?? [];
      if (folder) {
        cwd = join(cwd, folder);
        mkdirSync(cwd);
      } else if (command.startsWith('npm install ')) {
        install(command.split(' ').slice(2), cwd, installed);
      } else {
        results.set(command, type(command, cwd));
      }
    }
  }
  return results;
}

function install(args: readonly string[], cwd: string, installed: Installed): void {
  const names = args.filter((name) => !name.startsWith('--'));
  const link = (to: string, from: string) => {
    mkdirSync(dirname(join(cwd, 'node_modules', to)), { recursive: true });
    symlinkSync(from, join(cwd, 'node_modules', to));
  };
  for (const name of names) {
    link(name, name === 'sluice' ? installed.packageFolder : join(ROOT, 'node_modules', name));
    const program = PROGRAMS[name];
    if (program) link(`.bin/${program}`, join(ROOT, 'node_modules', '.bin', program));
  }
  // The package is a link, and looks for its optional peers where it lies.
  const peers = Object.keys(installed.manifest.peerDependencies ?? {});
  installed.add(...names.filter((name) => peers.includes(name)));
}

function type(command: string, cwd: string): RunResult {
  const { DATABASE_URL: _, ...rest } = process.env;
  const env = Object.fromEntries(
    Object.entries(rest).filter(([name]) => !/^(npm_|NODE_OPTIONS|NODE_PATH|VITEST)/.test(name)),
  );
  const { status, stdout, stderr, error } = spawnSync('sh', ['-c', command], {
    cwd,
    env: { ...env, NO_COLOR: '1', npm_config_offline: 'true' },
    encoding: 'utf8',
  });
  if (error) throw error;
  return { status, output: `${stdout}${stderr}`.trim() };
}
