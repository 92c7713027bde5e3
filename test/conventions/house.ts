import { readFiles } from './repository.js';
import { type Membership, membersOf } from './rules/membership.js';

/** The folders whose members are public, and what else lies in them. */
export const OPERATORS: Membership = {
  noun: 'operator',
  folder: 'src/operators',
  docs: 'docs/operators',
  support: {},
};

export const SOURCES: Membership = {
  noun: 'source',
  folder: 'src/sources',
  docs: 'docs/sources',
  support: {
    eventLoopScheduler: 'the scheduler that sources yield on',
    syntheticBars: 'the bars that synthetic emits, as an iterable for tests and folds',
    syntheticEvents: 'records of all kinds, as an iterable; on the page of synthetic',
  },
};

export const SINKS: Membership = {
  noun: 'sink',
  folder: 'src/sinks',
  docs: 'docs/sinks',
  support: {
    handOver: 'what toAsyncIterable and toReadable have in common',
    migrationPlan: 'what migrate would do; the same function, and described on its page',
  },
};

/** Members of the folder of sinks that are none. */
export const NO_SINKS: Readonly<Record<string, string>> = {
  migrate: 'makes the tables',
  openStore: 'opens the database that sinks write to',
  sinkSubscriber: 'subscribes a sink',
  toAsyncIterable: 'a way out of a chain',
  toReadable: 'a way out of a chain',
};

export const HOUSE = [OPERATORS, SOURCES, SINKS] as const;

const inSrc = readFiles(['src'], ['.ts']);
const isTest = (path: string) => path.endsWith('.test.ts');

export const src = new Map([...inSrc].filter(([path]) => !isTest(path)));
export const programs = readFiles(['examples', 'bench'], ['.ts']);
export const tests = new Map([
  ...[...inSrc].filter(([path]) => isTest(path)),
  ...readFiles(['test', 'marble-tests'], ['.ts']),
]);
export const pages = readFiles(['.', 'docs'], ['.md']);
export const everything = new Map([...src, ...programs, ...tests, ...pages]);

/** Each public member with the file that it is in. */
export const members = new Map(HOUSE.flatMap((rule) => [...membersOf(rule, everything)]));
