import { Readable } from 'node:stream';
import type { Observable, SchedulerLike } from 'rxjs';
import { gatedSource } from '../flow/gatedSource.js';
import { ReadableTap } from '../flow/readableTap.js';
import { eventLoopScheduler } from '../primitives/eventLoopScheduler.js';
import { requireDuration, requireFunction, requireKnownOptions, requireText } from '../primitives/validate.js';

export interface FromReadableConfig {
  /** Where the source resumes after it has yielded to the event loop. Default: after one turn of the event loop. */
  readonly scheduler?: SchedulerLike;
  /**
   * How long the source may run before it lets the event loop turn, in milliseconds of the scheduler's clock. From 0,
   * default 20.
   */
  readonly yieldAfterMs?: number;
  /** The name in topology, metrics and the report. Default `fromReadable`. */
  readonly name?: string;
}

/**
 * Emits what a Node `Readable` holds, objects or chunks of bytes, and reads only while the gate downstream is open.
 *
 * ```text
 * reads      a-b-c-------------d-e
 * gate       open--closed------open
 * output     a-b-c-------------d-e|
 * ```
 *
 * **Emits when** the stream has something and the gate is open. Bytes come in the chunks the stream reads; with an
 * encoding set they are strings.
 * **Backpressure**: pauses. While the gate is closed nothing is read, and the stream holds its `highWaterMark` at most.
 * **Completes when** the stream has ended and all of it is emitted, or the pipeline is asked to stop.
 * **Errors when** the stream fails, or is closed before its end (`ERR_STREAM_PREMATURE_CLOSE`); what the stream held by
 * then is emitted first.
 * **On unsubscribe** destroys the stream.
 *
 * **Delivery**: a stream is read once. Give a function that opens one, and each subscription, so each retry, reads its
 * own from the beginning; a stream that is given itself fails its second subscription.
 *
 * **Gotchas**: nobody else may read from the stream, nor listen for `data`.
 *
 * @example
 * ```ts
 * import { createReadStream } from 'node:fs';
 * import { fromReadable } from 'sluice/sources';
 *
 * fromReadable<Buffer>(() => createReadStream('package.json'))
 *   .subscribe((chunk) => console.log(chunk.length));
 * ```
 */
export function fromReadable<T = Buffer>(
  readable: Readable | (() => Readable),
  config: FromReadableConfig = {},
): Observable<T> {
  const owner = 'fromReadable';
  if (!(readable instanceof Readable)) requireFunction(owner, 'readable (or what opens one)', readable);
  requireKnownOptions(owner, config, ['scheduler', 'yieldAfterMs', 'name']);
  const yieldAfterMs = requireDuration(owner, 'yieldAfterMs', config.yieldAfterMs ?? 20);
  const scheduler = config.scheduler ?? eventLoopScheduler;
  let taken = false;

  const open = (): Readable => {
    if (typeof readable === 'function') return readable();
    if (taken) {
      throw new Error(
        `${owner}: this Readable has been subscribed before, and a stream is read once: pass a function that opens one`,
      );
    }
    taken = true;
    return readable;
  };
  const name = requireText(owner, 'name', config.name ?? owner);

  return gatedSource<T>({ name, scheduler, yieldAfterMs }, (outlet) => {
    const tap = new ReadableTap<T>(open(), () => outlet.wake());
    outlet.pump(() => {
      const item = tap.read();
      if (item !== null) outlet.next(item);
      else if (tap.failure) outlet.error(tap.failure.error);
      else if (tap.ended) outlet.complete();
      else return false;
      return true;
    });
    return () => tap.close();
  });
}
