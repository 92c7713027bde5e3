import { asyncScheduler, identity, type MonoTypeOperatorFunction, type Observable, type OperatorFunction } from 'rxjs';
import type { DeadLetters } from '../contracts/diversion.js';
import type { Sink, WriteOutcome } from '../contracts/sink.js';
import { marketEventCodec } from '../market/codecs.js';
import { KINDS, type MarketEvent, type RecordKind, type RecordOf } from '../market/recordKinds.js';
import { decode, type Rejected } from '../operators/decode.js';
import { route } from '../operators/route.js';
import { supervise } from '../operators/running/supervise.js';
import {
  type CoordinatorPolicies,
  type WriteCoordinatorConfig,
  writeCoordinator,
} from '../operators/writeCoordinator.js';
import type { Pool } from '../postgres/pool.js';
import { recordSink, type TableSinkConfig } from '../postgres/tableSink.js';
import { allUnchecked, boolean, nested, type OptionsOf, readOptions, unchecked } from '../primitives/options.js';

/** The options that all kinds share; each kind has its own name, key and table. `writeCoordinator` checks the values. */
const COORDINATOR = {
  ...allUnchecked('capacity', 'highWatermark', 'lowWatermark', 'overflow'),
  ...allUnchecked('workers', 'batchSize', 'lingerMs', 'eager'),
};

/** The same for `tableSink`. */
const TABLES = allUnchecked('schema', 'createTable', 'strategy', 'now');

export interface MarketDataToStoreConfig {
  /** The settings of each coordinator, such as `settings.coordinator`. Default: those of `writeCoordinator`. */
  readonly coordinator?: Pick<WriteCoordinatorConfig<MarketEvent>, keyof typeof COORDINATOR>;
  /** The policies of every write. Default: those of `writeCoordinator`, without dead letters. */
  readonly policies?: CoordinatorPolicies<MarketEvent>;
  /** Where the tables are, and how they are written. Default: in the connection's schema, created at the first write. */
  readonly tables?: Pick<TableSinkConfig, keyof typeof TABLES>;
  /**
   * Whether each record is checked against its model first. Set it to false for a source that has checked its records, as
   * `replayFile()` has its bars; a record of an unknown kind then fails the pipeline. Default true.
   */
  readonly check?: boolean;
}

const OPTIONS = {
  coordinator: nested(COORDINATOR),
  policies: unchecked(),
  tables: nested(TABLES),
  check: boolean().default(true),
} satisfies OptionsOf<MarketDataToStoreConfig>;

/**
 * The ready-made pipeline from records of any kind to their tables: each record is checked, routed by its `kind`, and
 * written by the coordinator of that kind, which is named after its table: `bars`, `options_snap`, `news`, `fundamentals`, `trades`,
 * `quotes` or `gaps`.
 *
 * A record that does not match its model goes to the dead letters with the field and the reason `decode`; without dead letters
 * it fails the pipeline with a `DecodeError`. A source is paused while the coordinator of its next record is full.
 *
 * Delivery, errors and backpressure are those of `writeCoordinator`. The coordinators share the connections of the pool: give it
 * one per worker that should write at the same time.
 *
 * @example
 * ```ts
 * import { loadSettings } from 'sluice/settings';
 * import { openDeadLetters } from 'sluice/dead-letters';
 * import { formatReport, marketDataToStore, run } from 'sluice/pipelines';
 * import { openStore } from 'sluice/sinks';
 * import { synthetic } from 'sluice/sources';
 *
 * const { coordinator, retry, breaker, databaseUrl, deadLetterFolder } = loadSettings();
 * const store = await openStore({ databaseUrl: databaseUrl?.reveal(), poolSize: coordinator.workers });
 * const deadLetters = await openDeadLetters(deadLetterFolder, { pipeline: 'market-data' });
 * const outcomes$ = synthetic({ count: 10_000, seed: 7 }).pipe(
 *   marketDataToStore(store.pool, { coordinator, policies: { retry, breaker, deadLetters } }),
 * );
 * console.log(formatReport(await run(outcomes$)));
 * await deadLetters.close();
 * await store.close();
 * ```
 */
export function marketDataToStore(
  pool: Pool,
  config: MarketDataToStoreConfig = {},
): OperatorFunction<unknown, WriteOutcome<MarketEvent>> {
  const owner = 'marketDataToStore';
  const { check } = readOptions(owner, config, OPTIONS);
  const { coordinator = {}, policies = {}, tables = {} } = config;

  const writer = (kind: RecordKind) => {
    // Routing has chosen the records of this kind.
    const sink = recordSink(owner, kind, pool, tables) as Sink<MarketEvent>;
    return writeCoordinator(sink, { ...coordinator, policies });
  };
  const write = Object.fromEntries(KINDS.map((kind) => [kind, writer(kind)])) as Writers;
  const checked = check
    ? // A letter holds the record as it came, even one of no known kind.
      decode(marketEventCodec, { divertTo: (policies.deadLetters as DeadLetters<unknown> | undefined) ?? refuse })
    : // The source has checked it.
      (identity as MonoTypeOperatorFunction<unknown> as OperatorFunction<unknown, MarketEvent>);
  // Without run(), a coordinator that cannot go on must stop the source of all of them.
  const supervised = supervise<WriteOutcome<MarketEvent>>({
    scheduler: policies.scheduler ?? asyncScheduler,
    branches: true,
  });
  return (events$) => events$.pipe(checked).pipe(route('kind', write), supervised);
}

type Writers = {
  readonly [K in RecordKind]: (records$: Observable<RecordOf<K>>) => Observable<WriteOutcome<MarketEvent>>;
};

function refuse({ error }: Rejected): never {
  throw error;
}
