import { dirname } from 'node:path';
import { defer } from 'rxjs';
import type { Sink, WriteReceipt } from '../contracts/sink.js';
import { AppendFile } from '../disk/appendFile.js';
import { isMissing, nodeDisk } from '../disk/disk.js';
import { errnoText } from '../failures/errno.js';
import { messageOf } from '../primitives/messageOf.js';
import { boolean, func, type OptionsOf, readArgument, readOptions, text } from '../primitives/options.js';
import { NdjsonError } from './ndjsonError.js';

export interface NdjsonSinkConfig<T> {
  /** Sync each batch to the disk, so that a written batch survives a crash of the machine. Default false. */
  readonly fsync?: boolean;
  /** The key of an item, for lanes: items with the same key are written in order. Default: no keys. */
  readonly keyOf?: (item: T) => string | number;
  /** The name in metrics, errors and the report. Default `ndjson`. */
  readonly name?: string;
}

const OPTIONS = {
  fsync: boolean().default(false),
  keyOf: func(),
  name: text().default('ndjson'),
} satisfies OptionsOf<NdjsonSinkConfig<unknown>>;

/**
 * Appends items to a file, one line of JSON per item and one write per batch. Creates the file and its folder, for
 * their owner alone (modes 0600 and 0700); a file that exists keeps its mode. A torn last line, as a crash leaves it, is ended
 * first, so that it stays on a line of its own.
 *
 * ```text
 * batches   --[a b]----[c]--
 * file      ---a\nb\n---c\n-
 * receipts  -----2-------1--
 * ```
 *
 * **Emits when**: the system has accepted the batch, with `fsync` the disk: one receipt with the number of lines.
 * **Backpressure**: batches of several lanes are written one after the other.
 * **Completes when**: its batch is written, after the receipt.
 * **Errors when**: an item is not JSON, or the file cannot be written (`NdjsonError`): nothing of the batch is left in the
 * file, and the sink can be used again.
 * **On unsubscribe**: a write in flight is finished.
 *
 * **Delivery**: at least once: a batch that is written again is in the file again. A reader of the file must skip lines that
 * are not JSON, because a crash can leave one.
 *
 * **Gotchas**: JSON has no NaN and no Infinity: they are written as `null`. One file has one sink: what others append while a
 * write fails is cut off with it.
 *
 * @example
 * ```ts
 * import { ndjsonSink, sinkSubscriber } from 'sluice/sinks';
 * import { synthetic } from 'sluice/sources';
 *
 * const writer = sinkSubscriber(ndjsonSink('out/bars.ndjson', { fsync: true }));
 * synthetic({ count: 1_000, seed: 7 }).subscribe(writer);
 * await writer.whenFinished();
 * ```
 */
export function ndjsonSink<T>(path: string, config: NdjsonSinkConfig<T> = {}): Sink<T> {
  readArgument('ndjsonSink', 'path', path, text());
  const { fsync, keyOf, name } = readOptions('ndjsonSink', config, OPTIONS);
  // Closed between batches: a sink has no end, and a file that was moved away begins anew.
  const file = new AppendFile(nodeDisk, path, 'append', { isDurable: fsync, staysOpen: false });
  /** The writes of all lanes, in sequence: their lines must not mix. */
  let last: Promise<unknown> = Promise.resolve();

  const append = async (batch: readonly T[]): Promise<WriteReceipt> => {
    const lines = Buffer.from(toLines(path, batch));
    const turn = last.then(() => appendTo(file, lines));
    last = turn.catch(() => {});
    await turn;
    return { rows: batch.length };
  };
  return {
    name,
    ...(keyOf ? { keyOf } : {}),
    write: (batch) => defer(() => append(batch)),
  };
}

async function appendTo(file: AppendFile, lines: Uint8Array): Promise<void> {
  try {
    try {
      await file.append(lines);
    } catch (error) {
      if (!isMissing(error)) throw error;
      await nodeDisk.makeFolder(dirname(file.path));
      await file.append(lines);
    }
  } catch (cause) {
    throw new NdjsonError(file.path, errnoText(cause), { cause });
  }
}

function toLines<T>(path: string, batch: readonly T[]): string {
  let lines = '';
  for (const item of batch) {
    let line: string | undefined;
    try {
      line = JSON.stringify(item);
    } catch (cause) {
      throw notJson(path, messageOf(cause), cause);
    }
    if (line === undefined) throw notJson(path, typeof item, undefined);
    lines += `${line}\n`;
  }
  return lines;
}

/** The item is at fault; others of its batch may be fine. */
function notJson(path: string, reason: string, cause: unknown): NdjsonError {
  return new NdjsonError(path, `an item is not JSON (${reason})`, { cause, code: 'SLUICE_NDJSON_VALUE' });
}
