import { asyncScheduler, type Observable, type SchedulerLike } from 'rxjs';
import type { Sink } from '../contracts/sink.js';
import { gatedSource } from '../flow/gatedSource.js';
import { WRITE_POLICIES, type WritePolicies, writerSettings } from '../operators/writing/writePolicies.js';
import {
  requireBoolean,
  requireDuration,
  requireFunction,
  requireInteger,
  requireKnownOptions,
  requireNumber,
} from '../primitives/validate.js';
import { type LetterFilter, requireFilter } from './deadLetter.js';
import { type DeadLetterQueue, sharedStoreOf } from './deadLetterQueue.js';
import type { ReplayProgress } from './replayProgress.js';
import { ReplayRun } from './replayRun.js';

export interface ReplayDeadLettersConfig<T> {
  /** Where the items go. The same sink as that of the pipeline, as a rule; there is no default. */
  readonly sink: Sink<T>;
  /** How each letter is written, as for `writeTo()`. What fails for good becomes a new letter. Default: as `writeTo()`. */
  readonly policies?: Omit<WritePolicies<T>, 'deadLetters' | 'concurrency'>;
  /** Which letters. Default: all that are open. */
  readonly filter?: Omit<LetterFilter, 'state'>;
  /** At most `rate` items (above 0) in `perMs` milliseconds (above 0, default 1,000), evenly. Default: as fast as it goes. */
  readonly pace?: { readonly rate: number; readonly perMs?: number };
  /** Only counts what would be sent, and changes nothing. Default false. */
  readonly dryRun?: boolean;
  /** How many replays of a letter may fail before it is parked. Integer of at least 1, default 5. */
  readonly maxAttempts?: number;
  /** How many letters are written at a time. Integer of at least 1, default 1, which keeps their order. */
  readonly concurrency?: number;
  /** How many letters are sent at most. Integer of at least 1, default no limit. */
  readonly limit?: number;
  /** The clock and timers of `pace`. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/**
 * Sends the letters that are open now through `writeTo()` to a sink, oldest first, and removes each when its items are
 * written. What arrives meanwhile is left for the next replay.
 *
 * ```text
 * letters     a b c                 b holds an item that the sink refuses
 *             replayDeadLetters()
 * progress    --a--b--c|            after a and c: removed; after b: removed, the bad item in a new letter
 * ```
 *
 * **Emits when**: letters are settled, and that is durable; once at least.
 * **Backpressure**: pauses. No letter is begun while the gate is closed; progress made meanwhile is put together.
 * **Completes when**: all letters are settled. Asked to stop, it finishes those in hand.
 * **Errors when**: a write fails as `fatal`, or the queue is closed: the letters in hand stay as they are.
 * **On unsubscribe**: writes in flight are unsubscribed, their letters stay.
 *
 * **Delivery**: at least once: a crash between a commit and the removal of the letter sends its items again. Items keep their
 * `seq`.
 *
 * **Gotchas**: an attempt is on the disk before the letter is sent, so that one that kills its process is parked in the end
 * too. During an outage every letter fails: give `policies` a breaker, which waits.
 *
 * @example
 * ```ts
 * import { lastValueFrom } from 'rxjs';
 * import { openDeadLetters, replayDeadLetters } from 'sluice/dead-letters';
 * import { memorySink } from 'sluice/sinks';
 *
 * const queue = await openDeadLetters<number>('.dlq', { pipeline: 'numbers' });
 * const { written, remaining } = await lastValueFrom(replayDeadLetters(queue, { sink: memorySink<number>() }));
 * console.log(`${written} items written, ${remaining} letters not looked at`);
 * await queue.close();
 * ```
 */
export function replayDeadLetters<T>(
  queue: DeadLetterQueue<T>,
  config: ReplayDeadLettersConfig<T>,
): Observable<ReplayProgress> {
  const owner = 'replayDeadLetters';
  requireKnownOptions(owner, config, [
    'sink',
    'policies',
    'filter',
    'pace',
    'dryRun',
    'maxAttempts',
    'concurrency',
    'limit',
    'scheduler',
  ]);
  const shared = sharedStoreOf(owner, queue);
  const { sink, policies = {}, filter = {}, pace } = config;
  requireFunction(owner, 'the write of its sink', sink?.write);
  const known = Object.keys(WRITE_POLICIES).filter((option) => option !== 'deadLetters' && option !== 'concurrency');
  requireKnownOptions(`${owner}: policies`, policies, known);
  writerSettings(`${owner}: policies`, policies);
  requireKnownOptions(`${owner}: filter`, filter, ['ids', 'stage', 'reason', 'kind', 'from', 'to']);
  requireFilter(owner, filter);
  const scheduler = config.scheduler ?? asyncScheduler;
  const settings = {
    sink,
    policies,
    filter,
    msAnItem: pace === undefined ? 0 : msAnItem(`${owner}: pace`, pace),
    dryRun: requireBoolean(owner, 'dryRun', config.dryRun ?? false),
    maxAttempts: requireInteger(owner, 'maxAttempts', config.maxAttempts ?? 5),
    concurrency: requireInteger(owner, 'concurrency', config.concurrency ?? 1),
    limit: config.limit === undefined ? Number.POSITIVE_INFINITY : requireInteger(owner, 'limit', config.limit),
    scheduler,
  };
  // Asked to stop, it ends by itself: what is in hand is finished.
  return gatedSource<ReplayProgress>({ name: owner, scheduler, stops: false }, (outlet) => {
    const run = new ReplayRun<T>(shared, settings, outlet);
    void run.start();
    return () => run.cancel();
  });
}

function msAnItem(owner: string, pace: { readonly rate: number; readonly perMs?: number }): number {
  requireKnownOptions(owner, pace, ['rate', 'perMs']);
  const rate = requireNumber(owner, 'rate', pace.rate, Number.MIN_VALUE, Number.MAX_VALUE);
  return requireDuration(owner, 'perMs', pace.perMs ?? 1_000, Number.MIN_VALUE) / rate;
}
