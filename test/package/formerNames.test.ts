import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../conventions/repository.js';
import { exportsOf, parse } from '../conventions/syntax.js';
import { FORMER_NAMES, GONE_NAMES } from './formerNames.js';

function exportsAt(subpath: string): Set<string> {
  const path = join(ROOT, 'src', subpath, 'index.ts');
  if (!existsSync(path)) return new Set();
  return new Set(exportsOf(parse(path, readFileSync(path, 'utf8'))).map(({ name }) => name));
}

const former = Object.entries(FORMER_NAMES).flatMap(([subpath, names]) =>
  names.split(',').map((entry) => {
    const [name = '', present = name] = entry.trim().split(' -> ');
    return { subpath, name, present };
  }),
);

describe('the names that the root used to export', () => {
  it('are all listed, each once', () => {
    const names = [...former.map(({ name }) => name), ...Object.keys(GONE_NAMES)];
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    expect(names).toHaveLength(284);
  });

  it('can be imported from the subpath that the list gives', () => {
    const lost = former.filter(({ subpath, present }) => !exportsAt(subpath).has(present));
    expect(lost.map(({ subpath, present }) => `sluice/${subpath}: ${present}`)).toEqual([]);
  });

  it('are exported by no subpath where the list says that they are gone', () => {
    const subpaths = ['', ...Object.keys(FORMER_NAMES)];
    const found = Object.keys(GONE_NAMES).filter((name) => subpaths.some((subpath) => exportsAt(subpath).has(name)));
    expect(found).toEqual([]);
  });
});
