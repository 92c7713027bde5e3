import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { PROGRAM } from './bundled.js';
import { followGuide } from './followGuide.js';
import { type Installed, packAndInstall, runAlone } from './installed.js';
import { loadedPackages } from './loadedPackages.js';

const OPTIONAL_PEERS = ['@electric-sql/pglite', '@stoqey/ib', 'pg'];

let installed: Installed;
beforeAll(() => {
  installed = packAndInstall();
}, 120_000);
afterAll(() => installed?.remove(), 60_000);

/** `sluice`, `sluice/operators`, … */
const subpaths = (): string[] =>
  Object.keys(installed.manifest.exports)
    .filter((subpath) => !subpath.endsWith('.json'))
    .map((subpath) => `sluice${subpath.slice(1)}`);

const importAll = (): string =>
  subpaths()
    .map((subpath, index) => `import * as m${index} from '${subpath}';`)
    .join('\n');

/** What a page says that each subpath loads: the packages in the last column, up to what it loads only later. */
function documentedPackages(): Map<string, readonly string[]> {
  const page = readFileSync(join(installed.packageFolder, 'docs/imports.md'), 'utf8');
  const rows = page.matchAll(/^\| `(sluice[^`]*)` \|.*\|([^|]*)\|$/gm);
  return new Map(
    [...rows].map(([, subpath = '', packages = '']) => [
      subpath,
      [...(packages.split(';')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name).sort(),
    ]),
  );
}

describe('the tarball', () => {
  it.skipIf(process.platform === 'win32')('is made of a build whose program can be run as it is', () => {
    const program = join(installed.folder, '../staging/dist/cli/main.js');
    expect(statSync(program).mode & 0o777).toBe(0o755);
  });

  it('holds the build with its sources, and no tests', () => {
    const top = new Set(installed.files.map((file) => file.split('/')[0]));
    const expected = ['CHANGELOG.md', 'LICENSE', 'README.md', 'dashboards', 'dist', 'docs', 'package.json', 'src'];
    expect([...top].sort()).toEqual(expected);
    expect(
      installed.files.filter((file) => /\.(test|spec)\.|(^|\/)(test|tests|fixtures)\/|\.tsbuildinfo$/.test(file)),
    ).toEqual([]);
  });

  it('holds for each source what it was compiled to, with declarations and maps, and nothing else', () => {
    const expected = installed.files
      .filter((file) => file.startsWith('src/'))
      .flatMap((file) =>
        // Not compiled, but taken along.
        file.endsWith('.sql')
          ? [file.replace(/^src/, 'dist')]
          : ['.d.ts', '.d.ts.map', '.js', '.js.map'].map((ending) => file.replace(/^src(.*)\.ts$/, `dist$1${ending}`)),
      );
    expect(installed.files.filter((file) => file.startsWith('dist/'))).toEqual(expected.sort());
  });

  it('has maps whose sources are in it', () => {
    const maps = installed.files.filter((file) => file.endsWith('.map'));
    expect(maps.length).toBeGreaterThan(0);
    const lost = maps.flatMap((file) => {
      const map = JSON.parse(readFileSync(join(installed.packageFolder, file), 'utf8')) as {
        sources: string[];
        sourceRoot?: string;
      };
      return map.sources
        .filter((source) => !existsSync(join(installed.packageFolder, dirname(file), map.sourceRoot ?? '', source)))
        .map((source) => `${file}: ${source}`);
    });
    expect(lost).toEqual([]);
  });
});

describe('every subpath', () => {
  it('is a folder of src with an index, and the other way round', () => {
    const indexes = installed.files.flatMap((file) => /^src\/(?:(.+)\/)?index\.ts$/.exec(file)?.slice(1, 2) ?? []);
    expect(subpaths().sort()).toEqual(indexes.map((folder) => (folder ? `sluice/${folder}` : 'sluice')).sort());
  });

  it('imports in plain Node, and exports what is agreed', async () => {
    const print = `for (const [name, module] of [${subpaths().map((subpath, index) => `['${subpath}', m${index}]`)}]) {
      console.log(name);
      for (const key of Object.keys(module).sort()) console.log('  ' + key + ': ' + typeof module[key]);
    }`;
    const { status, output } = installed.node('exports.js', `${importAll()}\n${print}`);
    expect(status, output).toBe(0);
    // The list is the public contract. A change that is meant: `npx vitest run test/package --update`.
    await expect(`${output}\n`).toMatchFileSnapshot('./exports.txt');
  });

  it('loads the packages that docs/imports.md names, and no other: each is a cost that users pay', () => {
    const loaded = loadedPackages(installed, subpaths());
    const named = [...loaded].map(([subpath, packages]) => [
      subpath,
      // Nearly all have it, and the page says so once.
      packages.filter((name) => name !== 'fastest-levenshtein'),
    ]);
    expect(Object.fromEntries(named)).toEqual(Object.fromEntries(documentedPackages()));
  });

  it('loads no optional peer, Effect only for settings, and codecs only with the records and the kit', () => {
    const loaded = loadedPackages(installed, subpaths());
    const loading = (name: string) => subpaths().filter((subpath) => loaded.get(subpath)?.includes(name));
    for (const peer of OPTIONAL_PEERS) expect(loading(peer)).toEqual([]);
    expect(loading('effect')).toEqual(['sluice/settings']);
    // Its help reads no settings.
    const program = './node_modules/sluice/dist/cli/program.js';
    expect(loadedPackages(installed, [program]).get(program)).not.toContain('effect');
    expect(loading('io-ts')).toEqual(['sluice/pipelines', 'sluice/market', 'sluice/testing']);
  });

  it.each([
    ['oldest', 'NodeNext'],
    ['oldest', 'Bundler'],
    ['newest', 'NodeNext'],
    ['newest', 'Bundler'],
  ] as const)(
    'compiles with the %s TypeScript under moduleResolution %s, without the DOM and without skipLibCheck',
    (compiler, moduleResolution) => {
      const use = subpaths()
        .map((_, index) => `export const names${index}: (keyof typeof m${index})[] = [];`)
        .join('\n');
      const { output } = installed.tsc(
        `types-${compiler}-${moduleResolution}.ts`,
        `${importAll()}\n${use}\n`,
        {
          module: moduleResolution === 'Bundler' ? 'ESNext' : moduleResolution,
          moduleResolution,
          skipLibCheck: false,
        },
        compiler,
      );
      expect(output).toBe('');
    },
    120_000,
  );

  it('and nothing else can be imported', () => {
    const { status, output } = installed.node('inside.js', "import 'sluice/dist/flow/gate.js';");
    expect(status).not.toBe(0);
    expect(output).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });
});

describe('a chain in the project', () => {
  it('shares one RxJS with the package', () => {
    expect(installed.manifest.peerDependencies).toHaveProperty('rxjs');
    expect(installed.manifest.dependencies).not.toHaveProperty('rxjs');
    const { status, output } = installed.node(
      'chain.js',
      `import { Observable, map, toArray } from 'rxjs';
       import { batch } from 'sluice/operators';
       import { fromIterable } from 'sluice/sources';
       const source = fromIterable([1, 2, 3]);
       if (!(source instanceof Observable)) throw new Error('another Observable');
       source.pipe(map((n) => n * 2), batch({ size: 2, lingerMs: 5 }), toArray()).subscribe((batches) => console.log(JSON.stringify(batches)));`,
    );
    expect(output).toBe('[[2,4],[6]]');
    expect(status).toBe(0);
  });

  it('fails to compile where it is wrong', () => {
    const { status, output } = installed.tsc(
      'wrong.ts',
      `import { batch } from 'sluice/operators';\nbatch({ size: 'many' });\n`,
      { module: 'NodeNext', skipLibCheck: true },
    );
    expect(status).not.toBe(0);
    expect(output).toMatch(/^wrong\.ts\(2,9\): error TS2322/);
  });
});

describe('without the optional peers', () => {
  const opening = (config: string) =>
    installed.node(
      'open.js',
      `import { openStore } from 'sluice/postgres';
       await openStore(${config}).catch(({ name, code, failureClass, message }) => console.log(name, code, failureClass, message));`,
    );

  it('the embedded store says in one sentence what to install and what else to do, and makes no folder', () => {
    expect(opening("{ folder: 'embedded' }").output).toBe(
      'StoreError SLUICE_STORE_PACKAGE fatal the embedded store, PGlite, needs the packages @electric-sql/pglite and pg, which are ' +
        'not installed: run "npm install @electric-sql/pglite@0.5 pg@8", or give the databaseUrl (DATABASE_URL) of a Postgres server',
    );
    expect(existsSync(join(installed.folder, 'embedded'))).toBe(false);
  });

  it('a store on a server says what to install', () => {
    expect(opening("{ databaseUrl: 'postgres://127.0.0.1:9/x' }").output).toBe(
      'StoreError SLUICE_STORE_PACKAGE fatal a store on a Postgres server needs the package pg, which is not installed: ' +
        'run "npm install pg@8"',
    );
  });

  it('the program sluice says it too', () => {
    const program = join(installed.packageFolder, 'dist/cli/main.js');
    const run = `import { spawnSync } from 'node:child_process';
      const { status, stderr } = spawnSync(process.execPath, [${JSON.stringify(program)}, 'migrate', '--store-folder', 'embedded'], { encoding: 'utf8' });
      console.log(status, stderr);`;
    expect(installed.node('migrate.js', run).output).toMatch(/^1 .*run "npm install @electric-sql\/pglite@0\.5 pg@8"/);
  });

  it('a stream of IBKR fails with what to install', () => {
    const { output } = installed.node(
      'stream.js',
      `import { ibkr } from 'sluice/providers/ibkr';
       ibkr().stream({ kinds: ['bar'], symbols: ['AAPL'] })
         .subscribe({ error: ({ name, retryable, message }) => console.log(name, retryable, message) });`,
    );
    expect(output).toMatch(
      /^ConnectionLost false .*@stoqey\/ib, which is not installed: run "npm install @stoqey\/ib@1\.6\.10"$/,
    );
  });
});

describe('a program in one file', () => {
  const database = freshDatabase();
  beforeAll(() => installed.add('pg'));

  it('runs in an empty folder: settings, logger, migrations, metrics, dead letters and files', async () => {
    // The embedded database reads its WebAssembly from files beside its code, and pg tries its native driver.
    const folder = await installed.bundle('bundled.js', PROGRAM, [/^@electric-sql\/pglite/, /^pg-native$/]);
    const { status, output } = await runAlone(folder, { DATABASE_URL: database.url });
    expect(status, output).toBe(0);
    expect(output).toMatch(/"steps":\d+,"msg":"migrated"/);
    expect(output.match(/every item is accounted for/g)).toHaveLength(2);
    expect(output).toMatch(/metrics served\n1001 rows/);
    // With its code not in the file, the embedded database says what it lacks.
    const embedded = await runAlone(folder, {});
    expect(embedded.status).not.toBe(0);
    expect(embedded.output).toContain('@electric-sql/pglite');
  }, 120_000);
});

describe('the guide "Getting started"', () => {
  it('works as it is written, in an empty folder', () => {
    const results = followGuide('getting-started', installed);
    for (const [command, { status, output }] of results) expect(status, `${command}\n${output}`).toBe(0);
    const said = (word: string) => [...results].find(([command]) => command.includes(word))?.[1].output ?? '';
    expect(said('node pipeline.js')).toMatch(/written {3}10,000 [\s\S]*every item is accounted for/);
    expect(said('vitest run')).toMatch(/Test Files +2 passed/);
    expect(said('vitest run')).toMatch(/Tests +\d{2} passed/);
  }, 180_000);
});
