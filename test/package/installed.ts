import { spawn, spawnSync } from 'node:child_process';
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
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** The oldest TypeScript that the declarations are written for, or the one that compiles this repository. */
export type Compiler = 'oldest' | 'newest';

const COMPILERS: Readonly<Record<Compiler, string>> = {
  oldest: 'test/package/consumer/node_modules/typescript/bin/tsc',
  newest: 'node_modules/typescript/bin/tsc',
};

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
  /** Installs packages that the project may not have: optional peers. */
  add(...names: readonly string[]): void;
  /** Runs a module that stands in the project. */
  node(name: string, code: string): RunResult;
  /** Type-checks a module of the project, and the declarations that it reaches. */
  tsc(name: string, code: string, options: Readonly<Record<string, unknown>>, compiler?: Compiler): RunResult;
  /** Bundles a module of the project into one file, which is copied to a folder of its own; gives that folder. */
  bundle(name: string, code: string, external: readonly RegExp[]): Promise<string>;
  remove(): void;
}

/**
 * Packs the package as it would be published (in a copy, so that a build that others are using stays as it is) and
 * unpacks it in an empty project, without the optional peers. Its dependencies are links to this repository's: nothing is fetched.
 */
export function packAndInstall(): Installed {
  const folder = mkdtempSync(join(bareFolder(), 'sluice-package-'));
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
  const add = (...names: readonly string[]) => {
    for (const name of names) {
      const link = join(project, 'node_modules', name);
      if (existsSync(link)) continue;
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), link);
    }
  };
  // What npm would install for the package, and what its user brings: RxJS and the types of Node.
  const peers = Object.keys(manifest.peerDependencies ?? {});
  add(...Object.keys(manifest.dependencies ?? {}), '@types/node');
  add(...peers.filter((name) => !manifest.peerDependenciesMeta?.[name]?.optional));
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }\n');

  return {
    folder: project,
    packageFolder,
    manifest,
    add,
    files: readdirSync(packageFolder, { recursive: true, encoding: 'utf8' })
      .filter((path) => statSync(join(packageFolder, path)).isFile())
      .sort(),
    node(name, code) {
      writeFileSync(join(project, name), code);
      return run(process.execPath, [name], project);
    },
    async bundle(name, code, external) {
      writeFileSync(join(project, name), code);
      const alone = mkdtempSync(join(folder, 'alone-'));
      const build = await rolldown({
        input: join(project, name),
        platform: 'node',
        external: [...external],
        cwd: project,
      });
      await build.write({ file: join(alone, 'program.mjs'), format: 'esm', codeSplitting: false });
      await build.close();
      return alone;
    },
    tsc(name, code, options, compiler = 'newest') {
      const config = `${name}.json`;
      writeFileSync(join(project, name), code);
      writeFileSync(
        join(project, config),
        JSON.stringify({
          compilerOptions: {
            // TypeScript 5.4 knows no newer one.
            target: 'ES2022',
            lib: ['ES2023'],
            types: ['node'],
            strict: true,
            noEmit: true,
            ...options,
          },
          files: [name],
        }),
      );
      return run(process.execPath, [join(ROOT, COMPILERS[compiler]), '-p', config, '--pretty', 'false'], project);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A folder for temporary files above which no packages are installed, because Node would find those too. */
function bareFolder(): string {
  const isBare = (folder: string): boolean =>
    !existsSync(join(folder, 'node_modules')) && (dirname(folder) === folder || isBare(dirname(folder)));
  const found = [tmpdir(), '/var/tmp', '/dev/shm'].find((folder) => existsSync(folder) && isBare(folder));
  if (found === undefined) throw new Error(`packages are installed above ${tmpdir()}: remove that node_modules`);
  return found;
}

/** Runs the bundled program of a folder while this process goes on, as it may have to serve a database. */
export async function runAlone(folder: string, env: Readonly<Record<string, string>>): Promise<RunResult> {
  const child = spawn(process.execPath, ['program.mjs'], { cwd: folder, env: { PATH: process.env.PATH, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  return { status, output };
}

function run(program: string, args: readonly string[], cwd: string): RunResult {
  // Run by `npm test`, this process carries npm's settings for the repository, which are not the project's.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS|VITEST)/.test(name)),
  );
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, env, encoding: 'utf8', timeout: 90_000 });
  if (error) throw error;
  return { status, output: `${stdout}${stderr}`.trim() };
}

function succeed({ status, output }: RunResult): void {
  if (status !== 0) throw new Error(output);
}
