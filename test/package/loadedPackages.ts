import type { Installed } from './installed.js';

const HOOKS = `import { writeSync } from 'node:fs';
export const resolve = async (specifier, context, next) => {
  const found = await next(specifier, context);
  writeSync(1, JSON.stringify([context.parentURL, found.url]) + '\\n');
  return found;
};`;

/**
 * The packages that each import makes Node load, apart from those that they load themselves. One process imports all, and prints
 * who asked for what.
 */
export function loadedPackages(installed: Installed, specifiers: readonly string[]): Map<string, readonly string[]> {
  const { status, output } = installed.node(
    'loaded.js',
    `import { register } from 'node:module';
     register('data:text/javascript,${encodeURIComponent(HOOKS).replaceAll("'", '%27')}');
     for (const specifier of ${JSON.stringify(specifiers)}) {
       console.log(JSON.stringify([specifier, import.meta.resolve(specifier)]));
       await import(specifier);
     }`,
  );
  if (status !== 0) throw new Error(output);
  const edges = new Map<string, string[]>();
  for (const line of output.split('\n')) {
    const [from, to] = JSON.parse(line) as [string, string];
    edges.set(from, [...(edges.get(from) ?? []), to]);
  }
  return new Map(specifiers.map((specifier) => [specifier, packagesFrom(specifier, edges)]));
}

function packagesFrom(start: string, edges: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const seen = new Set([start]);
  const packages = new Set<string>();
  for (const module of seen) {
    const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(module)?.[1];
    if (name !== undefined && name !== 'sluice') packages.add(name);
    else for (const next of edges.get(module) ?? []) seen.add(next);
  }
  return [...packages].sort();
}
