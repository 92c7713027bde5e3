import { from, type MonoTypeOperatorFunction } from 'rxjs';
import type { DeadLetters, DivertReason } from '../contracts/diversion.js';
import { detachedContext, subscribeInner } from '../flow/operate.js';
import { operateQueued } from '../flow/operateQueued.js';
import { func, having, integer, type OptionsOf, readOptions, text } from '../primitives/options.js';

/** Why an item is diverted: the reason, and the error where there is one. */
export interface DivertVerdict {
  /** A short word, the same for all items of a kind: it names a counter. Default `diverted`. */
  readonly reason?: DivertReason;
  /** What was wrong with the item. Default: nothing. */
  readonly error?: unknown;
}

export interface DivertConfig<T> {
  /** Where diverted items go. An item counts as diverted when the result of `append` completes. */
  // The stream says of what type the items are: a queue for unknown items takes any.
  readonly to: DeadLetters<NoInfer<T>>;
  /**
   * Whether to divert an item: `true` (the reason is then `diverted`), a reason, or a reason with an error. Anything falsy
   * lets it pass. Called once per item.
   */
  readonly when: (item: T) => boolean | DivertReason | DivertVerdict | null | undefined;
  /** How many diversions may be under way at once. Integer of at least 1, default 64. */
  readonly concurrency?: number;
  /** The name in topology, metrics, errors and letters. Default `divert`. */
  readonly name?: string;
}

const OPTIONS = {
  to: having('append').required(),
  when: func().required(),
  concurrency: integer({ min: 1 }).default(64),
  name: text(),
} satisfies OptionsOf<DivertConfig<unknown>>;

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
 * **Errors when**: the source fails (after the same), when `when` throws or returns something that is not a reason, when `append` throws
 * or its result fails, and with `BufferOverflowError` when a source that ignores the gate has 1,024 items wait.
 * **On unsubscribe**: diversions under way are unsubscribed, and their items and those that wait count as held. Their
 * letters may have been written.
 *
 * **Delivery**: each item once: passed, or diverted. It counts as diverted when the result of `append` completes, which is
 * when its letter is durable. Items that pass keep their order, and do not wait for those diverted before them. Letters are
 * begun in the order of the items, and up to `concurrency` of them may be finished in another.
 *
 * **Gotchas**:
 * - One letter per item. In a drain, letters under way are finished.
 * - A `when` that throws is a fault of the pipeline rather than of the item: it stops the stream.
 * - While downstream is closed nothing is diverted either.
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
  const { to, when, concurrency, name } = readOptions(owner, config, OPTIONS);

  return operateQueued<T, T>({ kind: owner, name }, (operation) => {
    const { stage, mayEmit, emit, settle, weigh, flush, regulate } = operation;
    let underWay = 0;
    let itemsUnderWay = 0;

    const append = (item: T, { reason = 'diverted', error }: DivertVerdict) => {
      const letter = { items: [item], stage: stage.name, reason, error, attempts: 0 };
      stage.observer?.diverting?.(stage, letter, to);
      const letter$ = from(to.append(letter));
      const weight = weigh(item);
      underWay += 1;
      itemsUnderWay += weight;
      if (underWay >= concurrency) regulate();
      let isDurable = false;
      const subscription = subscribeInner(letter$, detachedContext(operation), {
        next() {},
        complete() {
          isDurable = true;
        },
      });
      // Its place is free only when it has released what it used.
      subscription.add(() => {
        if (!isDurable) return;
        underWay -= 1;
        itemsUnderWay -= weight;
        settle('diverted', item, reason);
        flush();
      });
    };

    return {
      offer(item) {
        if (underWay >= concurrency || !mayEmit()) return false;
        const verdict = verdictOf(when(item));
        if (verdict) append(item, verdict);
        else emit(item);
        return true;
      },
      isReady: () => underWay < concurrency,
      held: () => itemsUnderWay,
      isIdle: () => underWay === 0,
    };
  });
}

const PLAIN: DivertVerdict = {};

function verdictOf(answer: ReturnType<DivertConfig<never>['when']>): DivertVerdict | undefined {
  if (!answer) return undefined;
  if (answer === true) return PLAIN;
  if (typeof answer === 'string') return { reason: answer };
  if (typeof answer === 'object' && (answer.reason === undefined || isReason(answer.reason))) return answer;
  throw new TypeError('divert: when must return a boolean, a reason, or an object with a reason');
}

function isReason(reason: unknown): boolean {
  return typeof reason === 'string' && reason !== '';
}
