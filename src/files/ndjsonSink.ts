import { type FileHandle, mkdir, open, truncate } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { defer } from 'rxjs';
import type { Sink, WriteReceipt } from '../contracts/sink.js';
import { errnoText } from '../failures/errno.js';
import { requireBoolean, requireFunction, requireKnownOptions, requireText } from '../primitives/validate.js';
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
 * Appends items to a file, one line of JSON each, a batch as one write. Makes the file and its folder. A torn last line,
 * as a crash leaves it, is given its end first, so that it stays on a line of its own.
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
 * **Delivery**: at least once: a batch that is written again is in the file again. Whoever reads the file after a crash has
 * to skip a line that is not JSON.
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
 * await writer.whenFinished();
 * ```
 */
export function ndjsonSink<T>(path: string, config: NdjsonSinkConfig<T> = {}): Sink<T> {
  const owner = 'ndjsonSink';
  if (typeof path !== 'string' || path === '') {
    throw new RangeError(`${owner}: path must be the path of a file, got ${JSON.stringify(path)}`);
  }
  requireKnownOptions(owner, config, ['fsync', 'keyOf', 'name']);
  const keyOf = config.keyOf && requireFunction(owner, 'keyOf', config.keyOf);
  const fsync = requireBoolean(owner, 'fsync', config.fsync ?? false);
  const name = requireText(owner, 'name', config.name ?? 'ndjson');
  const file = new LineFile(path, fsync);
  /** The writes of all lanes, one after the other: their lines must not mix. */
  let last: Promise<unknown> = Promise.resolve();

  const append = async (batch: readonly T[]): Promise<WriteReceipt> => {
    const lines = toLines(path, batch);
    const turn = last.then(() => file.append(lines));
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

/** The others of its batch may be: it is the item that is at fault. */
function notJson(path: string, reason: string, cause: unknown): NdjsonError {
  return new NdjsonError(path, `an item is not JSON (${reason})`, { cause, code: 'SLUICE_NDJSON_VALUE' });
}

/** A file to which whole lines are appended, or nothing. */
class LineFile {
  readonly #path: string;
  readonly #fsync: boolean;
  /** Whether the file is known to end in a line end. */
  #isWhole = false;

  constructor(path: string, fsync: boolean) {
    this.#path = path;
    this.#fsync = fsync;
  }

  async append(lines: string): Promise<void> {
    try {
      const made = await mkdir(dirname(this.#path), { recursive: true });
      const file = await open(this.#path, 'a');
      const size = await this.#write(file, lines, made);
      await file.close().catch(async (error: unknown) => {
        // Some file systems say only now that they have not taken it.
        await truncate(this.#path, size).catch(() => {});
        throw error;
      });
      this.#isWhole = true;
    } catch (cause) {
      this.#isWhole = false;
      throw new NdjsonError(this.#path, errnoText(cause), { cause });
    }
  }

  /** Returns the size before. Closes the file if it fails. */
  async #write(file: FileHandle, lines: string, made: string | undefined): Promise<number> {
    let size: number | undefined;
    try {
      size = (await file.stat()).size;
      const isTorn = !this.#isWhole && size > 0 && (await this.#isTorn(size));
      await file.appendFile(isTorn ? `\n${lines}` : lines);
      if (this.#fsync) {
        await file.datasync();
        if (size === 0) await syncFolders(this.#path, made);
      }
      return size;
    } catch (error) {
      // A full disk takes half of a batch: its torn line would spoil the next one's.
      if (size !== undefined) await file.truncate(size).catch(() => {});
      await file.close().catch(() => {});
      throw error;
    }
  }

  async #isTorn(size: number): Promise<boolean> {
    const file = await open(this.#path, 'r');
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
      return bytesRead === 1 && buffer[0] !== LF;
    } finally {
      await file.close();
    }
  }
}

const LF = 0x0a;

/** The name of a new file is in its folder, which has to be on the disk too, up to the one in which `made` is new. */
async function syncFolders(path: string, made: string | undefined): Promise<void> {
  // Windows does not open folders, and keeps their entries by itself.
  if (process.platform === 'win32') return;
  const top = dirname(made === undefined ? resolve(path) : resolve(made));
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (folder === top || folder === dirname(folder)) return;
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
