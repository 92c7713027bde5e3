import { asyncScheduler, type Observable } from 'rxjs';
import { gatedSource } from '../flow/gatedSource.js';
import { SINK, WRITE_POLICIES, writerSettings } from '../operators/writing/writePolicies.js';
import {
  boolean,
  duration,
  func,
  having,
  integer,
  nested,
  number,
  type OptionsOf,
  readOptions,
  unchecked,
} from '../primitives/options.js';
import { LETTER_FILTER } from './deadLetter.js';
import { type DeadLetterQueue, StoredQueue } from './deadLetterQueue.js';
import type { ReplayDeadLettersConfig, ReplayProgress } from './replayConfig.js';
import { ReplayRun } from './replayRun.js';

const OWNER = 'replayDeadLetters';

const { deadLetters: _, concurrency: __, ...POLICIES } = WRITE_POLICIES;

const PACE = {
  rate: number({ above: 0, max: Number.MAX_VALUE }).required(),
  perMs: duration({ above: 0 }).default(1_000),
} satisfies OptionsOf<NonNullable<ReplayDeadLettersConfig<unknown>['pace']>>;

const OPTIONS = {
  sink: SINK,
  policies: unchecked(),
  filter: nested(LETTER_FILTER),
  pace: nested(PACE),
  dryRun: boolean().default(false),
  maxReplays: integer({ min: 1 }).default(5),
  concurrency: integer({ min: 1 }).default(1),
  batchSize: integer({ min: 1 }).default(500),
  mend: func(),
  limit: integer({ min: 1 }).or(Number.POSITIVE_INFINITY).default(Number.POSITIVE_INFINITY),
  scheduler: having('now', 'schedule').default(asyncScheduler),
} satisfies OptionsOf<ReplayDeadLettersConfig<unknown>>;

/**
 * Sends the letters that are open now through `writeTo()` to a sink, oldest first, and removes each when its items are
 * written. Letters that arrive meanwhile are left for the next replay.
 *
 * ```text
 * letters     a b c                 b holds an item that the sink refuses
 *             replayDeadLetters()
 * progress    --a--b--c|            after a and c: removed; after b: removed, the bad item in a new letter
 * ```
 *
 * **Emits when**: letters are durably settled; at least once.
 * **Backpressure**: pauses. No letter is begun while the gate is closed; progress made meanwhile is combined.
 * **Completes when**: all letters are settled. In a drain it finishes those in flight.
 * **Errors when**: a write fails as `fatal`, or the queue is closed: the letters in flight stay as they are.
 * **On unsubscribe**: writes in flight are unsubscribed, their letters stay.
 *
 * **Delivery**: at least once: a crash between a commit and the removal of the letter sends its items again. Items keep their
 * `seq`.
 *
 * **Gotchas**: an attempt is journaled before the letter is sent, so that a letter that kills its process is parked in the end
 * as well. During an outage every letter fails: give `policies` a breaker, which waits.
 *
 * @example
 * ```ts
 * import { lastValueFrom } from 'rxjs';
 * import { openDeadLetters, replayDeadLetters } from 'sluice/dead-letters';
 * import { memorySink } from 'sluice/sinks';
 *
 * const queue = await openDeadLetters<number>('.dlq', { pipeline: 'numbers' });
 * const { written, remaining } = await lastValueFrom(replayDeadLetters(queue, { sink: memorySink<number>() }));
 * console.log(`${written} items written, ${remaining} letters left`);
 * await queue.close();
 * ```
 */
export function replayDeadLetters<T>(
  queue: DeadLetterQueue<T>,
  config: ReplayDeadLettersConfig<T>,
): Observable<ReplayProgress> {
  const log = StoredQueue.logOf(OWNER, queue);
  // What the letters hold is not known to the compiler either way.
  const read = readOptions(OWNER, config as ReplayDeadLettersConfig<unknown>, OPTIONS);
  const { pace, policies = {}, filter = {} } = read;
  readOptions(`${OWNER}: policies`, policies, POLICIES);
  writerSettings(`${OWNER}: policies`, policies);
  const settings = { ...read, policies, filter, msPerItem: pace === undefined ? 0 : pace.perMs / pace.rate };
  // In a drain it ends by itself: what is in flight is finished.
  return gatedSource<ReplayProgress>({ name: OWNER, scheduler: read.scheduler, stops: false }, (outlet) => {
    const run = new ReplayRun(log, settings, outlet);
    void run.start();
    return () => run.cancel();
  });
}
