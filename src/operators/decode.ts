import { from, isObservable, type ObservableInput, type OperatorFunction } from 'rxjs';
import { type Codec, codecOption, decoderOf, Refusal } from '../contracts/codec.js';
import type { DeadLetters } from '../contracts/diversion.js';
import { detachedContext, subscribeInner } from '../flow/operate.js';
import { operateQueued } from '../flow/operateQueued.js';
import { checked, type OptionsOf, readArgument, readOptions, text } from '../primitives/options.js';
import { DecodeError } from './errors/decodeError.js';

export type { Codec, Decoder } from '../contracts/codec.js';

/** A value that its codec rejected. */
export interface Rejected {
  /** The value, whole, as it came. */
  readonly input: unknown;
  /** One line for humans: `price: expected number, got "abc"`. */
  readonly reason: string;
  /** The same as data: each place, what was expected, what was found. */
  readonly error: DecodeError;
}

export interface DecodeConfig {
  /**
   * Where rejected values go: dead letters, which get a letter of each with the reason `decode`, or a function. If it returns an
   * observable or a promise, later items wait until that completes.
   *
   * A value is `diverted` once its letter is durable, or the observable of the function has completed, as that of an `append` does.
   * What a function takes otherwise is `dropped`, for the reason `decode`: nothing says that it can be had again.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a callback that returns nothing is what most will pass.
  readonly divertTo: DeadLetters<unknown> | ((rejected: Rejected) => ObservableInput<unknown> | void);
  /** The name in topology, metrics and errors. Default `decode`. */
  readonly name?: string;
}

const DIVERT_TO = checked(
  'a function, or dead letters with append',
  (value): value is object =>
    typeof value === 'function' || typeof (value as DeadLetters<unknown> | null | undefined)?.append === 'function',
);

const OPTIONS = { divertTo: DIVERT_TO.required(), name: text() } satisfies OptionsOf<DecodeConfig>;

/**
 * Turns unknown input into typed items with a codec: an io-ts decoder, or a schema of zod, valibot, arktype or any library that
 * implements Standard Schema. What the codec rejects is diverted with a readable reason, and the
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
 * **On unsubscribe**: a diversion under way is unsubscribed; its item and those that wait count as held.
 *
 * **Delivery**: each item once, in order: decoded, diverted, or dropped, both for the reason `decode`. `divertTo: deadLetters` makes
 * a letter of each rejected value, which counts as diverted when its letter is durable. What goes to a function of your own counts
 * as dropped, unless that returns an observable, which promises what a letter does: to keep the value.
 *
 * **Gotchas**:
 * - A reason quotes at most 80 characters, names objects and arrays without quoting them, and hides values of fields whose
 *   names look like secrets; `input` is the whole value, for the dead letters.
 * - Codecs of io-ts and schemas of arktype keep fields that they do not know: use `t.exact` or `t.strict`, and `'+': 'delete'`, to
 *   drop them. Those of zod and valibot drop them.
 * - A schema whose checks are asynchronous ends the stream with a `RangeError` at the first item: make those checks in a
 *   `boundedMergeMap` behind it.
 * - A source of many small items is faster when the codec decodes a whole message in one call.
 *
 * @example
 * ```ts
 * import { decode } from 'sluice/operators';
 * import { fromIterable } from 'sluice/sources';
 * import { z } from 'zod';
 *
 * const Trade = z.object({ symbol: z.string(), price: z.number() });
 * fromIterable<unknown>([{ symbol: 'SPY', price: 470.1 }, { symbol: 'SPY', price: 'n/a' }])
 *   .pipe(decode(Trade, { divertTo: ({ reason }) => console.warn(reason) }))
 *   .subscribe((trade) => console.log(trade.price));
 * ```
 */
export function decode<T>(codec: Codec<T>, config: DecodeConfig): OperatorFunction<unknown, T> {
  const owner = 'decode';
  readArgument(owner, 'codec', codec, codecOption());
  const { divertTo, name } = readOptions(owner, config, OPTIONS);
  const read = decoderOf(owner, codec);

  return operateQueued<unknown, T>({ kind: owner, name }, (operation) => {
    const { stage, mayEmit, emit, settle, weigh, flush, regulate } = operation;
    let diverting: { readonly input: unknown } | undefined;

    const divert = (input: unknown, diversion: ObservableInput<unknown>, fate: 'diverted' | 'dropped') => {
      const diversion$ = from(diversion);
      diverting = { input };
      regulate();
      subscribeInner(diversion$, detachedContext(operation), {
        next() {},
        complete() {
          diverting = undefined;
          settle(fate, input, owner);
          flush();
        },
      });
    };

    const reject = (input: unknown, error: DecodeError) => {
      if (typeof divertTo !== 'function') {
        const letter = { items: [input], stage: stage.name, reason: owner, error, attempts: 0 };
        stage.observer?.diverting?.(stage, letter, divertTo);
        divert(input, divertTo.append(letter), 'diverted');
        return;
      }
      const taken = divertTo({ input, reason: error.message, error });
      if (taken === undefined) settle('dropped', input, owner);
      else divert(input, taken, isObservable(taken) ? 'diverted' : 'dropped');
    };

    return {
      offer(input) {
        if (diverting || !mayEmit()) return false;
        const result = read(input);
        if (result instanceof Refusal) reject(input, new DecodeError(result.problems));
        else emit(result, weigh(input));
        return true;
      },
      isReady: () => !diverting,
      held: () => (diverting ? weigh(diverting.input) : 0),
      isIdle: () => !diverting,
    };
  });
}
