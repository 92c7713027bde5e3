import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { defer } from 'rxjs';
import type { Sink, WriteReceipt } from '../model/sink.js';
import { requireFunction, requireKnownOptions } from '../policies/validate.js';
import { NdjsonError } from './ndjsonError.js';

export interface NdjsonSinkConfig<T> {
  /** Wait for the disk at each batch, so that a written batch outlives a crash of the machine. Default false. */
  readonly fsync?: boolean;
  /** The key of an item, for lanes: items with one key are written in order. Default: none. */
  readonly keyOf?: (item: T) => string | number;
  /** The name in metrics, errors and the report. Default `ndjson`. */
  readonly name?: string;
}

/**
 * Appends items to a file, one line of JSON each, a batch as one write. Makes the file and its folder.
 *
 * ```text
 * batches   --[a b]----[c]--
 * file      ---a\nb\n---c\n-
 * receipts  -----2-------1--
 * ```
 *
 * **Emits when**: the system has taken the batch, with `fsync` the disk: one receipt with the lines written.
 * **Backpressure**: batches of several lanes are written one after the other.
 * **Completes when**: its batch is written, after the receipt.
 * **Errors when**: an item is not JSON, or the file cannot be written (`NdjsonError`): nothing of the batch is left in the
 * file, and the sink can be written to again.
 * **On unsubscribe**: a write under way is finished.
 *
 * **Delivery**: at least once: a batch that is written again is in the file again.
 *
 * **Gotchas**: JSON has no NaN and no Infinity: they are written as `null`. One file has one sink: what others append
 * while a write fails is cut off with it.
 *
 * @example
 * ```ts
 * import { ndjsonSink, sinkSubscriber } from 'sluice/sinks';
 * import { synthetic } from 'sluice/sources';
 *
 * const writer = sinkSubscriber(ndjsonSink('out/bars.ndjson', { fsync: true }));
 * synthetic({ count: 1_000, seed: 7 }).subscribe(writer);
 * await writer.finished;
 * ```
 */
export function ndjsonSink<T>(path: string, config: NdjsonSinkConfig<T> = {}): Sink<T> {
  const owner = 'ndjsonSink';
  if (typeof path !== 'string' || path === '') {
    throw new RangeError(`${owner}: path must be the path of a file, got ${JSON.stringify(path)}`);
  }
  requireKnownOptions(owner, config, ['fsync', 'keyOf', 'name']);
  const keyOf = config.keyOf && requireFunction(owner, 'keyOf', config.keyOf);
  const fsync = config.fsync ?? false;
  /** The writes of all lanes, one after the other: their lines must not mix. */
  let last: Promise<unknown> = Promise.resolve();

  const append = async (batch: readonly T[]): Promise<WriteReceipt> => {
    const lines = toLines(path, batch);
    const turn = last.then(() => appendWhole(path, lines, fsync));
    last = turn.catch(() => {});
    await turn;
    return { rows: batch.length };
  };
  return {
    name: config.name ?? 'ndjson',
    ...(keyOf ? { keyOf } : {}),
    write: (batch) => defer(() => append(batch)),
  };
}

function toLines<T>(path: string, batch: readonly T[]): string {
  let lines = '';
  for (const item of batch) {
    let line: string | undefined;
    try {
      line = JSON.stringify(item);
    } catch (cause) {
      throw new NdjsonError(path, `an item is not JSON (${messageOf(cause)})`, { cause });
    }
    if (line === undefined) throw new NdjsonError(path, `an item is not JSON (${typeof item})`, { cause: undefined });
    lines += `${line}\n`;
  }
  return lines;
}

async function appendWhole(path: string, lines: string, fsync: boolean): Promise<void> {
  let file: FileHandle | undefined;
  try {
    await mkdir(dirname(path), { recursive: true });
    file = await open(path, 'a');
    const { size } = await file.stat();
    try {
      await file.appendFile(lines);
      if (fsync) await file.datasync();
    } catch (error) {
      // A full disk takes half of a batch: its torn line would spoil the next one's.
      await file.truncate(size).catch(() => {});
      throw error;
    }
  } catch (cause) {
    throw new NdjsonError(path, reasonOf(cause), { cause });
  } finally {
    await file?.close().catch(() => {});
  }
}

const REASONS: Record<string, string> = {
  EACCES: 'no permission; allow it, or choose another path',
  EPERM: 'no permission; allow it, or choose another path',
  EROFS: 'its file system is read-only; choose another path',
  ENOSPC: 'the disk is full; make room, and write again',
  EDQUOT: 'the quota of the disk is used up; make room, and write again',
  EISDIR: 'it is a folder; name a file in it',
  ENOTDIR: 'what should be its folder is a file; choose another path',
  EEXIST: 'what should be its folder is a file; choose another path',
};

function reasonOf(cause: unknown): string {
  const code = (cause as { code?: unknown } | null)?.code;
  return (typeof code === 'string' ? REASONS[code] : undefined) ?? messageOf(cause);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
