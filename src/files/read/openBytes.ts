import { Readable } from 'node:stream';
import { ByteInput } from './containers/byteInput.js';
import { ContainerError, FILE } from './containers/containerError.js';
import { FileInput } from './containers/fileInput.js';
import { gunzip, isGzip, TOO_SHORT } from './containers/gzip.js';
import { foreignKind, SIGNATURE_BYTES } from './containers/signatures.js';
import { encodingOf, hasZeros, markedEncoding, toUtf8, wideEncoding } from './containers/textEncoding.js';
import { isZip, unzip } from './containers/zip.js';
import { isZstd, unzstd } from './containers/zstd.js';

export interface BytesOptions {
  /** Whether the file is compressed with gzip; if `false`, its bytes are taken as they are. Default: its first bytes decide. */
  readonly gzip?: boolean | undefined;
  /** The label of the encoding of its text, which `TextDecoder` must know. Default: UTF-8. */
  readonly encoding?: string | undefined;
  /** The name of the file to be read of a zip archive. Default: the only one. */
  readonly entry?: string | undefined;
  /** Counts what is read of the file itself, compressed or not. */
  readonly counts?: { read: number } | undefined;
}

/**
 * The bytes of the text in a file in UTF-8, decompressed. Its first bytes decide what it is, whatever its name. Fails with a
 * sentence that says what the file is, and what to do, if it is none that can be read. Holds no more than a few chunks.
 */
export function openBytes(path: string, options: BytesOptions = {}): FileBytes {
  return new FileBytes(path, options);
}

/** Reads chunks one by one, as they are asked for. Destroying it closes the file. */
export class FileBytes extends Readable {
  /** The name of the file in a zip archive, once its first bytes can be read. */
  innerName: string | undefined;
  readonly #chunks: AsyncGenerator<Buffer, void, void>;

  constructor(path: string, options: BytesOptions) {
    // A chunk fills it: while that is parsed, the next one is read.
    super({ highWaterMark: 1 });
    this.#chunks = textOf(path, options, (name) => {
      this.innerName = name;
    });
  }

  override _read(): void {
    this.#chunks.next().then(
      ({ value }) => {
        this.push(value ?? null);
      },
      (error) => {
        this.destroy(error);
      },
    );
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const isClosed = () => done(error);
    this.#chunks.return().then(isClosed, isClosed);
  }
}

type OnName = (innerName: string) => void;

async function* textOf(path: string, options: BytesOptions, onName: OnName): AsyncGenerator<Buffer, void, void> {
  const file = await FileInput.open(path, options.counts);
  try {
    const encoding = options.encoding === undefined ? 'utf-8' : encodingOf(options.encoding)!;
    const raw = new ByteInput(() => file.next());
    const input = options.gzip === false ? raw : await unpacked(path, file, raw, options, onName);
    if (options.gzip !== false) requireText(await input.peek(SIGNATURE_BYTES), encoding, input !== raw);
    for await (const chunk of encoding === 'utf-8' ? input.chunks() : toUtf8(input.chunks(), encoding))
      if (chunk.length > 0) yield chunk;
  } catch (error) {
    if (!(error instanceof ContainerError)) throw error;
    const { message, cause } = error;
    throw new ContainerError(message.replaceAll(FILE, commandWord(path)), cause === undefined ? undefined : { cause });
  } finally {
    await file.close();
  }
}

/** A container in a container is read, such as a `.csv.gz` in a zip archive, but not without end. */
const MAX_DEPTH = 3;

async function unpacked(
  path: string,
  file: FileInput,
  raw: ByteInput,
  { gzip, entry }: BytesOptions,
  onName: OnName,
): Promise<ByteInput> {
  let input = raw;
  for (let depth = 0; ; depth++) {
    const first = await input.peek(SIGNATURE_BYTES);
    if (depth === 0) {
      if (first.length === 0 && (gzip ?? /\.gz$/i.test(path))) throw new ContainerError(TOO_SHORT);
      if (gzip && first.length > 0 && !isGzip(first)) throw new ContainerError(NO_GZIP);
      if (entry !== undefined && !isZip(first)) throw new ContainerError(NO_ZIP);
    }
    const isPacked = isGzip(first) || isZstd(first) || isZip(first);
    if (!isPacked) return input;
    if (depth === MAX_DEPTH) throw new ContainerError(TOO_DEEP);
    if (isGzip(first)) input = ByteInput.of(gunzip(input));
    else if (isZstd(first)) input = ByteInput.of(unzstd(input));
    else {
      if (depth > 0) throw new ContainerError(ZIP_INSIDE);
      const { name, bytes } = await unzip(file, entry);
      onName(name);
      input = ByteInput.of(bytes);
    }
  }
}

const NO_GZIP =
  'it does not begin as gzip data does, although gzip: true says so; leave gzip out, and its first bytes decide';
const NO_ZIP = 'it is no zip archive, although entry names a file in one; leave entry out';
const TOO_DEEP = 'it is compressed more than three times over; decompress it first';
const ZIP_INSIDE = 'what is compressed in it is a zip archive, which can be read from a file only; unpack that first';

/** Throws unless the bytes begin a text in this encoding. */
function requireText(first: Buffer, encoding: string, isInside: boolean): void {
  const subject = isInside ? 'what is compressed in it' : 'it';
  const foreign = foreignKind(first);
  if (foreign) throw new ContainerError(`${subject} is ${foreign.what}; ${foreign.remedy.replaceAll('FILE', FILE)}`);
  const marked = markedEncoding(first);
  const found = marked ?? (encoding === 'utf-8' ? wideEncoding(first) : undefined) ?? encoding;
  if (found !== encoding) {
    const remedy = encodingOf(found)
      ? found === 'utf-8'
        ? 'leave encoding out'
        : `give encoding: '${found}'`
      : `convert it: iconv -f ${found.toUpperCase()} -t UTF-8 ${FILE} > utf8.csv`;
    throw new ContainerError(
      `${subject} is text in ${found.toUpperCase()}, not in ${encoding.toUpperCase()}; ${remedy}`,
    );
  }
  if (encoding === 'utf-8' && hasZeros(first))
    throw new ContainerError(`${subject} is binary data, not text (it has zero bytes); convert it to CSV or NDJSON`);
}

/** A path for a command that a person may copy; a placeholder if it needs quotes. */
function commandWord(path: string): string {
  return /^[\w./+@%-]+$/.test(path) ? path : 'FILE';
}
