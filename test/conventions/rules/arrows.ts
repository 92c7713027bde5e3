import { posix } from 'node:path';
import { type Files, lineAt } from '../repository.js';
import { importsOf, parse } from '../syntax.js';

/** Rooms that know nothing of RxJS pipelines: what everything above stands on. */
const GROUND = ['primitives', 'failures', 'contracts'];
const CORE = [...GROUND, 'market', 'flow', 'policies'];
const SHELVES = [...CORE, 'disk', 'operators', 'postgres', 'files', 'sources', 'sinks', 'dead-letters'];

/**
 * What a folder of src may import besides itself, from the ground floor up. `src/index.ts` is the face and may hand on
 * anything that a program can use in production; the face of a folder may hand on what users look for there.
 */
export const ARROWS: Readonly<Record<string, readonly string[]>> = {
  primitives: [],
  failures: [],
  contracts: ['primitives', 'failures'],
  market: ['primitives', 'contracts'],
  disk: ['primitives', 'failures'],
  policies: ['primitives', 'failures'],
  flow: ['primitives', 'contracts'],
  settings: ['primitives', 'failures', 'market'],
  operators: CORE,
  postgres: [...CORE, 'disk'],
  telemetry: [...CORE, 'operators'],
  sources: CORE,
  files: [...CORE, 'disk'],
  sinks: [...CORE, 'operators', 'postgres'],
  'dead-letters': [...CORE, 'operators', 'disk'],
  'sources/index.ts': ['primitives', 'sources', 'files', 'postgres'],
  'sinks/index.ts': ['sinks', 'files', 'postgres'],
  pipelines: [...SHELVES, 'telemetry', 'settings'],
  testing: [...SHELVES, 'telemetry', 'settings', 'pipelines'],
  'index.ts': [...SHELVES, 'telemetry', 'settings', 'pipelines'],
  cli: [...SHELVES, 'telemetry', 'settings', 'pipelines', 'index.ts'],
};

/** Packages that a folder may import; folders that are not named may import any that package.json declares. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  primitives: ['rxjs', 'fastest-levenshtein'],
  failures: [],
  flow: ['rxjs'],
  policies: [],
};

/** `src/operators/batch.ts` → `operators`; `src/index.ts` → `index.ts`; `src/sinks/index.ts`, a face with arrows of its own. */
function folderOf(path: string): string {
  const place = path.slice('src/'.length);
  return place in ARROWS ? place : (place.split('/')[0] ?? '');
}

interface Edge {
  readonly path: string;
  readonly line: number;
  readonly to: string;
}

function edgesOf(files: Files): Edge[] {
  return [...files].flatMap(([path, text]) =>
    importsOf(parse(path, text)).map(({ from, node }) => ({
      path,
      line: lineAt(text, node.start),
      to: from.startsWith('.') ? posix.join(posix.dirname(path), from).replace(/\.js$/, '.ts') : from,
    })),
  );
}

/** Imports against the arrows; `declared` are the packages that the package depends on. */
export function arrowProblems(src: Files, declared: readonly string[]): string[] {
  const problems: string[] = [];
  for (const { path, line, to } of edgesOf(src)) {
    const folder = folderOf(path);
    const at = `${path}:${line}`;
    const allowed = ARROWS[folder];
    if (!allowed) {
      problems.push(
        `${at}: src/${folder} has no arrows yet: say in test/conventions/rules/arrows.ts what it may import`,
      );
    } else if (to.startsWith('src/')) {
      const target = to.split('/')[1] ?? '';
      if (target !== folder && !allowed.includes(target)) {
        problems.push(
          `${at}: ${folder} must not know ${target} (it may import ${allowed.join(', ') || 'nothing else'})`,
        );
      }
      if (!src.has(to)) problems.push(`${at}: there is no ${to}`);
    } else if (to.startsWith('.') || /^(test|examples|bench|marble-tests)\//.test(to)) {
      problems.push(`${at}: src must not import ${to}, which lies outside of it`);
    } else if (to.startsWith('rxjs/internal') || to.startsWith('rxjs/dist')) {
      problems.push(`${at}: ${to} is not public: import from 'rxjs'`);
    } else if (to === 'sluice' || to.startsWith('sluice/')) {
      problems.push(`${at}: src imports itself by relative path, not as ${to}`);
    } else if (!to.startsWith('node:')) {
      const name = packageOf(to);
      const packages = PACKAGES[folder];
      if (packages && !packages.includes(name)) {
        problems.push(
          `${at}: ${folder} must not import ${name} (it may import ${packages.join(', ') || 'no package'})`,
        );
      }
      if (!declared.includes(name)) problems.push(`${at}: ${name} is neither a dependency nor a peer of the package`);
    } else if (folder in PACKAGES || folder === 'operators') {
      problems.push(`${at}: ${folder} must not import ${to}: it runs wherever RxJS does`);
    }
  }
  return problems;
}

/** Packages that every user of this one installs and nothing of it imports. Types count for the package they describe. */
export function unusedPackages(src: Files, declared: readonly string[]): string[] {
  const used = new Set(edgesOf(src).map(({ to }) => packageOf(to)));
  return declared
    .filter((name) => !used.has(name.replace(/^@types\//, '')))
    .map((name) => `package.json: nothing in src imports ${name}: it is a devDependency, if anything`);
}

/** `@electric-sql/pglite/node-postgres` → `@electric-sql/pglite`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Each cycle of imports once, types included, as the files along it. */
export function importCycles(src: Files): string[] {
  const targets = new Map<string, string[]>();
  for (const { path, to } of edgesOf(src)) if (src.has(to)) targets.set(path, [...(targets.get(path) ?? []), to]);

  const cycles = new Set<string>();
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      const cycle = trail.slice(start);
      // Turned so that the same cycle reads the same wherever it was entered.
      const first = cycle.indexOf([...cycle].sort()[0] ?? path);
      const turned = [...cycle.slice(first), ...cycle.slice(0, first)];
      cycles.add([...turned, turned[0]].join(' → '));
      return;
    }
    if (done.has(path)) return;
    trail.push(path);
    for (const to of targets.get(path) ?? []) visit(to);
    trail.pop();
    done.add(path);
  };
  for (const path of src.keys()) visit(path);
  return [...cycles];
}
