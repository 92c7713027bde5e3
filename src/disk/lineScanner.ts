import type { DiskFile } from './disk.js';

const LF = 0x0a;
const CHUNK = 1 << 18;

/** A line of a file without its end; without `bytes` where it is too long. */
export interface ScannedLine {
  readonly offset: number;
  /** With its end. */
  readonly length: number;
  /** Only until the next line is asked for: a view into the buffer of the scanner. */
  readonly bytes: Buffer | undefined;
  /** Whether it has its end; only the last may have none. */
  readonly isEnded: boolean;
}

/**
 * Reads a file line by line, in bytes, and holds no more of it than one line. What is appended meanwhile may or may not be
 * seen.
 */
export async function* scanLines(file: DiskFile, maxLineBytes: number): AsyncGenerator<ScannedLine> {
  let buffer = Buffer.allocUnsafe(CHUNK);
  /** Where `buffer` begins in the file, how much of it is filled, and where the line in it begins. */
  let base = 0;
  let filled = 0;
  let start = 0;
  /** How much of an overlong line is behind us. */
  let skipped = 0;
  for (;;) {
    const read = await file.read(buffer.subarray(filled), base + filled);
    if (read === 0) break;
    let from = filled;
    filled += read;
    for (;;) {
      const end = buffer.subarray(0, filled).indexOf(LF, from);
      if (end < 0) break;
      const length = end + 1 - start;
      const isTooLong = skipped > 0 || length - 1 > maxLineBytes;
      yield {
        offset: base + start - skipped,
        length: length + skipped,
        bytes: isTooLong ? undefined : buffer.subarray(start, end),
        isEnded: true,
      };
      skipped = 0;
      start = end + 1;
      from = start;
    }
    if (filled - start > maxLineBytes) {
      skipped += filled - start;
      start = filled;
    }
    if (start > 0) {
      buffer.copy(buffer, 0, start, filled);
      base += start;
      filled -= start;
      start = 0;
    }
    if (filled === buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, CHUNK));
      buffer.copy(larger, 0, 0, filled);
      buffer = larger;
    }
  }
  if (filled + skipped > 0) {
    const bytes = skipped > 0 ? undefined : buffer.subarray(0, filled);
    yield { offset: base - skipped, length: filled + skipped, bytes, isEnded: false };
  }
}
