import { concat, defer, EMPTY, tap } from 'rxjs';
import type { Sink } from '../../../contracts/sink.js';
import type { LetterFilter } from '../../../dead-letters/deadLetter.js';
import { replayDeadLetters } from '../../../dead-letters/replayDeadLetters.js';
import type { RunOutcome } from '../../../operators/running/runReport.js';
import { run } from '../../../pipelines/run.js';
import { CircuitBreaker } from '../../../policies/circuitBreaker.js';
import { recordSink } from '../../../postgres/tableSink.js';
import type { CommandContext } from '../../commandContext.js';
import { showProgress } from '../../progress.js';
import { type StoreOptions, withStore } from '../../withStore.js';
import type { LetterOptions } from './letterOptions.js';
import { type Census, NO_REPLAYS, type ReplayCounts } from './replayResult.js';
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

/** Replays one kind after the other until all letters are settled or a signal asks to stop; writes in flight are finished. */
export function replayToStore(
  context: CommandContext,
  folder: string,
  filter: LetterFilter,
  census: Census,
  options: ReplayOptions,
): Promise<ReplayCounts & { readonly outcome: RunOutcome }> {
  const { terminal } = context;
  const { rate, maxReplays, maxAttempts = maxReplays, limit = Number.POSITIVE_INFINITY } = options;
  return withQueue(context, folder, (queue) =>
    withStore(context, options, async ({ pool }) => {
      const { retry, breaker: guard } = context.settings();
      // All tables are in one database, so all kinds share its breaker.
      const breaker = new CircuitBreaker(guard, 'sluice dlq replay');
      const progress = showProgress(terminal.stderr, census.meant.items);
      const onSignal = () => progress.say('stopping after the current writes; press Ctrl-C again to stop sooner');
      terminal.signals.on('SIGINT', onSignal);
      let counts: ReplayCounts = NO_REPLAYS;
      const passes = census.passes.map(({ kind, reason }) =>
        defer(() => {
          const before = counts;
          const left = limit - before.letters;
          if (left <= 0) return EMPTY;
          return replayDeadLetters(queue, {
            // A letter only claims what it holds; its sink rejects anything else.
            sink: recordSink('dlq replay', kind, pool) as Sink<unknown>,
            filter: { ...filter, kind, ...(reason === undefined ? {} : { reason }) },
            policies: { retry, breaker, timeoutMs: WRITE_TIMEOUT_MS },
            maxReplays: maxAttempts,
            ...(Number.isFinite(left) ? { limit: left } : {}),
            ...(rate === undefined ? {} : { pace: { rate } }),
          }).pipe(
            tap((now) => {
              counts = plus(before, now);
              progress.update(counts.items, counts.failedAgain);
            }),
          );
        }),
      );
      try {
        const { outcome } = await run(concat(...passes), { emitter: terminal.signals });
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

function plus(a: ReplayCounts, b: ReplayCounts): ReplayCounts {
  const names = Object.keys(NO_REPLAYS) as (keyof ReplayCounts)[];
  return Object.fromEntries(names.map((name) => [name, a[name] + b[name]])) as typeof NO_REPLAYS;
}
