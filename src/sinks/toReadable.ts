import { Readable, type ReadableOptions } from 'node:stream';
import type { Observable } from 'rxjs';
import { boolean, integer, type OptionsOf, readOptions } from '../primitives/options.js';
import {
  HAND_OVER_OPTIONS,
  HandOver,
  type HandOverConfig,
  type HandOverSettings,
  handOverSettings,
} from './handOver.js';

export interface ToReadableConfig extends HandOverConfig {
  /** Whether items are objects. With `false` they must be strings or bytes, and are joined. Default true. */
  readonly objectMode?: boolean;
  /** How much the stream itself holds, in items or bytes. Integer of at least 0; default that of Node. */
  readonly highWaterMark?: number;
}

const OPTIONS = {
  ...HAND_OVER_OPTIONS,
  objectMode: boolean().default(true),
  highWaterMark: integer({ min: 0 }),
} satisfies OptionsOf<ToReadableConfig>;

/**
 * The items of a chain as a Node `Readable`, for `pipeline()`, an HTTP response or a file, at the pace of whoever reads.
 *
 * ```text
 * source    a-b-c-d-----------e-f-|    readAhead 2, highWaterMark 1
 * reads     !-----------------!-!-!-!
 * stream    a-----------------b-c-...
 * gate      o------c----------o-...    closed while 2 items wait
 * ```
 *
 * **Emits when**: the stream is read, or has room below its `highWaterMark` once it was read.
 * **Backpressure**: closes its gate to the source when `readAhead` items wait for the stream, and opens it when half of them are left.
 * **Completes when**: the source has completed and everything held is read (`end`); or after a drain that `stop` began.
 * **Errors when**: the source fails: the stream is destroyed with the error once everything held is read. A source that ignores the gate has more than `capacity` items wait (`BufferOverflowError`). An item
 * is `null`, which would end a stream (`TypeError`). A drain is out of time while items are held (`DrainDeadlineError`).
 * **On unsubscribe**: `destroy()` unsubscribes the source at once; what is held is abandoned, and shows as `held` to an observer.
 *
 * **Delivery**: each item once, in order. An item counts as delivered when the stream has it.
 *
 * **Gotchas**:
 * - Nothing is subscribed before the first read.
 * - Stops for no signal by itself: give `stop` an `AbortSignal`. A source that is not one of Sluice's is unsubscribed then, unless
 *   a stage stands between: put `untilStopped()` directly behind such a source.
 *
 * @example
 * ```ts
 * import { createWriteStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { createGzip } from 'node:zlib';
 * import { map } from 'rxjs';
 * import { toReadable } from 'sluice/sinks';
 * import { synthetic } from 'sluice/sources';
 *
 * const lines$ = synthetic({ count: 1_000, seed: 1 }).pipe(map((bar) => `${JSON.stringify(bar)}\n`));
 * await pipeline(toReadable(lines$, { objectMode: false }), createGzip(), createWriteStream('bars.ndjson.gz'));
 * ```
 */
export function toReadable<T>(source$: Observable<T>, config: ToReadableConfig = {}): Readable {
  const owner = 'toReadable';
  const { objectMode, highWaterMark, ...options } = readOptions(owner, config, OPTIONS);
  const settings = handOverSettings(owner, source$, options);
  return new HandOverReadable(source$, settings, {
    objectMode,
    ...(highWaterMark === undefined ? {} : { highWaterMark }),
  });
}

class HandOverReadable<T> extends Readable {
  readonly #handOver: HandOver<T>;
  #hasRoom = false;
  #failure: Error | undefined;

  constructor(source$: Observable<T>, settings: HandOverSettings, options: ReadableOptions) {
    super(options);
    const { owner } = settings;
    this.#handOver = new HandOver(source$, settings, {
      wants: () => this.#hasRoom,
      take: (item) => {
        if (item === null) throw new TypeError(`${owner}: an item is null, which would end the stream: filter it out`);
        // Before the push, which may lead to the next read.
        this.#hasRoom = false;
        if (this.push(item)) this.#hasRoom = true;
      },
      ended: (failure) => {
        if (this.destroyed) return;
        if (!failure) {
          this.push(null);
          return;
        }
        this.#failure = (failure.error ?? new Error(`${owner}: its source failed without a reason`)) as Error;
        this.#failIfRead();
      },
    });
  }

  /** A stream that is destroyed forgets what was not read. */
  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    this.#failIfRead();
    return chunk;
  }

  override _read(): void {
    this.#hasRoom = true;
    this.#handOver.ask();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#handOver.cancel();
    callback(error);
  }

  #failIfRead(): void {
    if (this.#failure && this.readableLength === 0) this.destroy(this.#failure);
  }
}
