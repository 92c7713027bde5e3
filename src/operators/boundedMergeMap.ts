import { from, NEVER, type ObservableInput, type OperatorFunction } from 'rxjs';
import { BufferOverflowError } from '../flow/errors.js';
import { subscribeInner } from '../flow/operate.js';
import { operateQueuedCounted } from '../flow/operateQueued.js';
import { func, integer, type OptionsOf, oneOf, readArgument, readOptions, text } from '../primitives/options.js';

export interface BoundedMergeMapConfig {
  /** How many inner observables may be subscribed at once. Integer of at least 1; there is no default. */
  readonly concurrency: number;
  /**
   * What inner observables do when the pipeline drains. `'finish'`: they are not told, and run to their end. `'stop'`: sources
   * inside complete, for those that never end by themselves. Default `'finish'`.
   */
  readonly onStop?: 'finish' | 'stop';
  /** The name in topology, metrics and errors. Default `boundedMergeMap`. */
  readonly name?: string;
}

/**
 * Projects each item to an observable, a promise or an iterable, at most `concurrency` of them at a time, and merges what
 * they emit. Its queue holds up the source.
 *
 * ```text
 * source      a-b---c-|            concurrency 2; the source is paused for two frames
 * inner a     ---x|
 * inner b       ---y|
 * inner c             ---z|
 *             boundedMergeMap()
 * result      ---x-y-----z|
 * gate        o-c-o                closed while two inners are subscribed
 * ```
 *
 * **Emits when**: an inner emits and downstream is open; what inners emit meanwhile is held until it opens.
 * **Backpressure**: installs a gate, closed while `concurrency` inners are subscribed or an item waits for downstream; inners
 * that can pause find the gate downstream.
 * **Completes when**: the source and all inners have completed and everything held is delivered.
 * **Errors when**: the source has failed, after all inners; an inner fails or overflows, after the results held;
 * immediately when `project` throws.
 * **On unsubscribe**: all inners are unsubscribed; what is held is abandoned.
 *
 * **Delivery**: each item is projected once, in order of arrival; results of different inners come as they come. What is held
 * is lost with the process unless the source can redeliver.
 *
 * **Gotchas**:
 * - An inner that never completes keeps its place and holds back completion and errors of the source, and a drain unless
 *   `onStop` is `'stop'`.
 * - Inners that do not obey the gate may have 1,024 results waiting in all; one more is a `BufferOverflowError`.
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { delay } from 'rxjs/operators';
 * import { boundedMergeMap } from 'sluice/operators';
 * import { fromIterable } from 'sluice/sources';
 *
 * fromIterable(['AAPL', 'MSFT', 'IBM'])
 *   .pipe(boundedMergeMap((symbol) => of(`${symbol} loaded`).pipe(delay(10)), { concurrency: 2 }))
 *   .subscribe((line) => console.log(line));
 * ```
 */
export function boundedMergeMap<T, R>(
  project: (item: T, index: number) => ObservableInput<R>,
  config: BoundedMergeMapConfig,
): OperatorFunction<T, R> {
  const owner = 'boundedMergeMap';
  readArgument(owner, 'project', project, func());
  const { concurrency, onStop, name } = readOptions(owner, config, OPTIONS);

  return operateQueuedCounted<T, R>({ kind: owner, name, role: 'transform' }, (operation, account) => {
    const { destination, downstream, stage, mayEmit, weigh, weighOut, settleSome, flush, regulate, fail } = operation;
    // Sources inside feed this stage, which hands their items on.
    const stopping = onStop === 'finish' ? NEVER : downstream.stopping;
    const inside = { destination, downstream: { ...downstream, stage, stopping, watch: null } };
    const results = operation.results();
    let active = 0;
    /** Items that inner observables work on, less what they have made of them: an item and its result are not two. */
    let unmade = 0;
    let index = 0;

    const onResult = (result: R) => {
      if (results.push(result)) return;
      settleSome('dropped', weighOut(result), 'overflow', () => [result]);
      fail(new BufferOverflowError(stage.name, results.capacity, REMEDY));
    };

    return {
      offer(item) {
        if (active >= concurrency || !mayEmit()) return false;
        const inner = from(project(item, index++));
        let left = weigh(item);
        active += 1;
        unmade += left;
        if (active >= concurrency) regulate();
        const next = (result: R) => {
          const weight = weighOut(result);
          const made = Math.min(left, weight);
          left -= made;
          unmade -= made;
          account.added += weight - made;
          onResult(result);
        };
        let isComplete = false;
        const complete = () => {
          isComplete = true;
        };
        const subscription = subscribeInner(inner, inside, { next, error: fail, complete });
        // Its place is free only when it has released what it used.
        subscription.add(() => {
          if (!isComplete) return;
          active -= 1;
          unmade -= left;
          account.removed += left;
          flush();
        });
        return true;
      },
      isReady: () => active < concurrency,
      held: () => unmade,
      isIdle: () => active === 0,
    };
  });
}

const OPTIONS = {
  concurrency: integer({ min: 1 }).required(),
  onStop: oneOf(['finish', 'stop']).default('finish'),
  name: text(),
} satisfies OptionsOf<BoundedMergeMapConfig>;

const REMEDY =
  'An inner observable emits while downstream is closed: build it with gatedSource(), or project to fewer results.';
