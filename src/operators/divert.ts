import { from, type MonoTypeOperatorFunction } from 'rxjs';
import type { DeadLetters, DivertReason } from '../contracts/diversion.js';
import { Exit } from '../flow/exit.js';
import { admit, GatedQueue } from '../flow/gatedQueue.js';
import { detachedContext, operate, subscribeInner } from '../flow/operate.js';
import { requireFunction, requireInteger, requireKnownOptions } from '../primitives/validate.js';

/** Why an item is diverted: the reason, and the error where there is one. */
export interface DivertVerdict {
  /** A short word, the same for all items of a kind: it names a counter. Default `diverted`. */
  readonly reason?: DivertReason;
  /** What was the matter. Default: nothing. */
  readonly error?: unknown;
}

export interface DivertConfig<T> {
  /** Where diverted items go. An item counts as diverted when the result of `append` completes. */
  readonly to: DeadLetters<T>;
  /**
   * Whether to divert an item: `true` (the reason is then `diverted`), a reason, or a reason with an error. Anything falsy
   * lets it pass. Asked once an item.
   */
  readonly when: (item: T) => boolean | DivertReason | DivertVerdict | null | undefined;
  /** How many diversions may be under way at once. Integer of at least 1, default 64. */
  readonly concurrency?: number;
  /** The name in topology, metrics, errors and letters. Default `divert`. */
  readonly name?: string;
}

/**
 * Takes single items out of a stream and hands them to the dead letters; the others pass.
 *
 * ```text
 * source    -a-x-b---|
 *           divert({ to, when: (item) => item === 'x' })     append: ----|
 * output    -a---b---|     (b passes while the letter of x is written)
 * ```
 *
 * **Emits when**: an item arrives that `when` lets pass.
 * **Backpressure**: its gate is closed while `concurrency` diversions are under way, and while an item waits for the gate
 * downstream.
 * **Completes when**: the source has completed, what waited has passed and every diversion has completed.
 * **Errors when**: the source fails (after the same), when `when` throws or answers what is no reason, when `append` throws
 * or its result fails, and with `BufferOverflowError` when a source that ignores the gate has 1,024 items wait.
 * **On unsubscribe**: diversions under way are unsubscribed, and their items and those that wait count as held. Their
 * letters may have been written.
 *
 * **Delivery**: each item once: passed, or diverted. It counts as diverted when the result of `append` completes, which is
 * when its letter is durable. Items that pass keep their order, and do not wait for those diverted before them. Letters are
 * begun in the order of the items, and up to `concurrency` of them may be finished in another.
 *
 * **Gotchas**: one letter an item. In a drain letters under way are finished. A `when` that throws is a fault of the
 * pipeline and not of the item: it stops the stream. While downstream is closed nothing is diverted either.
 *
 * @example
 * ```ts
 * import { EMPTY } from 'rxjs';
 * import { divert } from 'sluice/operators';
 * import { fromIterable } from 'sluice/sources';
 *
 * const letters = {
 *   append({ items, reason }: { items: readonly number[]; reason: string }) {
 *     console.warn(reason, items);
 *     return EMPTY;
 *   },
 * };
 * fromIterable([470.1, -1, 470.3])
 *   .pipe(divert({ to: letters, when: (price) => price <= 0 && 'price-below-zero' }))
 *   .subscribe((price) => console.log(price));
 * ```
 */
export function divert<T>(config: DivertConfig<T>): MonoTypeOperatorFunction<T> {
  const owner = 'divert';
  requireKnownOptions(owner, config, ['to', 'when', 'concurrency', 'name']);
  const { to } = config;
  requireFunction(owner, 'the append of `to`', to?.append);
  const when = requireFunction(owner, 'when', config.when);
  const concurrency = requireInteger(owner, 'concurrency', config.concurrency ?? 64);

  return operate<T, T>({ kind: owner, name: config.name }, (operation) => {
    const { destination, stage } = operation;
    const exit = new Exit(operation, () => line.drain());
    let underWay = 0;
    let finish: (() => void) | undefined;

    const line = new GatedQueue<T>({
      offer(item) {
        if (underWay >= concurrency || !exit.mayEmit()) return false;
        const verdict = verdictOf(when(item));
        if (verdict) {
          append(item, verdict);
        } else {
          stage.out += 1;
          destination.next(item);
        }
        return true;
      },
      isReady: () => underWay < concurrency,
      fail: (error) => destination.error(error),
    });

    const append = (item: T, { reason = 'diverted', error }: DivertVerdict) => {
      const letter$ = from(to.append({ items: [item], stage: stage.name, reason, error, attempts: 0 }));
      underWay += 1;
      if (underWay >= concurrency) line.regulate();
      let isDurable = false;
      const subscription = subscribeInner(letter$, detachedContext(operation), {
        next() {},
        complete() {
          isDurable = true;
        },
      });
      // Its place is free when it has let go of what it used, and not before.
      subscription.add(() => {
        if (!isDurable) return;
        underWay -= 1;
        stage.divert(reason, 1);
        line.drain();
        endIfIdle();
      });
    };

    const endIfIdle = () => {
      if (underWay === 0) finish?.();
    };

    const endWith = (end: () => void) =>
      line.end(() => {
        finish = end;
        endIfIdle();
      });

    return {
      gate: line.gate,
      held: () => line.length + underWay,
      next(item) {
        stage.in += 1;
        admit(line, item, operation, endWith);
      },
      error: (error) => endWith(() => destination.error(error)),
      complete: () => endWith(() => destination.complete()),
    };
  });
}

const PLAIN: DivertVerdict = {};

function verdictOf(answer: ReturnType<DivertConfig<never>['when']>): DivertVerdict | undefined {
  if (!answer) return undefined;
  if (answer === true) return PLAIN;
  if (typeof answer === 'string') return { reason: answer };
  if (typeof answer === 'object' && (answer.reason === undefined || isReason(answer.reason))) return answer;
  throw new TypeError('divert: when must answer with a boolean, a reason, or an object with a reason');
}

function isReason(reason: unknown): boolean {
  return typeof reason === 'string' && reason !== '';
}
