import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface RunResult {
  readonly status: number | null;
  readonly output: string;
}

/** A project that has installed the packed tarball and nothing else of this repository. */
export interface Installed {
  readonly folder: string;
  /** Where the package lies in it. */
  readonly packageFolder: string;
  readonly manifest: Manifest;
  /** The files of the tarball, by their path in it. */
  readonly files: readonly string[];
  /** Runs a module that stands in the project. */
  node(name: string, code: string): RunResult;
  /** Type-checks a module of the project, and the declarations that it reaches. */
  tsc(name: string, code: string, options: Readonly<Record<string, unknown>>): RunResult;
  remove(): void;
}

/**
 * Packs the package as it would be published (in a copy, so that a build that others are using stays as it is) and
 * unpacks it in an empty project. Its dependencies are links to this repository's: nothing is fetched.
 */
export function packAndInstall(): Installed {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-package-'));
  const staging = join(folder, 'staging');
  mkdirSync(staging);
  for (const entry of [
    'package.json',
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
    'src',
    'scripts',
    'dashboards',
    'docs',
    'tsconfig.json',
    'tsconfig.build.json',
  ]) {
    if (existsSync(join(ROOT, entry))) cpSync(join(ROOT, entry), join(staging, entry), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(staging, 'node_modules'));
  succeed(run('npm', ['pack', '--pack-destination', folder], staging));

  const project = join(folder, 'project');
  const packageFolder = join(project, 'node_modules', 'sluice');
  mkdirSync(packageFolder, { recursive: true });
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  succeed(run('tar', ['-xzf', join(folder, tarball), '--strip-components=1', '-C', packageFolder], folder));
  const manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as Manifest;
  // What npm would install for the package, and what its user brings: RxJS and the types of Node.
  for (const name of [
    ...Object.keys(manifest.dependencies ?? {}),
    ...Object.keys(manifest.peerDependencies ?? {}),
    '@types/node',
  ]) {
    const link = join(project, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link);
  }
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }\n');

  return {
    folder: project,
    packageFolder,
    manifest,
    files: readdirSync(packageFolder, { recursive: true, encoding: 'utf8' })
      .filter((path) => statSync(join(packageFolder, path)).isFile())
      .sort(),
    node(name, code) {
      writeFileSync(join(project, name), code);
      return run(process.execPath, [name], project);
    },
    tsc(name, code, options) {
      const config = `${name}.json`;
      writeFileSync(join(project, name), code);
      writeFileSync(
        join(project, config),
        JSON.stringify({
          compilerOptions: {
            target: 'ES2023',
            lib: ['ES2023'],
            types: ['node'],
            strict: true,
            noEmit: true,
            ...options,
          },
          files: [name],
        }),
      );
      const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
      return run(process.execPath, [tsc, '-p', config, '--pretty', 'false'], project);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function run(program: string, args: readonly string[], cwd: string): RunResult {
  // Run by `npm test`, this process carries npm's settings for the repository, which are not the project's.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS|VITEST)/.test(name)),
  );
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
  if (error) throw error;
  return { status, output: `${stdout}${stderr}`.trim() };
}

function succeed({ status, output }: RunResult): void {
  if (status !== 0) throw new Error(output);
}
