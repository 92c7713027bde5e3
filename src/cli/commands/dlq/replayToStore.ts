import { concat, defer, type Observable } from 'rxjs';
import { map } from 'rxjs/operators';
import type { Sink } from '../../../contracts/sink.js';
import type { LetterFilter } from '../../../dead-letters/deadLetter.js';
import type { DeadLetterQueue } from '../../../dead-letters/deadLetterQueue.js';
import { replayDeadLetters } from '../../../dead-letters/replayDeadLetters.js';
import type { RunOutcome } from '../../../operators/running/runReport.js';
import { run } from '../../../pipelines/run.js';
import { CircuitBreaker } from '../../../policies/circuitBreaker.js';
import type { Pool } from '../../../postgres/pool.js';
import { recordSink } from '../../../postgres/recordSink.js';
import type { CommandContext } from '../../commandContext.js';
import { showProgress } from '../../progress.js';
import { type StoreOptions, withStore } from '../../withStore.js';
import type { LetterOptions } from './letterOptions.js';
import { type Census, NO_REPLAYS, type Pass, type ReplayCounts } from './replayResult.js';
import { withQueue } from './withQueue.js';

export interface ReplayOptions extends LetterOptions, StoreOptions {
  readonly dryRun?: true;
  readonly rate?: number;
  readonly limit?: number;
  readonly maxReplays: number;
  readonly maxAttempts?: number;
  readonly json?: true;
}

const WRITE_TIMEOUT_MS = 30_000;

/** Replays letters until all are settled or a signal asks to stop; writes in flight are finished. */
export function replayToStore(
  context: CommandContext,
  folder: string,
  filter: LetterFilter,
  census: Census,
  options: ReplayOptions,
): Promise<ReplayCounts & { readonly outcome: RunOutcome }> {
  const { terminal } = context;
  return withQueue(context, folder, (queue) =>
    withStore(context, options, async ({ pool }) => {
      const progress = showProgress(terminal.stderr, census.meant.items);
      const onSignal = () => progress.say('stopping after the current writes; press Ctrl-C again to stop sooner');
      terminal.signals.on('SIGINT', onSignal);
      let counts: ReplayCounts = NO_REPLAYS;
      const replayed$ = passesOver(context, queue, pool, filter, census.passes, options).pipe(
        map((now) => {
          counts = now;
          progress.update(now.items, now.failedAgain);
        }),
      );
      try {
        const { outcome } = await run(replayed$, { emitter: terminal.signals });
        return { ...counts, outcome };
      } catch (error) {
        progress.say(`before the failure: ${counts.letters} letters replayed, ${counts.written} items written`);
        throw error;
      } finally {
        terminal.signals.off('SIGINT', onSignal);
        progress.stop();
      }
    }),
  );
}

/** Replays one kind after the other and emits the running total. */
function passesOver(
  context: CommandContext,
  queue: DeadLetterQueue<unknown>,
  pool: Pool,
  filter: LetterFilter,
  passes: readonly Pass[],
  { rate, maxReplays, maxAttempts = maxReplays, limit = Number.POSITIVE_INFINITY }: ReplayOptions,
): Observable<ReplayCounts> {
  const { retry, breaker: guard } = context.settings();
  // All tables are in one database, so all kinds share its breaker.
  const breaker = new CircuitBreaker(guard, 'sluice dlq replay');
  let before: ReplayCounts = NO_REPLAYS;
  return concat(
    ...passes.map(({ kind, reason }) =>
      defer(() => {
        const base = before;
        const left = limit - base.letters;
        if (left <= 0) return [];
        return replayDeadLetters(queue, {
          // A letter only claims what it holds; its sink rejects anything else.
          sink: recordSink('dlq replay', kind, pool) as Sink<unknown>,
          filter: { ...filter, kind, ...(reason === undefined ? {} : { reason }) },
          policies: { retry, breaker, timeoutMs: WRITE_TIMEOUT_MS },
          maxReplays: maxAttempts,
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
  const names = Object.keys(NO_REPLAYS) as (keyof ReplayCounts)[];
  return Object.fromEntries(names.map((name) => [name, a[name] + b[name]])) as typeof NO_REPLAYS;
}
