import { describe, expect, it } from 'vitest';
import { everything, HOUSE, NO_SINKS, OPERATORS, SINKS } from './house.js';
import type { Files } from './repository.js';
import {
  faceProblems,
  MAX_NAMES_AT_ROOT,
  type Membership,
  membershipProblems,
  membersOf,
  operatorProblems,
  sinkProblems,
} from './rules/membership.js';

const REGISTRY = 'test/conformance/operators.ts';
const SINK_REGISTRY = 'test/conformance/sinks.ts';

describe('folder = exports = docs index', () => {
  it.each(HOUSE)('every $noun of $folder is exported, described and linked', (rule) => {
    expect(membershipProblems(rule, everything)).toEqual([]);
  });

  it('the root is a small selection of what the subpaths export', () => {
    expect(faceProblems(everything)).toEqual([]);
  });

  it('every operator is registered for conformance and has marble tests', () => {
    const registry = { path: REGISTRY, text: everything.get(REGISTRY) };
    expect(operatorProblems(membersOf(OPERATORS, everything).keys(), registry, everything)).toEqual([]);
  });
});

describe('the rule of sinks', () => {
  it('holds: every sink is registered for conformance', () => {
    const registry = { path: SINK_REGISTRY, text: everything.get(SINK_REGISTRY) };
    expect(sinkProblems(membersOf(SINKS, everything).keys(), registry, NO_SINKS)).toEqual([]);
  });

  it('fails on a sink that is not registered, on an entry of no sink, and on exemptions that are over', () => {
    const text =
      'export const sinks: Subjects = { fileSink: [subject()], diskSink: [], gone: [subject()], open: [subject()] };';
    const exempt = { open: 'opens a store', closed: 'was there' };
    expect(sinkProblems(['fileSink', 'diskSink', 'open'], { path: SINK_REGISTRY, text }, exempt)).toEqual([
      expect.stringContaining('does not register diskSink'),
      `${SINK_REGISTRY} registers gone, which is no sink`,
      `${SINK_REGISTRY} registers open, which is no sink`,
      expect.stringContaining('closed is exempt'),
    ]);
    expect(sinkProblems([], { path: SINK_REGISTRY, text: undefined }, {})).toHaveLength(1);
  });
});

describe('the rule fails on', () => {
  const rule: Membership = {
    noun: 'operator',
    folder: 'src/operators',
    docs: 'docs/operators',
    support: { table: 'the table of moves' },
  };
  const good: Readonly<Record<string, string>> = {
    'src/operators/index.ts': "export { skip, type SkipConfig } from './skip.js';",
    'src/operators/skip.ts': 'export interface SkipConfig { readonly size: number }\nexport function skip() {}',
    'src/operators/table.ts': 'export const rows = 1;',
    'src/operators/skipError.ts': 'export class SkipError extends Error {}',
    'docs/operators/skip.md': '# skip',
    'docs/README.md': '[skip](operators/skip.md)',
  };
  const check = (changes: Readonly<Record<string, string | undefined>>): string[] => {
    const files: Files = new Map(
      Object.entries({ ...good, ...changes }).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    return membershipProblems(rule, files);
  };

  it('nothing in a house in order', () => {
    expect(check({})).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, string | undefined>>, RegExp]>([
    [
      'a file without a function of its name',
      { 'src/operators/hop.ts': 'export function jump() {}' },
      /hop\.ts exports no function hop/,
    ],
    [
      'an error file without its class',
      { 'src/operators/hopError.ts': 'export class Oops extends Error {}' },
      /hopError\.ts exports no function/,
    ],
    [
      'a member that the folder does not export',
      { 'src/operators/index.ts': 'export {};' },
      /operators\/index\.ts does not export skip/,
    ],
    [
      'an exported function without a file',
      { 'src/operators/index.ts': "export { skip, leap } from './skip.js';" },
      /exports leap, which has no file/,
    ],
    ['a missing page', { 'docs/operators/skip.md': undefined }, /docs\/operators\/skip\.md is missing/],
    ['a page that is not in the index', { 'docs/README.md': '' }, /does not link operators\/skip\.md/],
    ['a page of nothing', { 'docs/operators/hop.md': '# hop' }, /hop\.md describes no operator/],
    ['support that is gone', { 'src/operators/table.ts': undefined }, /table is listed as support/],
  ])('%s', (_, changes, problem) => {
    expect(check(changes)).toContainEqual(expect.stringMatching(problem));
  });

  it('a root that no subpath covers, that takes whole rooms, or that is too large', () => {
    const types = Array.from({ length: MAX_NAMES_AT_ROOT }, (_, i) => `Type${i}`).join(', ');
    const files = new Map([
      [
        'src/index.ts',
        [
          "export { Gate, type Hidden } from './flow/gate.js';",
          "export { hop } from './operators/index.js';",
          `export type { ${types} } from './flow/types.js';`,
        ].join('\n'),
      ],
      ['src/flow/index.ts', `export { Gate } from './gate.js';\nexport type { ${types} } from './types.js';`],
      ['src/operators/index.ts', "export { hop } from './hop.js';"],
      ['src/sinks/index.ts', "export { hop } from './otherHop.js';"],
    ]);
    expect(faceProblems(files)).toEqual([
      'src/index.ts exports 83 names, and may export 80: leave some to their subpath',
      'src/sinks/index.ts exports hop of src/sinks/otherHop.ts, and another subpath that of src/operators/hop.ts',
      'src/index.ts exports Hidden of src/flow/gate.ts, which no subpath exports',
      'src/index.ts takes hop from src/operators/index.ts, which loads the whole room: name its file',
    ]);
  });

  it('an operator that is not registered or has no marble tests, and an entry of no operator', () => {
    const text = 'export const operators: Subjects = { skip: [subject({})], hop: [], gone: [subject({})] };';
    const tests = new Map([['marble-tests/skip.test.ts', '']]);
    expect(operatorProblems(['skip', 'hop'], { path: REGISTRY, text }, tests)).toEqual([
      expect.stringContaining('does not register hop'),
      'marble-tests/hop.test.ts is missing: every operator has its timing drawn in marbles',
      `${REGISTRY} registers gone, which is no operator`,
    ]);
    expect(operatorProblems([], { path: REGISTRY, text: undefined }, new Map())).toHaveLength(1);
  });
});
