import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { PROGRAM } from './bundled.js';
import { type Installed, packAndInstall, runAlone } from './installed.js';

let installed: Installed;
beforeAll(() => {
  installed = packAndInstall();
}, 120_000);
afterAll(() => installed?.remove());

/** `sluice`, `sluice/operators`, … */
const subpaths = (): string[] =>
  Object.keys(installed.manifest.exports)
    .filter((subpath) => !subpath.endsWith('.json'))
    .map((subpath) => `sluice${subpath.slice(1)}`);

const importAll = (): string =>
  subpaths()
    .map((subpath, index) => `import * as m${index} from '${subpath}';`)
    .join('\n');

/** Prints the files of all modules that an import loads. */
const printLoaded = (subpath: string): string => {
  const hooks = `import { writeSync } from 'node:fs';
    export const load = (url, context, next) => { writeSync(1, url + '\\n'); return next(url, context); };`;
  return `import { createRequire, register } from 'node:module';
    register('data:text/javascript,${encodeURIComponent(hooks).replaceAll("'", '%27')}');
    await import('${subpath}');
    // What a CommonJS module requires does not pass through the hooks.
    console.log(Object.keys(createRequire(import.meta.url).cache).join('\\n'));`;
};

describe('the tarball', () => {
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

  // Each line names all packages that the import loads: a new one is a cost that users pay.
  it.each([
    ['sluice', ['fastest-levenshtein', 'rxjs']],
    ['sluice/flow', ['fastest-levenshtein', 'rxjs']],
    ['sluice/operators', ['fastest-levenshtein', 'rxjs']],
    ['sluice/policies', ['fastest-levenshtein', 'rxjs']],
    ['sluice/market', ['fp-ts', 'io-ts']],
  ])('%s loads no package but %j', (subpath, packages) => {
    const { output } = installed.node('loaded.js', printLoaded(subpath));
    const loaded = output
      .split('\n')
      .flatMap((path) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
    expect([...new Set(loaded)].filter((name) => name !== 'sluice' && !packages.includes(name))).toEqual([]);
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

describe('a program in one file', () => {
  const database = freshDatabase();

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
