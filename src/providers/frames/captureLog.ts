import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { SchedulerLike } from 'rxjs';
import { AppendFile } from '../../disk/appendFile.js';
import { type Disk, withFile, withUnsyncedFolders } from '../../disk/disk.js';
import { errnoText } from '../../failures/errno.js';
import { Timer } from '../../primitives/timer.js';
import { FrameCaptureError } from './frameCaptureError.js';
import { eventLine, type HoleEvent, headerLine, type SegmentHeader } from './frameFormat.js';
import { CLOSED, OPEN, segmentName } from './segmentNames.js';

export interface CaptureLogConfig {
  readonly folder: string;
  readonly about: Omit<SegmentHeader, 'segment'>;
  readonly maxSegmentBytes: number;
  readonly maxSegmentMs: number;
  readonly maxPendingBytes: number;
  readonly disk: Disk;
  readonly scheduler: SchedulerLike;
  readonly onHole: (hole: HoleEvent) => void;
  /** The disk refuses what is written: it is tried again. */
  readonly onTrouble: (error: FrameCaptureError) => void;
}

/** How long a line may wait before it is written, in milliseconds. */
const FLUSH_AFTER_MS = 1_000;
/** How much is compressed and written at once, in characters: what compresses well, and does not stop the event loop. */
const BLOCK_CHARS = 1 << 18;
/** How long to wait after a failed write, in milliseconds. */
const RETRY_AFTER_MS = 1_000;

const compress = promisify(gzip);

/**
 * The lines of one capture on their way to the disk: compressed in blocks, each a gzip member of its own, so that a crash costs the
 * last block at most. What waits is bounded: beyond that, frames are counted, and a line says how many are missing.
 */
export class CaptureLog {
  segments = 0;
  /** What is on the disk, compressed. */
  writtenBytes = 0;
  readonly #config: CaptureLogConfig;
  readonly #disk: Disk;
  readonly #timer: Timer;
  /** From how much on it is not waited for more. */
  readonly #blockChars: number;
  #lines: string[] = [];
  #pending = 0;
  #hole: { from: number; t: number; frames: number; bytes: number } | undefined;
  #file: AppendFile | undefined;
  #fileLines = 0;
  #hasEnd = false;
  #openedAt = 0;
  #writing: Promise<void> | undefined;
  #isTroubled = false;
  #isClosing = false;

  constructor(config: CaptureLogConfig) {
    this.#config = config;
    this.#blockChars = Math.min(BLOCK_CHARS, config.maxPendingBytes / 2);
    this.#disk = withUnsyncedFolders(config.disk, () => {});
    this.#timer = new Timer(config.scheduler, () => this.#begin());
  }

  /** Whether a frame that comes now has a place. */
  get isFull(): boolean {
    if (!this.#hole) return this.#pending >= this.#config.maxPendingBytes;
    if (this.#pending > this.#config.maxPendingBytes / 2) return true;
    this.#closeHole();
    return false;
  }

  add(line: string): void {
    this.#lines.push(line);
    this.#pending += line.length;
    if (this.#pending >= this.#blockChars && !this.#isTroubled) this.#begin();
    else if (!this.#timer.isSet && !this.#writing) this.#timer.set(FLUSH_AFTER_MS);
  }

  /** A frame that has no place. */
  lose(t: number, bytes: number): void {
    this.#hole ??= { from: t, t, frames: 0, bytes: 0 };
    this.#hole.t = t;
    this.#hole.frames += 1;
    this.#hole.bytes += bytes;
  }

  /** Writes what waits and gives the last segment its name. Rejects with a {@link FrameCaptureError} if the disk refuses. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#timer.cancel();
    await this.#writing;
    if (this.#hole) this.#closeHole();
    while (this.#lines.length > 0) await this.#writeBlock();
    await this.#closeFile();
  }

  /** Removes what it has written, once it is closed. */
  async discard(): Promise<void> {
    const { folder } = this.#config;
    for (; this.segments > 0; this.segments -= 1) await this.#disk.remove(join(folder, this.#nameOf(CLOSED)));
    this.writtenBytes = 0;
  }

  #closeHole(): void {
    const hole: HoleEvent = { is: 'hole', ...this.#hole! };
    this.#hole = undefined;
    this.add(eventLine(hole));
    this.#config.onHole(hole);
  }

  #begin(): void {
    if (this.#writing || this.#isClosing) return;
    this.#timer.cancel();
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  async #writeAll(): Promise<void> {
    try {
      do await this.#writeBlock();
      while (this.#pending >= this.#blockChars && !this.#isClosing);
      this.#isTroubled = false;
      if (this.#lines.length > 0) this.#timer.set(FLUSH_AFTER_MS);
    } catch (error) {
      if (!this.#isTroubled) this.#config.onTrouble(error as FrameCaptureError);
      this.#isTroubled = true;
      if (!this.#isClosing) this.#timer.set(RETRY_AFTER_MS);
    }
  }

  /** Takes lines out only once they are written. */
  async #writeBlock(): Promise<void> {
    const { scheduler, maxSegmentBytes, maxSegmentMs, folder } = this.#config;
    const isOld = () => scheduler.now() - this.#openedAt >= maxSegmentMs;
    let count = 0;
    let chars = 0;
    while (count < this.#lines.length && chars < BLOCK_CHARS) {
      chars += this.#lines[count]!.length;
      count += 1;
    }
    if (count === 0) return;
    try {
      // One that could not be closed before.
      if (this.#hasEnd) await this.#closeFile();
      const file = await this.#opened();
      let text = `${this.#lines.slice(0, count).join('\n')}\n`;
      if (file.size === 0) text = `${headerLine({ ...this.#config.about, segment: this.segments })}\n${text}`;
      const before = file.size;
      await file.append(await compress(text));
      this.writtenBytes += file.size - before;
      this.#fileLines += count;
      this.#lines.splice(0, count);
      this.#pending -= chars;
      if (file.size >= maxSegmentBytes || isOld()) await this.#closeFile();
    } catch (cause) {
      throw cause instanceof FrameCaptureError ? cause : failure(this.#file?.path ?? folder, cause);
    }
  }

  async #opened(): Promise<AppendFile> {
    if (this.#file) return this.#file;
    const { folder, scheduler } = this.#config;
    await this.#disk.makeFolder(folder);
    this.segments += 1;
    const file = new AppendFile(this.#disk, join(folder, this.#nameOf(OPEN)), 'create', { isDurable: false });
    this.#file = file;
    this.#fileLines = 0;
    this.#hasEnd = false;
    this.#openedAt = scheduler.now();
    return file;
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    if (!file) return;
    const { folder } = this.#config;
    try {
      if (!this.#hasEnd) {
        const before = file.size;
        await file.append(await compress(`${eventLine({ is: 'end', lines: this.#fileLines })}\n`));
        this.#hasEnd = true;
        this.writtenBytes += file.size - before;
      }
      await file.close();
      await withFile(this.#disk, file.path, 'update', (open) => open.datasync());
      await this.#disk.rename(file.path, join(folder, this.#nameOf(CLOSED)));
      await this.#disk.syncFolder(folder);
      this.#file = undefined;
      this.#hasEnd = false;
    } catch (cause) {
      throw failure(file.path, cause);
    }
  }

  #nameOf(ending: typeof OPEN | typeof CLOSED): string {
    return segmentName(this.#config.about.capture, this.segments, ending);
  }
}

function failure(path: string, cause: unknown): FrameCaptureError {
  return new FrameCaptureError(`cannot write the capture ${path}: ${errnoText(cause)}`, { cause });
}
