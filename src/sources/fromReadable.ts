import { Readable } from 'node:stream';
import type { Observable } from 'rxjs';
import { gatedSource } from '../flow/gatedSource.js';
import { ReadableTap } from '../flow/readableTap.js';
import { type SourceConfig, sourceOptions } from '../flow/sourceOptions.js';
import { func, readArgument, readOptions } from '../primitives/options.js';

export interface FromReadableConfig extends SourceConfig {}

const OPTIONS = sourceOptions('fromReadable');

/**
 * Emits the contents of a Node `Readable`, objects or chunks of bytes, and reads only while the gate downstream is open.
 *
 * ```text
 * reads      a-b-c-------------d-e
 * gate       open--closed------open
 * output     a-b-c-------------d-e|
 * ```
 *
 * **Emits when** the stream has data and the gate is open. Bytes come in the chunks that the stream reads; with an encoding
 * set they are strings.
 * **Backpressure**: pauses. While the gate is closed nothing is read, and the stream holds at most its `highWaterMark`.
 * **Completes when** the stream has ended and everything is emitted, or the pipeline is asked to drain.
 * **Errors when** the stream fails, or is closed before its end (`ERR_STREAM_PREMATURE_CLOSE`). What the stream held by then
 * is emitted first.
 * **On unsubscribe** destroys the stream.
 *
 * **Delivery**: a stream is read once. Pass a function that opens one and each subscription, so each retry, reads its own
 * from the beginning. If you pass a stream itself, its second subscription fails.
 *
 * **Gotchas**: nothing else may read from the stream or listen for `data`.
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
  if (!(readable instanceof Readable))
    readArgument(owner, 'readable (or the function that opens one)', readable, func());
  const options = readOptions(owner, config, OPTIONS);
  let taken = false;

  const open = (): Readable => {
    if (typeof readable === 'function') return readable();
    if (taken) {
      throw new Error(
        `${owner}: this Readable was subscribed before, and a stream is read once: pass a function that opens one`,
      );
    }
    taken = true;
    return readable;
  };

  return gatedSource<T>(options, (outlet) => {
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
