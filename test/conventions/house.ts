import { readFiles } from './repository.js';
import type { PagesOf } from './rules/exportsPage.js';
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

/** A function or class outside of these folders that has a page, made of its docblock and of the types that it works with. */
export interface Reference {
  readonly name: string;
  readonly path: string;
  readonly page: string;
  /** Interfaces and classes with a table on the page: what a callback is given, what a promise gives. */
  readonly types?: readonly string[];
}

export const REFERENCES: readonly Reference[] = [
  {
    name: 'run',
    path: 'src/pipelines/run.ts',
    page: 'docs/pipelines/run.md',
    types: ['RunReport', 'RunObserver', 'RunError'],
  },
  {
    name: 'marketDataToStore',
    path: 'src/pipelines/marketDataToStore.ts',
    page: 'docs/pipelines/marketDataToStore.md',
  },
  { name: 'gatedSource', path: 'src/flow/gatedSource.ts', page: 'docs/flow/gatedSource.md', types: ['Outlet'] },
  {
    name: 'operate',
    path: 'src/flow/operate.ts',
    page: 'docs/flow/operate.md',
    types: ['OperationInfo', 'Operation', 'Handlers'],
  },
  {
    name: 'operateQueued',
    path: 'src/flow/operateQueued.ts',
    page: 'docs/flow/operateQueued.md',
    types: ['QueuedOperation', 'QueuedHandlers'],
  },
  {
    name: 'SinkError',
    path: 'src/contracts/sinkError.ts',
    page: 'docs/contracts/SinkError.md',
    types: ['Sink', 'WriteReceipt', 'WriteOutcome', 'RejectedItem', 'FailureTraits'],
  },
  {
    name: 'CircuitBreaker',
    path: 'src/policies/circuitBreaker.ts',
    page: 'docs/policies/CircuitBreaker.md',
    types: ['CircuitBreaker', 'Permit'],
  },
  {
    name: 'marketSessions',
    path: 'src/policies/marketCalendar.ts',
    page: 'docs/policies/marketSessions.md',
    types: ['MarketCalendar'],
  },
  {
    name: 'providerRouter',
    path: 'src/providers/router/providerRouter.ts',
    page: 'docs/providers/providerRouter.md',
    types: ['RouterSwitch', 'RouterFailed'],
  },
  { name: 'backfill', path: 'src/providers/backfill/backfill.ts', page: 'docs/providers/backfill.md' },
];

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

/** Where each export is explained, for the index of exports. */
export const PAGES: PagesOf = {
  byName: new Map([
    ...HOUSE.flatMap((rule) =>
      [...membersOf(rule, everything).keys()].map((name) => [name, `${rule.docs}/${name}.md`] as const),
    ),
    ...REFERENCES.map(({ name, page }) => [name, page] as const),
  ]),
  byFile: new Map([
    ...HOUSE.flatMap((rule) =>
      [...membersOf(rule, everything)].map(([name, path]) => [path, `${rule.docs}/${name}.md`] as const),
    ),
    ...REFERENCES.map(({ path, page }) => [path, page] as const),
  ]),
  byFolder: [
    ['src/failures/', 'docs/contracts/SinkError.md'],
    ['src/contracts/diversion.ts', 'docs/dead-letters.md'],
    ['src/contracts/sink', 'docs/contracts/SinkError.md'],
    ['src/contracts/gap', 'docs/gaps.md'],
    ['src/dead-letters/', 'docs/dead-letters.md'],
    ['src/policies/calendars/', 'docs/calendars.md'],
    ['src/policies/circuitBreaker', 'docs/policies/CircuitBreaker.md'],
    ['src/policies/pac', 'docs/pacing.md'],
    ['src/policies/sharedPacer', 'docs/pacing.md'],
    ['src/policies/tableRefusals', 'docs/operators/writeTo.md'],
    ['src/operators/errors/writeError', 'docs/operators/writeTo.md'],
    ['src/operators/errors/writeTimeout', 'docs/operators/writeTo.md'],
    ['src/operators/errors/circuitOpen', 'docs/operators/circuitBreaker.md'],
    ['src/operators/errors/decode', 'docs/operators/decode.md'],
    ['src/operators/errors/stale', 'docs/operators/watchdog.md'],
    ['src/operators/errors/unrouted', 'docs/operators/route.md'],
    ['src/operators/running/', 'docs/pipelines/run.md'],
    ['src/operators/writing/', 'docs/operators/writeTo.md'],
    ['src/pipelines/', 'docs/pipelines/run.md'],
    ['src/market/codecs.ts', 'docs/codecs.md'],
    ['src/market/', 'docs/records.md'],
    ['src/flow/', 'docs/backpressure.md'],
    ['src/files/', 'docs/sources/replayFile.md'],
    ['src/postgres/migrate/', 'docs/sinks/migrate.md'],
    ['src/postgres/', 'docs/sinks/openStore.md'],
    ['src/telemetry/', 'docs/telemetry.md'],
    ['src/settings/', 'docs/settings.md'],
    ['src/testing/', 'docs/testing.md'],
    ...['alpaca', 'binance', 'coinbase', 'ibkr', 'massive'].map(
      (vendor) => [`src/providers/${vendor}/`, `docs/providers/${vendor}.md`] as const,
    ),
    ['src/providers/backfill/', 'docs/providers/backfill.md'],
    ['src/providers/router/', 'docs/providers/providerRouter.md'],
    ['src/providers/', 'docs/add-a-provider.md'],
  ],
};
