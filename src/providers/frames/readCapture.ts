import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { nodeDisk, withFile } from '../../disk/disk.js';
import { scanLines } from '../../disk/lineScanner.js';
import { errnoText } from '../../failures/errno.js';
import { messageOf } from '../../primitives/messageOf.js';
import { FrameCaptureError } from './frameCaptureError.js';
import { FORMAT_VERSION, type FrameEvent, parseHeader, parseLine, type SegmentHeader } from './frameFormat.js';
import { parseSegmentName } from './segmentNames.js';

/** A capture whose first line has been read. */
export interface FoundCapture {
  readonly provider: string;
  readonly startedAt: number;
  /** Its files, in order. */
  readonly paths: readonly string[];
}

/** A frame is far smaller, even as JSON. */
const MAX_LINE_BYTES = 256 * 1024 * 1024;
const CHUNK_BYTES = 1 << 18;
/** What is torn gives what is whole of it. */
const TOLERANT = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };

/** Finds the capture of a folder, of its name, or of one of its files. Throws a {@link FrameCaptureError} that says what is wrong. */
export function findCapture(path: string): FoundCapture {
  const paths = segmentsOf(path);
  const { provider, startedAt } = headerOf(paths[0]!, readStart(paths[0]!));
  return { provider, startedAt, paths };
}

function segmentsOf(path: string): readonly string[] {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const folder = isFolder ? path : dirname(path);
  const captures = new Map<string, Map<number, string>>();
  for (const name of namesIn(folder, path)) {
    const segment = parseSegmentName(name);
    if (!segment) continue;
    const files = captures.get(segment.capture) ?? new Map<number, string>();
    captures.set(segment.capture, files);
    // A file that could not be renamed has both for a moment.
    if (!segment.isOpen || !files.has(segment.segment)) files.set(segment.segment, name);
  }
  const file = isFolder ? undefined : parseSegmentName(basename(path));
  if (file && captures.get(file.capture)?.has(file.segment)) return [path];
  const wanted = isFolder ? undefined : basename(path);
  const found = [...captures].filter(([capture]) => wanted === undefined || capture === wanted);
  const [first, second] = found;
  if (!first) throw new FrameCaptureError(`there is no capture ${isFolder ? 'in' : 'at'} ${path}`);
  if (second) {
    const names = found.map(([capture]) => join(folder, capture)).sort();
    throw new FrameCaptureError(`${path} has ${found.length} captures: name one of them: ${names.join(', ')}`);
  }
  const [capture, files] = first;
  const numbers = [...files.keys()].sort((a, b) => a - b);
  const missing = numbers.findIndex((number, at) => number !== at + 1);
  if (missing >= 0)
    throw new FrameCaptureError(`the file ${missing + 1} of the capture ${join(folder, capture)} is missing`);
  return numbers.map((number) => join(folder, files.get(number)!));
}

function namesIn(folder: string, path: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    throw new FrameCaptureError(`cannot read the capture ${path}: ${errnoText(cause)}`, { cause });
  }
}

function readStart(path: string): string {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  try {
    const file = openSync(path, 'r');
    try {
      return gunzipSync(buffer.subarray(0, readSync(file, buffer)), TOLERANT).toString();
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    const isDamaged = String((cause as { readonly code?: unknown }).code).startsWith('Z_');
    if (isDamaged) throw new FrameCaptureError(`the capture ${path} is damaged: ${messageOf(cause)}`, { cause });
    throw new FrameCaptureError(`cannot read the capture ${path}: ${errnoText(cause)}`, { cause });
  }
}

function headerOf(path: string, start: string): SegmentHeader {
  const end = start.indexOf('\n');
  const header = end < 0 ? undefined : parseHeader(start.slice(0, end));
  if (!header) throw new FrameCaptureError(`${path} is not a capture of frames: its first line is no header`);
  if (header.version !== FORMAT_VERSION) {
    throw new FrameCaptureError(
      `${path} has version ${JSON.stringify(header.version)} of the format, and this program reads ${FORMAT_VERSION}`,
    );
  }
  return header;
}

/**
 * The events of a capture in blocks. A last line that is torn, as a crash leaves it, is left out; anything else that is damaged is a
 * {@link FrameCaptureError} with the file and the line.
 */
export async function* readCapture({ paths }: FoundCapture): AsyncGenerator<readonly FrameEvent[], void, undefined> {
  for (const path of paths) yield* readSegment(path, path === paths.at(-1));
}

async function* readSegment(path: string, isLast: boolean): AsyncGenerator<readonly FrameEvent[], void, undefined> {
  let lines = 0;
  let isWhole = false;
  try {
    for await (const block of scanLines(new GunzippedFile(path), MAX_LINE_BYTES)) {
      const events: FrameEvent[] = [];
      for (const { bytes, isEnded } of block) {
        lines += 1;
        if (!isEnded && isLast) break;
        if (!bytes || !isEnded) throw damage(path, lines, bytes ? 'the line is torn' : 'the line is too long');
        const text = bytes.toString();
        if (lines === 1) {
          headerOf(path, `${text}\n`);
          continue;
        }
        const event = parseLine(text);
        if (!event) throw damage(path, lines, 'the line is no event of a capture');
        isWhole = event.is === 'end';
        if (event.is !== 'end') events.push(event);
        else if (event.lines !== lines - 2) throw damage(path, lines, 'lines are missing before it');
      }
      if (events.length > 0) yield events;
    }
  } catch (cause) {
    throw cause instanceof FrameCaptureError ? cause : damage(path, lines + 1, messageOf(cause), cause);
  }
  if (!isWhole && !isLast) throw damage(path, lines + 1, 'the rest of the file is missing');
}

function damage(path: string, line: number, what: string, cause?: unknown): FrameCaptureError {
  return new FrameCaptureError(`the capture ${path} is damaged at line ${line}: ${what}`, { cause });
}

/** A gzipped file that is read from its beginning to its end. It is open only while a part of it is read. */
class GunzippedFile {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer | undefined;

  constructor(path: string) {
    const gunzip = createGunzip(TOLERANT);
    // What fails is thrown to whoever reads.
    pipeline(Readable.from(chunksOf(path), { objectMode: false }), gunzip, () => {});
    this.#chunks = gunzip[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  async read(buffer: Uint8Array): Promise<number> {
    const rest = this.#rest ?? (await this.#next());
    if (!rest) return 0;
    const taken = Math.min(rest.length, buffer.length);
    buffer.set(rest.subarray(0, taken));
    this.#rest = taken < rest.length ? rest.subarray(taken) : undefined;
    return taken;
  }

  async #next(): Promise<Buffer | undefined> {
    const { value, done } = await this.#chunks.next();
    return done ? undefined : value;
  }
}

async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    const read = await withFile(nodeDisk, path, 'read', (file) => file.read(buffer, position));
    if (read === 0) return;
    position += read;
    yield buffer.subarray(0, read);
  }
}
