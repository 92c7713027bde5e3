/**
 * What an import costs, by subpath.
 *
 * Method. Each import runs in a fresh process that does nothing else, ten times, in turns so that a slow spell of the machine
 * hits all of them alike. The CPU time of the import alone is taken, start of Node excluded; the least of the runs is the
 * figure to compare, the median shows the noise. Modules are counted in one more process, for counting slows the import.
 *
 * `rootToRxjs` is (`import 'sluice'` less 60 ms) divided by `import 'rxjs'`: at most 1.3 is asked for.
 */
import { readFileSync } from 'node:fs';
import { runInChild } from './report/child.js';
import { median, printTable, rounded } from './report/table.js';

const RUNS = 10;
const ALLOWANCE_MS = 60;
const TIMED = new URL('./imports/timed.js', import.meta.url);
const COUNTED = new URL('./imports/counted.js', import.meta.url);

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies: Readonly<Record<string, string>>;
};
const subpaths = Object.keys(manifest.exports)
  .filter((subpath) => !subpath.endsWith('.json'))
  .map((subpath) => `sluice${subpath.slice(1)}`);
const imports = ['rxjs', ...subpaths];

const times = new Map<string, number[]>(imports.map((name) => [name, []]));
for (let run = 0; run < RUNS; run++) {
  for (const [name, figures] of times) figures.push((await runInChild<{ cpuMs: number }>(TIMED, [name])).cpuMs);
}

const rows: string[][] = [];
const leastMs = (name: string) => Math.min(...(times.get(name) ?? []));
for (const name of imports) {
  const { modules, packages } = await runInChild<{ modules: number; packages: string[] }>(COUNTED, [name]);
  rows.push([
    name,
    leastMs(name).toFixed(0),
    median(times.get(name) ?? []).toFixed(0),
    String(modules),
    packages.filter((one) => one in manifest.dependencies).join(' '),
  ]);
}
printTable(['import', 'least ms', 'median ms', 'modules', 'dependencies'], rows);

const rootMs = leastMs('sluice');
const rxjsMs = leastMs('rxjs');
console.log(
  `import 'sluice': ${rootMs.toFixed(0)} ms; allowed 1.3 x ${rxjsMs.toFixed(0)} + ${ALLOWANCE_MS} = ${(1.3 * rxjsMs + ALLOWANCE_MS).toFixed(0)} ms`,
);
console.log(
  JSON.stringify({
    rootToRxjs: rounded(Math.max(0, rootMs - ALLOWANCE_MS) / rxjsMs, 3),
    rootMs: rounded(rootMs, 1),
    rxjsMs: rounded(rxjsMs, 1),
  }),
);
