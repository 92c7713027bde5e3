import type { Pool } from 'pg';
import { concat, defer, type Observable } from 'rxjs';
import { map } from 'rxjs/operators';
import type { Sink } from '../../../contracts/sink.js';
import type { LetterFilter } from '../../../dead-letters/deadLetter.js';
import type { DeadLetterQueue } from '../../../dead-letters/deadLetterQueue.js';
import { replayDeadLetters } from '../../../dead-letters/replayDeadLetters.js';
import type { RunOutcome } from '../../../operators/running/runReport.js';
import { run } from '../../../pipelines/run.js';
import { CircuitBreaker } from '../../../policies/circuitBreaker.js';
import { barsSink } from '../../../sinks/barsSink.js';
import { fundamentalsSink } from '../../../sinks/fundamentalsSink.js';
import { newsSink } from '../../../sinks/newsSink.js';
import { optionsSink } from '../../../sinks/optionsSink.js';
import type { Invocation } from '../../invocation.js';
import { showProgress } from '../../progress.js';
import { type StoreOptions, withStore } from '../../withStore.js';
import type { LetterOptions } from './letterOptions.js';
import type { Census, Kind, Pass, ReplayCounts } from './replayResult.js';
import { withQueue } from './withQueue.js';

export interface ReplayOptions extends LetterOptions, StoreOptions {
  readonly dryRun?: true;
  readonly rate?: number;
  readonly limit?: number;
  readonly maxAttempts: number;
  readonly json?: true;
}

/** How long one write may take. */
const WRITE_TIMEOUT_MS = 30_000;

/** The letters of a folder say what they hold; the sink itself refuses what is not what it says. */
function sinkOf(kind: Kind, pool: Pool): Sink<unknown> {
  switch (kind) {
    case 'bar':
      return barsSink(pool) as Sink<unknown>;
    case 'option':
      return optionsSink(pool) as Sink<unknown>;
    case 'news':
      return newsSink(pool) as Sink<unknown>;
    case 'fundamental':
      return fundamentalsSink(pool) as Sink<unknown>;
  }
}

/** Replays letters until all are settled, or somebody asks to stop: then what is in hand is finished. */
export function replayToStore(
  invocation: Invocation,
  folder: string,
  filter: LetterFilter,
  census: Census,
  options: ReplayOptions,
): Promise<ReplayCounts & { readonly outcome: RunOutcome }> {
  const { terminal } = invocation;
  return withQueue(invocation, folder, (queue) =>
    withStore(invocation, options, async ({ pool }) => {
      const progress = showProgress(terminal.stderr, census.meant.items);
      const onSignal = () => progress.say('stopping: what is in hand is finished; once more to hurry');
      terminal.signals.on('SIGINT', onSignal);
      let counts: ReplayCounts = { letters: 0, items: 0, written: 0, failedAgain: 0, parked: 0 };
      const replayed$ = passesOver(invocation, queue, pool, filter, census.passes, options).pipe(
        map((now) => {
          counts = now;
          progress.update(now.items, now.failedAgain);
        }),
      );
      try {
        const { outcome } = await run(replayed$, { emitter: terminal.signals });
        return { ...counts, outcome };
      } catch (error) {
        progress.say(`replayed before it failed: ${counts.letters} letters, ${counts.written} items written`);
        throw error;
      } finally {
        terminal.signals.off('SIGINT', onSignal);
        progress.stop();
      }
    }),
  );
}

/** One kind after the other, and what they come to together. */
function passesOver(
  invocation: Invocation,
  queue: DeadLetterQueue<unknown>,
  pool: Pool,
  filter: LetterFilter,
  passes: readonly Pass[],
  { rate, maxAttempts, limit = Number.POSITIVE_INFINITY }: ReplayOptions,
): Observable<ReplayCounts> {
  const { retry, breaker: guard } = invocation.settings();
  // All tables are in one database: when it is gone, it is gone for all.
  const breaker = new CircuitBreaker(guard, 'sluice dlq replay');
  let before: ReplayCounts = { letters: 0, items: 0, written: 0, failedAgain: 0, parked: 0 };
  return concat(
    ...passes.map(({ kind, reason }) =>
      defer(() => {
        const base = before;
        const left = limit - base.letters;
        if (left <= 0) return [];
        return replayDeadLetters(queue, {
          sink: sinkOf(kind, pool),
          filter: { ...filter, kind, ...(reason === undefined ? {} : { reason }) },
          policies: { retry, breaker, timeoutMs: WRITE_TIMEOUT_MS },
          maxAttempts,
          ...(Number.isFinite(left) ? { limit: left } : {}),
          ...(rate === undefined ? {} : { pace: { rate } }),
        }).pipe(
          map((now) => {
            before = plus(base, now);
            return before;
          }),
        );
      }),
    ),
  );
}

function plus(a: ReplayCounts, b: ReplayCounts): ReplayCounts {
  return {
    letters: a.letters + b.letters,
    items: a.items + b.items,
    written: a.written + b.written,
    failedAgain: a.failedAgain + b.failedAgain,
    parked: a.parked + b.parked,
  };
}
