import { concat, defer, EMPTY, tap } from 'rxjs';
import type { Sink } from '../../../contracts/sink.js';
import type { LetterFilter } from '../../../dead-letters/deadLetter.js';
import { replayDeadLetters } from '../../../dead-letters/replayDeadLetters.js';
import type { RunObserver } from '../../../operators/running/runObserver.js';
import type { RunOutcome } from '../../../operators/running/runReport.js';
import { run } from '../../../pipelines/run.js';
import { CircuitBreaker } from '../../../policies/circuitBreaker.js';
import { recordSink } from '../../../postgres/tableSink.js';
import { oneLine } from '../../../primitives/oneLine.js';
import type { CommandContext } from '../../commandContext.js';
import { formatError } from '../../formatError.js';
import { showProgress } from '../../progress.js';
import { type StoreOptions, withStore } from '../../withStore.js';
import { type Destination, type DestinationChoice, destinationOf } from './destination.js';
import type { LetterOptions } from './letterOptions.js';
import { loadMend, loadSink } from './loadModule.js';
import { type Census, NO_REPLAYS, type ReplayCounts } from './replayResult.js';
import { withQueue } from './withQueue.js';

export interface ReplayOptions extends LetterOptions, StoreOptions, DestinationChoice {
  readonly dryRun?: true;
  readonly rate?: number;
  readonly limit?: number;
  readonly maxReplays: number;
  readonly maxAttempts?: number;
  readonly json?: true;
}

type Replayed = ReplayCounts & { readonly outcome: RunOutcome };

const WRITE_TIMEOUT_MS = 30_000;

/** Replays one destination after the other until all letters are settled or a signal asks to stop; writes in flight are finished. */
export async function replayLetters(
  context: CommandContext,
  folder: string,
  filter: LetterFilter,
  census: Census,
  options: ReplayOptions,
): Promise<Replayed> {
  const { cwd } = context.terminal;
  const mend = options.mend === undefined ? undefined : await loadMend(cwd, options.mend);
  const own = options.sink === undefined ? undefined : await loadSink(cwd, options.sink);
  try {
    return await withQueue(context, folder, (queue) => {
      const replay = (sinkOf: SinkOf) => replayAll({ context, queue, filter, census, options, mend, sinkOf });
      if (own) return replay(() => own.sink);
      return withStore(context, options, ({ pool }) =>
        replay((destination) => tableSinkOf(destination, pool, options)),
      );
    });
  } finally {
    await own?.close();
  }
}

type Pool = Parameters<typeof recordSink>[2];
type SinkOf = (destination: Destination) => Sink<unknown>;

function tableSinkOf(destination: Destination, pool: Pool, { table: chosen }: ReplayOptions): Sink<unknown> {
  if (destination.to !== 'table') throw new Error('a destination without a table');
  const { kind, table, schema } = destination;
  const config = { table, ...(schema === undefined ? {} : { schema }) };
  // A mistyped name must not become a table. A letter only claims what it holds; its sink rejects anything else.
  return recordSink('dlq replay', kind, pool, { ...config, createTable: chosen === undefined }) as Sink<unknown>;
}

interface Work {
  readonly context: CommandContext;
  readonly queue: Parameters<Parameters<typeof withQueue>[2]>[0];
  readonly filter: LetterFilter;
  readonly census: Census;
  readonly options: ReplayOptions;
  readonly mend: Awaited<ReturnType<typeof loadMend>> | undefined;
  readonly sinkOf: SinkOf;
}

async function replayAll({ context, queue, filter, census, options, mend, sinkOf }: Work): Promise<Replayed> {
  const { terminal } = context;
  const { rate, maxReplays, maxAttempts = maxReplays, limit = Number.POSITIVE_INFINITY } = options;
  const { retry, breaker: guard, coordinator } = context.settings();
  // All tables are in one database, so all kinds share its breaker.
  const breaker = new CircuitBreaker(guard, 'sluice dlq replay');
  /** Of a write that is tried again; nothing has been settled since. */
  let failure: string | undefined;
  const progress = showProgress(terminal.stderr, census.meant.items, () =>
    failure === undefined ? '' : `; waiting, as a write failed: ${failure}`,
  );
  const observer: RunObserver = {
    draining(reason) {
      if (reason !== 'failure') progress.say('stopping after the current writes; press Ctrl-C again to stop sooner');
    },
    hurrying(_, effect) {
      const when = effect === 'end' ? 'now' : 'within a second';
      progress.say(`stopping ${when}; letters that are not written by then are kept`);
    },
  };
  let counts: ReplayCounts = NO_REPLAYS;
  const passes = census.passes.map(({ into: destination }) =>
    defer(() => {
      const before = counts;
      const left = limit - before.letters;
      if (left <= 0) return EMPTY;
      const sink = sinkOf(destination);
      const key = JSON.stringify(destination);
      return replayDeadLetters<unknown>(queue, {
        sink,
        filter: { ...filter, where: (letter) => JSON.stringify(destinationOf(letter, options)) === key },
        policies: {
          ...{ retry, breaker, timeoutMs: WRITE_TIMEOUT_MS },
          classify(error) {
            failure = oneLine(formatError(error));
            return undefined;
          },
        },
        maxReplays: maxAttempts,
        concurrency: sink.keyOf === undefined ? 1 : coordinator.workers,
        batchSize: coordinator.batchSize,
        ...(mend === undefined ? {} : { mend }),
        ...(Number.isFinite(left) ? { limit: left } : {}),
        ...(rate === undefined ? {} : { pace: { rate } }),
      }).pipe(
        tap((now) => {
          counts = plus(before, now);
          failure = undefined;
          progress.update(counts.items, counts.failedAgain);
        }),
      );
    }),
  );
  try {
    const { outcome } = await run(concat(...passes), { emitter: terminal.signals, observe: [observer] });
    return { ...counts, outcome };
  } catch (error) {
    progress.say(`before the failure: ${counts.letters} letters replayed, ${counts.written} items written`);
    throw error;
  } finally {
    progress.stop();
  }
}

function plus(a: ReplayCounts, b: ReplayCounts): ReplayCounts {
  const names = Object.keys(NO_REPLAYS) as (keyof ReplayCounts)[];
  return Object.fromEntries(names.map((name) => [name, a[name] + b[name]])) as typeof NO_REPLAYS;
}
