import type { Observable, ObservableInput, OperatorFunction } from 'rxjs';
import { fanningOut } from '../flow/fanOut.js';
import { hashKey } from '../primitives/hashKey.js';
import { func, integer, type OptionsOf, readArgument, readOptions, text } from '../primitives/options.js';

export interface LanesConfig<T> {
  /** How many lanes. Integer from 1 to 4,096; there is no default. */
  readonly count: number;
  /** The key of an item: one key is always in one lane, so its order holds. Default: the next lane that is open. */
  readonly by?: ((item: T) => string | number) | undefined;
  /** The name in topology, metrics and errors; lanes are called `name[0]`, `name[1]`, … Default `lanes`. */
  readonly name?: string;
}

/** Each lane costs a chain of stages: a greater number is a mistake. */
export const MAX_LANES = 4_096;

/**
 * Divides a stream among `count` chains that work side by side, and merges what they emit. With `by`, one key is always
 * in one lane, so that what happens to it happens in order.
 *
 * ```text
 * source      b-a-b-a-|            by letter: a in lane 0, b in lane 1
 * lane 0      o-c---o              the gate of its chain
 *             lanes({ count: 2, by }, (lane$, index) => …)
 * result      b-----a-b-a-|
 * gate        o-c---o              closed while an a waits for its lane
 * ```
 *
 * **Emits when**: a lane's chain emits, at once.
 * **Backpressure**: installs a gate. It is closed while an item waits for its lane, and whatever is behind that item waits
 * with it; without `by` an item waits only while all lanes are closed. Each lane obeys the gate of its own chain.
 * **Completes when**: the source has completed and so have the chains of all lanes; or all chains have, by themselves.
 * **Errors when**: the source has failed, after the chains have completed; immediately when a chain fails or `project` or `by` throws.
 * **On unsubscribe**: all chains are unsubscribed; what waits for its lane is abandoned.
 *
 * **Delivery**: each item goes to one lane, once. A chain that has ended before its source (`take(1)`) takes nothing more:
 * items of its keys are dropped, with the reason `branchEnded`.
 *
 * **Gotchas**:
 * - A slow lane slows all of them once its chain is full: give each a `boundedBuffer` if keys are uneven.
 * - A lane has one subscriber at a time: it can be retried, and for two readers there is `broadcast()`.
 *
 * @example
 * ```ts
 * import { map } from 'rxjs/operators';
 * import { batch, lanes } from 'sluice/operators';
 * import { fromIterable } from 'sluice/sources';
 *
 * const quotes = ['AAPL 1', 'MSFT 1', 'AAPL 2', 'MSFT 2'];
 * fromIterable(quotes)
 *   .pipe(
 *     lanes({ count: 2, by: (quote) => quote.slice(0, 4) }, (lane$, index) =>
 *       lane$.pipe(
 *         batch({ size: 10 }),
 *         map((items) => `lane ${index}: ${items.join(', ')}`),
 *       ),
 *     ),
 *   )
 *   .subscribe((line) => console.log(line));
 * ```
 */
export function lanes<T, R>(
  config: LanesConfig<T>,
  project: (lane$: Observable<T>, index: number) => ObservableInput<R>,
): OperatorFunction<T, R> {
  const owner = 'lanes';
  const { count, by, name } = readOptions(owner, config, OPTIONS);
  readArgument(owner, 'project', project, func());

  return fanningOut<T, R>({ kind: owner, name }, (fan) => {
    const { branches } = fan;
    let turn = -1;
    for (let index = 0; index < count; index++) {
      fan.add('lane', `${fan.name}[${index}]`, (lane$) => project(lane$, index), { worker: index });
    }
    if (by) return (item) => branches[hashKey(by(item)) % count];
    return () => {
      for (let tried = 0; tried < count; tried++) {
        turn = (turn + 1) % count;
        const branch = branches[turn]!;
        if (branch.isOpen) return branch;
      }
      return undefined;
    };
  });
}

const OPTIONS = {
  count: integer({ min: 1, max: MAX_LANES }).required(),
  by: func(),
  name: text(),
} satisfies OptionsOf<LanesConfig<unknown>>;
