import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { src } from './house.js';
import { ROOT } from './repository.js';
import { ARROWS, arrowProblems, floorProblems, importCycles, peerProblems, unusedPackages } from './rules/arrows.js';

const manifest = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as Record<string, Record<string, string>>;
const declared = [...Object.keys(manifest.dependencies ?? {}), ...Object.keys(manifest.peerDependencies ?? {})];

// They parse every file, which a busy machine does slowly.
describe('arrows between folders', { timeout: 120_000 }, () => {
  it('point one way', () => {
    expect(arrowProblems(src, declared)).toEqual([]);
  });

  it('lead down: each room is listed above those that it may import', () => {
    expect(floorProblems(ARROWS)).toEqual([]);
  });

  it('lead to every package that users are made to install', () => {
    // Only io-ts imports fp-ts: it is its peer.
    const imported = declared.filter((name) => name !== 'fp-ts');
    expect(unusedPackages(src, imported)).toEqual([]);
  });

  it('lead to an optional peer only once it is needed', () => {
    expect(peerProblems(src, Object.keys(manifest.peerDependenciesMeta ?? {}))).toEqual([]);
  });

  it('never go round in a circle', () => {
    expect(importCycles(src)).toEqual([]);
  });
});

describe('the rule fails on', () => {
  const problemsOf = (path: string, text: string): string[] =>
    arrowProblems(
      new Map([
        ['src/flow/gate.ts', ''],
        ['src/operators/batch.ts', ''],
        ['src/sinks/barsSink.ts', ''],
        ['src/providers/acme/stream.ts', ''],
        ['src/providers/decode/decimal.ts', ''],
        ['src/index.ts', ''],
        [path, text],
      ]),
      ['rxjs', 'pg', '@acme/client'],
    );

  it.each<[string, string, string, RegExp]>([
    [
      'flow that knows operators',
      'src/flow/a.ts',
      "import { batch } from '../operators/batch.js';",
      /flow must not know operators/,
    ],
    [
      'types that flow must not know',
      'src/flow/a.ts',
      "import type { B } from '../operators/batch.js';",
      /must not know operators/,
    ],
    ['a handing on', 'src/market/a.ts', "export { Gate } from '../flow/gate.js';", /market must not know flow/],
    [
      'a dynamic import',
      'src/operators/a.ts',
      "await import('../sinks/barsSink.js');",
      /operators must not know sinks/,
    ],
    [
      'a source that knows sinks',
      'src/sources/a.ts',
      "import { barsSink } from '../sinks/barsSink.js';",
      /sources must not know sinks/,
    ],
    [
      'policies with RxJS',
      'src/policies/a.ts',
      "import type { SchedulerLike } from 'rxjs';",
      /policies must not import rxjs/,
    ],
    ['RxJS from inside', 'src/operators/a.ts', "import { x } from 'rxjs/internal/Subscriber';", /is not public/],
    [
      'an undeclared package',
      'src/sinks/a.ts',
      "import { x } from '@acme/db/fast';",
      /@acme\/db is neither a dependency/,
    ],
    [
      'a package outside of its room',
      'src/sinks/a.ts',
      "import { Pool } from 'pg';",
      /sinks must not import pg \(postgres may\)/,
    ],
    [
      'a package that no room may import',
      'src/sinks/a.ts',
      "import { connect } from '@acme/client';",
      /sinks must not import @acme\/client \(no room may\)/,
    ],
    [
      'a venue in a pipeline',
      'src/pipelines/a.ts',
      "await import('../providers/acme/stream.js');",
      /must not know providers\/acme: a venue is reached by its own subpath/,
    ],
    [
      'a venue in another one',
      'src/providers/other/a.ts',
      "import type { S } from '../acme/stream.js';",
      /providers\/other must not know providers\/acme/,
    ],
    [
      'a registry that loads a venue before it is named',
      'src/providers/registry.ts',
      "import { s } from './acme/stream.js';",
      /providers must not know providers\/acme/,
    ],
    ['a room that knows the root', 'src/pipelines/a.ts', "import { x } from '../index.js';", /must not know index\.ts/],
    ['Node in an operator', 'src/operators/a.ts', "import { x } from 'node:timers';", /must not import node:timers/],
    ['itself by its name', 'src/sinks/a.ts', "import { batch } from 'sluice/operators';", /by relative path/],
    ['what lies outside', 'src/sinks/a.ts', "import { x } from '../../test/x.js';", /lies outside/],
    [
      'a file that is not there',
      'src/sinks/a.ts',
      "import { x } from '../operators/x.js';",
      /there is no src\/operators\/x\.ts/,
    ],
    [
      'a new folder without arrows',
      'src/engines/a.ts',
      "import { x } from '../flow/gate.js';",
      /src\/engines has no arrows/,
    ],
  ])('%s', (_, path, text, problem) => {
    expect(problemsOf(path, text)).toEqual([expect.stringMatching(problem)]);
  });

  it.each([
    ['src/sinks/a.ts', "import type { Pool } from 'pg';\nimport { b } from '../operators/batch.js';"],
    ['src/postgres/a.ts', "import { Pool } from 'pg/lib/pool.js';"],
    ['src/providers/registry.ts', "export const load = () => import('./acme/stream.js');"],
    ['src/providers/acme/a.ts', "import { decimal } from '../decode/decimal.js';"],
    [
      'src/providers/acme/index.ts',
      "import { connect } from '@acme/client';\nimport { Gate } from '../../flow/gate.js';\nexport { s } from './stream.js';",
    ],
  ])('nothing that the arrows allow in %s', (path, text) => {
    expect(problemsOf(path, text)).toEqual([]);
  });

  it('an arrow that leads up', () => {
    expect(floorProblems({ flow: [], operators: ['flow', 'sinks'], sinks: ['operators'] })).toEqual([
      'operators may import sinks, which is not listed above it',
    ]);
  });

  it('a package that nothing imports', () => {
    const files = new Map([
      ['src/sinks/a.ts', "import { x } from 'pg/lib/x';\nexport const y = () => import('@acme/db');"],
    ]);
    expect(unusedPackages(files, ['pg', '@types/pg', '@acme/db', '@types/ws', 'ws'])).toEqual([
      expect.stringContaining('imports @types/ws'),
      expect.stringContaining('imports ws'),
    ]);
  });

  it('a circle, which it names once', () => {
    const circle = new Map([
      ['src/flow/c.ts', "import './a.js';"],
      ['src/flow/a.ts', "import './b.js';"],
      ['src/flow/b.ts', "import type { C } from './c.js';"],
    ]);
    expect(importCycles(circle)).toEqual(['src/flow/a.ts → src/flow/b.ts → src/flow/c.ts → src/flow/a.ts']);
  });
});

describe('an optional peer', () => {
  const problemsOf = (text: string): string[] => peerProblems(new Map([['src/postgres/a.ts', text]]), ['pg']);

  it.each(["import pg from 'pg';", "export { Pool } from 'pg/lib/pool.js';"])('must not be loaded by %s', (text) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(/is an optional peer: load it by loadPeers\(\)/)]);
  });

  it.each([
    "import type pg from 'pg';",
    "export const load = () => import('pg');",
    "import { from } from 'pg-copy-streams';",
  ])('is not loaded by %s', (text) => expect(problemsOf(text)).toEqual([]));
});
