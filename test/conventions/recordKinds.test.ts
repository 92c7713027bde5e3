import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KINDS } from '../../src/market/recordKinds.js';
import { src } from './house.js';
import { ROOT } from './repository.js';
import { isNode, parse, walk } from './syntax.js';

/** The kinds of records that a file names, as a text or as a property. */
function kindsNamed(path: string, text: string): string[] {
  const named = new Set<string>();
  walk(parse(path, text), (node) => {
    const name =
      node.type === 'Literal'
        ? node.value
        : node.type === 'Property' && isNode(node.key) && node.key.type === 'Identifier'
          ? node.key.name
          : undefined;
    if ((KINDS as readonly unknown[]).includes(name)) named.add(name as string);
  });
  return [...named];
}

describe('the kinds of records', () => {
  // A provider, and what imitates one, knows the kinds that it sends.
  it('are listed in the registry and in the map of tables only', () => {
    const files = [...src].filter(([path]) => !/^src\/(providers|testing)\//.test(path));
    const lists = files.filter(([path, text]) => kindsNamed(path, text).length > 1).map(([path]) => path);
    expect(lists).toEqual(['src/market/recordKinds.ts', 'src/postgres/recordTables.ts']);
  });

  it('may grow: for a new one the compiler asks for a line in the registry and a table, and nothing else', () => {
    const folder = join(ROOT, '.build', 'new-record-kind');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    cpSync(join(ROOT, 'src'), join(folder, 'src'), { recursive: true, filter: (path) => !path.endsWith('.test.ts') });
    const registry = join(folder, 'src', 'market', 'recordKinds.ts');
    const dividend = "interface Dividend { readonly kind: 'dividend'; readonly symbol: string; readonly seq?: number }";
    const union = 'export type MarketEvent =';
    const text = readFileSync(registry, 'utf8');
    expect(text).toContain(union);
    writeFileSync(registry, `${text.replace(union, `${union} Dividend |`)}\nexport ${dividend}\n`);
    const config = { extends: '../../tsconfig.json', include: ['src'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));

    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const run = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], {
      cwd: folder,
      encoding: 'utf8',
    });
    rmSync(folder, { recursive: true, force: true });
    const files = [...`${run.stdout}${run.stderr}`.matchAll(/^(\S+)\(\d+,\d+\): error /gm)].map(([, file]) => file);
    expect([...new Set(files)].sort()).toEqual(['src/market/recordKinds.ts', 'src/postgres/recordTables.ts']);
  });
});
