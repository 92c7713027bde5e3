import type { ObservableInput, OperatorFunction } from 'rxjs';
import { operate, subscribeInner } from '../flow/operate.js';
import { admit, WaitingLine } from '../flow/waitingLine.js';
import { requireFunction, requireInteger, requireKnownOptions } from '../policies/validate.js';

export interface BoundedMergeMapConfig {
  /** How many inner observables may be subscribed at once. Integer of at least 1. */
  readonly concurrency: number;
  /** The name in topology, metrics and errors. Default `boundedMergeMap`. */
  readonly name?: string;
}

export function boundedMergeMap<T, R>(
  project: (item: T, index: number) => ObservableInput<R>,
  config: BoundedMergeMapConfig,
): OperatorFunction<T, R> {
  const owner = 'boundedMergeMap';
  requireFunction(owner, 'project', project);
  requireKnownOptions(owner, config, ['concurrency', 'name']);
  const concurrency = requireInteger(owner, 'concurrency', config.concurrency);

  return operate({ kind: owner, name: config.name, role: 'transform' }, (operation) => {
    const { destination, downstream, stage } = operation;
    const gate = downstream.gate;
    let active = 0;
    let index = 0;
    let cancelWait: (() => void) | undefined;
    let finish: (() => void) | undefined;

    /** Results of inner observables that do not obey the gate, such as promises. */
    const results = new WaitingLine<R>({
      offer(result) {
        if (!gate.isOpen) {
          cancelWait ??= gate.whenOpen(onOpen);
          return false;
        }
        stage.out += 1;
        destination.next(result);
        return true;
      },
      fail: (error) => destination.error(error),
    });

    const onOpen = () => {
      cancelWait = undefined;
      results.drain();
      waiting.drain();
      endIfIdle();
    };

    const waiting = new WaitingLine<T>({
      offer(item) {
        if (active >= concurrency) return false;
        if (!gate.isOpen) {
          cancelWait ??= gate.whenOpen(onOpen);
          return false;
        }
        active += 1;
        if (active >= concurrency) waiting.regulate();
        subscribeInner(project(item, index++), operation, {
          next: (result) => admit(results, result, operation),
          complete: onInnerEnd,
        });
        return true;
      },
      isReady: () => active < concurrency,
      fail: (error) => destination.error(error),
    });

    const onInnerEnd = () => {
      active -= 1;
      waiting.drain();
      endIfIdle();
    };

    const endIfIdle = () => {
      if (finish && active === 0 && results.length === 0) results.end(finish);
    };

    const endWith = (end: () => void) =>
      waiting.end(() => {
        finish = end;
        endIfIdle();
      });

    return {
      gate: waiting.gate,
      held: () => waiting.length + active,
      next(item) {
        stage.in += 1;
        admit(waiting, item, operation, endWith);
      },
      error: (error) => endWith(() => destination.error(error)),
      complete: () => endWith(() => destination.complete()),
      finalize: () => cancelWait?.(),
    };
  });
}
