import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pages, programs } from './house.js';
import { baseName, ROOT, under } from './repository.js';
import {
  ciProblems,
  commandsOf,
  inlineCommandsOf,
  type LockFile,
  lockProblems,
  readmeProblems,
  scriptProblems,
} from './rules/commands.js';
import { fencesOf } from './rules/markdown.js';

const TEST_COMMAND = 'npm ci && npm test';
const ci = join(ROOT, '.ci', 'run');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
const known = {
  scripts: Object.keys(manifest.scripts),
  examples: [...under(programs, 'examples').keys()].map(baseName),
  bench: [...under(programs, 'bench').keys()].map(baseName),
};

describe('commands', () => {
  it('of the README set up a fresh machine and run the main job or the tests', () => {
    const readme = pages.get('README.md');
    expect(readme, 'README.md is missing').toBeDefined();
    expect(readmeProblems(commandsOf(fencesOf('README.md', readme ?? '')))).toEqual([]);
  });

  it('of the README for testing are what CI runs', () => {
    expect(existsSync(ci)).toBe(true);
    expect(statSync(ci).mode & 0o111, '.ci/run is not executable').not.toBe(0);
    expect(ciProblems(readFileSync(ci, 'utf8'), TEST_COMMAND)).toEqual([]);
    expect(spawnSync('bash', ['-n', ci], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });

  it('of npm test check types, the type tests among them, and style, and then run every suite but that of the tarball', () => {
    expect(manifest.scripts.test).toMatch(
      /^npm run typecheck && npm run lint && .*vitest run --project unit --project whole$/,
    );
    expect(readFileSync(ci, 'utf8')).toContain("check 'npm run test:package'");
    expect(manifest.scripts.typecheck).toBe('tsc -p tsconfig.json');
    const { include } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8')) as { include: string[] };
    expect(include).toEqual(expect.arrayContaining(['src', 'test', 'marble-tests', 'examples', 'bench']));
  });

  it('of CI can install from the lock file', () => {
    expect(lockProblems(JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as LockFile)).toEqual([]);
  });

  it('of all pages name scripts and programs that exist', () => {
    expect(
      [...pages].flatMap(([path, text]) =>
        scriptProblems(path, [...commandsOf(fencesOf(path, text)), ...inlineCommandsOf(text)], known),
      ),
    ).toEqual([]);
  });
});

describe('the rules fail on', () => {
  it('a README without the commands', () => {
    const readme = '```bash\n$ npm ci && npm start   # the main job\n# a remark\n```\n```text\nnpm ci && npm test\n```';
    const commands = commandsOf(fencesOf('README.md', readme));
    expect(commands).toEqual(['npm ci && npm start']);
    expect(readmeProblems(commands)).toEqual([expect.stringContaining('npm ci && npm test')]);
  });

  it('a CI script that runs something else, or hides failures', () => {
    const good = "#!/usr/bin/env bash\nset -euo pipefail\ncheck 'npm ci && npm test'";
    expect(ciProblems(good, TEST_COMMAND)).toEqual([]);
    expect(ciProblems(good.replace('check', '# check'), TEST_COMMAND)).toHaveLength(1);
    expect(ciProblems(good.replace('npm test', 'npx vitest'), TEST_COMMAND)).toHaveLength(1);
    expect(ciProblems(good.replace(' pipefail', ''), TEST_COMMAND)).toHaveLength(1);
    expect(ciProblems(`${good} || true`, TEST_COMMAND)).toHaveLength(1);
    expect(ciProblems(good.slice(2), TEST_COMMAND)).toHaveLength(1);
  });

  it('scripts and programs that do not exist', () => {
    const some = { scripts: ['test', 'example'], examples: ['slow-sink'], bench: [] };
    const commands = [
      'npm ci && npm test',
      'npm run example -- slow-sink',
      'npm run example -- gone',
      'npm run gone',
      'npm start',
    ];
    expect(inlineCommandsOf('Type `npm run gone`.\n```sh\n`npm x`\n```\n')).toEqual(['npm run gone']);
    expect(scriptProblems('README.md', commands, some)).toEqual([
      expect.stringContaining('no example gone'),
      expect.stringContaining('no script gone'),
      expect.stringContaining('no script start'),
    ]);
  });

  it('a lock file without the packages of other platforms', () => {
    const packages = {
      'node_modules/lint': { optionalDependencies: { '@lint/linux': '1.0.0', '@lint/mac': '1.0.0' } },
      'node_modules/@lint/linux': {},
    };
    expect(lockProblems({ packages })).toEqual([expect.stringContaining('lacks @lint/mac@1.0.0')]);
  });
});
