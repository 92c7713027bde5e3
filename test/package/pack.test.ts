import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Installed, packAndInstall } from './installed.js';

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

  it.each([
    ['NodeNext', { module: 'NodeNext', moduleResolution: 'NodeNext' }],
    ['Bundler', { module: 'ESNext', moduleResolution: 'Bundler' }],
  ])(
    'has types under moduleResolution %s, in declarations without a fault',
    (name, options) => {
      const use = subpaths()
        .map((_, index) => `export const names${index}: (keyof typeof m${index})[] = [];`)
        .join('\n');
      const { output } = installed.tsc(`types${name}.ts`, `${importAll()}\n${use}\n`, {
        ...options,
        skipLibCheck: false,
      });
      // Declarations of dependencies may have faults of their own, which are not ours to mend.
      const ours = output.split('\n').filter((line) => /^(types|node_modules\/sluice\/)|^error/.test(line));
      expect(ours).toEqual([]);
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
