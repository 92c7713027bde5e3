import { from, NEVER, type ObservableInput, type OperatorFunction } from 'rxjs';
import { BufferOverflowError } from '../flow/errors.js';
import { Exit } from '../flow/exit.js';
import { admit, GatedQueue } from '../flow/gatedQueue.js';
import { operate, subscribeInner } from '../flow/operate.js';
import { requireFunction, requireInteger, requireKnownOptions, requireOneOf } from '../primitives/validate.js';

export interface BoundedMergeMapConfig {
  /** How many inner observables may be subscribed at once. Integer of at least 1; there is no default. */
  readonly concurrency: number;
  /**
   * Whether inner observables hear that the pipeline is to drain. `'finish'`: they do not, and what is in hand is finished.
   * `'stop'`: sources inside complete, for those that never end by themselves. Default `'finish'`.
   */
  readonly onStop?: 'finish' | 'stop';
  /** The name in topology, metrics and errors. Default `boundedMergeMap`. */
  readonly name?: string;
}

/**
 * Projects each item to an observable, a promise or an iterable, at most `concurrency` of them at a time, and merges what
 * they emit. Its waiting line is the gate upstream.
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
 * **Emits when**: an inner emits and downstream is open; what inners emit meanwhile is held, and emitted when it opens.
 * **Backpressure**: installs a gate, closed while `concurrency` inners are subscribed or an item waits for downstream; inners
 * that can pause find the gate downstream.
 * **Completes when**: the source and all inners have completed and everything held is delivered.
 * **Errors when**: the source has failed, after all inners; an inner fails or overflows, after the results held; `project`
 * throws, at once.
 * **On unsubscribe**: all inners are unsubscribed; what is held is abandoned.
 *
 * **Delivery**: each item is projected once, in order of arrival; results of different inners come as they come.
 *
 * **Gotchas**: an inner that never completes keeps its place, and holds back completion and errors of the source, a drain
 * too unless `onStop` is `'stop'`. An inner
 * that does not obey the gate may have 1,024 results waiting, in all; one more is a `BufferOverflowError`.
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
  requireFunction(owner, 'project', project);
  requireKnownOptions(owner, config, ['concurrency', 'onStop', 'name']);
  const concurrency = requireInteger(owner, 'concurrency', config.concurrency);
  const onStop = requireOneOf(owner, 'onStop', config.onStop ?? 'finish', ['finish', 'stop']);

  return operate({ kind: owner, name: config.name, role: 'transform' }, (operation) => {
    const { destination, downstream, stage, detach } = operation;
    const exit = new Exit(operation, () => {
      results.drain();
      waiting.drain();
      endIfIdle();
    });
    // Sources inside feed this stage, which hands their items on.
    const stopping = onStop === 'finish' ? NEVER : downstream.stopping;
    const inside = { destination, downstream: { ...downstream, stage, stopping } };
    let active = 0;
    let index = 0;
    let failed = false;
    let finish: (() => void) | undefined;

    /** Results of inner observables that do not obey the gate, such as promises. */
    const results = new GatedQueue<R>({
      offer(result) {
        if (!exit.mayEmit()) return false;
        stage.out += 1;
        destination.next(result);
        return true;
      },
      fail: (error) => destination.error(error),
    });

    const waiting = new GatedQueue<T>({
      offer(item) {
        if (active >= concurrency || failed || !exit.mayEmit()) return false;
        const inner = from(project(item, index++));
        active += 1;
        if (active >= concurrency) waiting.regulate();
        let completed = false;
        const complete = () => {
          completed = true;
        };
        const subscription = subscribeInner(inner, inside, { next: onResult, error: fail, complete });
        // Its place is free when it has let go of what it used, and not before.
        subscription.add(() => {
          if (completed) onInnerEnd();
        });
        return true;
      },
      isReady: () => active < concurrency,
      fail: (error) => destination.error(error),
    });

    const onResult = (result: R) => {
      if (results.push(result)) return;
      stage.drop('overflow');
      fail(new BufferOverflowError(stage.name, results.capacity, REMEDY));
    };

    const onInnerEnd = () => {
      active -= 1;
      waiting.drain();
      endIfIdle();
    };

    /** Nothing new begins; results that wait are delivered, and then the error. */
    const fail = (error: unknown) => {
      failed = true;
      detach();
      results.end(() => destination.error(error));
    };

    const endIfIdle = () => {
      if (finish && active === 0) results.end(finish);
    };

    const endWith = (end: () => void) =>
      waiting.end(() => {
        finish = end;
        endIfIdle();
      });

    return {
      gate: waiting.gate,
      held: () => waiting.length + active + results.length,
      next(item) {
        stage.in += 1;
        admit(waiting, item, operation, endWith);
      },
      error: (error) => endWith(() => destination.error(error)),
      complete: () => endWith(() => destination.complete()),
    };
  });
}

const REMEDY =
  'An inner observable emits while downstream is closed: build it with gatedSource(), or project to fewer results.';
