import type { Validation } from 'io-ts';
import { from, type ObservableInput, type OperatorFunction } from 'rxjs';
import { DecodeError } from '../contracts/decodeError.js';
import { decodeProblems } from '../contracts/decodeProblems.js';
import { Exit } from '../flow/exit.js';
import { admit, GatedQueue } from '../flow/gatedQueue.js';
import { detachedContext, operate, subscribeInner } from '../flow/operate.js';
import { requireFunction, requireKnownOptions } from '../primitives/validate.js';

/** What checks and converts: any io-ts `Decoder<unknown, T>`. */
export interface Codec<T> {
  decode(input: unknown): Validation<T>;
}

/** A value that its codec refused. */
export interface Rejected {
  /** The value, whole, as it came. */
  readonly input: unknown;
  /** One line for a person: `price: expected number, got "abc"`. */
  readonly reason: string;
  /** The same as data: each place, what was expected, what was found. */
  readonly error: DecodeError;
}

export interface DecodeConfig {
  /**
   * Where refused values go. One that returns nothing has taken the value at once; one that returns an observable or a
   * promise has taken it when that completes, and later items wait until then.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a callback that returns nothing is what most will pass.
  readonly divertTo: (rejected: Rejected) => ObservableInput<unknown> | void;
  /** The name in topology, metrics and errors. Default `decode`. */
  readonly name?: string;
}

/**
 * Turns unknown input into typed items with a codec. What the codec refuses is diverted with a readable reason, and the
 * stream goes on.
 *
 * ```text
 * source    -1-x-2---|
 *           decode(number, { divertTo: () => letter$ })     letter$: --|
 * output    -1---2---|     (2 waits until the letter of x is written)
 * ```
 *
 * **Emits when**: an item arrives that the codec accepts.
 * **Backpressure**: its gate is closed while a diversion is under way, and while an item waits for the gate downstream.
 * **Completes when**: the source has completed, what waited has passed and the last diversion has completed.
 * **Errors when**: the source fails (after the same), when a diversion fails, when the codec or `divertTo` throws, and with
 * `BufferOverflowError` when a source that ignores the gate has 1,024 items wait.
 * **On unsubscribe**: a diversion under way is unsubscribed, and its item and those that wait count as held.
 *
 * **Delivery**: each item once, in order: decoded, or diverted. An item counts as diverted, for the reason `decode`, when its
 * diversion completes. To the dead letters:
 * `divertTo: ({ input, error }) => letters.append({ items: [input], stage: 'decode', reason: 'decode', error, attempts: 0 })`.
 *
 * **Gotchas**: a reason quotes at most 80 characters, names objects and arrays without quoting them, and hides values of
 * fields whose names look like secrets; `input` is the whole value, for the dead letters. Codecs of io-ts keep fields that
 * they do not know: use `t.exact` or `t.strict` to drop them. A source of many small items is faster when the codec
 * decodes what a message holds at once.
 *
 * @example
 * ```ts
 * import * as t from 'io-ts';
 * import { decode } from 'sluice/operators';
 * import { fromIterable } from 'sluice/sources';
 *
 * const Trade = t.type({ symbol: t.string, price: t.number });
 * fromIterable<unknown>([{ symbol: 'SPY', price: 470.1 }, { symbol: 'SPY', price: 'n/a' }])
 *   .pipe(decode(Trade, { divertTo: ({ reason }) => console.warn(reason) }))
 *   .subscribe((trade) => console.log(trade.price));
 * ```
 */
export function decode<T>(codec: Codec<T>, config: DecodeConfig): OperatorFunction<unknown, T> {
  const owner = 'decode';
  requireFunction(owner, 'the decode of its codec', codec?.decode);
  requireKnownOptions(owner, config, ['divertTo', 'name']);
  const divertTo = requireFunction(owner, 'divertTo', config.divertTo);

  return operate<unknown, T>({ kind: owner, name: config.name }, (operation) => {
    const { destination, stage } = operation;
    const exit = new Exit(operation, () => line.drain());
    let diverting = false;
    let finish: (() => void) | undefined;

    const line = new GatedQueue<unknown>({
      offer(input) {
        if (diverting || !exit.mayEmit()) return false;
        const result = codec.decode(input);
        if (result._tag === 'Right') {
          stage.out += 1;
          destination.next(result.right);
          return true;
        }
        const error = new DecodeError(decodeProblems(result.left));
        const diversion = divertTo({ input, reason: error.message, error });
        if (diversion === undefined) stage.divert(owner, 1);
        else divert(diversion);
        return true;
      },
      isReady: () => !diverting,
      fail: (error) => destination.error(error),
    });

    const divert = (diversion: ObservableInput<unknown>) => {
      const diversion$ = from(diversion);
      diverting = true;
      line.regulate();
      subscribeInner(diversion$, detachedContext(operation), {
        next() {},
        complete() {
          diverting = false;
          stage.divert(owner, 1);
          line.drain();
          endIfIdle();
        },
      });
    };

    const endIfIdle = () => {
      if (!diverting) finish?.();
    };

    const endWith = (end: () => void) =>
      line.end(() => {
        finish = end;
        endIfIdle();
      });

    return {
      gate: line.gate,
      held: () => line.length + (diverting ? 1 : 0),
      next(input) {
        stage.in += 1;
        admit(line, input, operation, endWith);
      },
      error: (error) => endWith(() => destination.error(error)),
      complete: () => endWith(() => destination.complete()),
    };
  });
}
