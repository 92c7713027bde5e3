import { Readable } from 'node:stream';
import { ByteInput } from './containers/byteInput.js';
import { FileInput } from './containers/fileInput.js';
import { gunzip, isGzip, TRUNCATED } from './containers/gzip.js';
import { foreignKind, SIGNATURE_BYTES } from './containers/signatures.js';
import { hasZeros, wideEncoding } from './containers/textBytes.js';

export interface BytesOptions {
  /** Whether the file is compressed with gzip; if `false`, its bytes are taken as they are. Default: its first bytes decide. */
  readonly gzip?: boolean | undefined;
}

/**
 * The bytes of the text in a file, decompressed. Its first bytes decide what it is, whatever its name. Fails with a sentence
 * that says what the file is, and what to do, if it is none that can be read. Holds no more than a few chunks.
 */
export function openBytes(path: string, options: BytesOptions = {}): Readable {
  return new FileBytes(textOf(path, options));
}

/** Reads chunks one by one, as they are asked for. Destroying it closes the file. */
class FileBytes extends Readable {
  readonly #chunks: AsyncGenerator<Buffer, void, void>;

  constructor(chunks: AsyncGenerator<Buffer, void, void>) {
    // A chunk fills it: while that is parsed, the next one is read.
    super({ highWaterMark: 1 });
    this.#chunks = chunks;
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

/** A container in a container is read, such as a `.csv.gz` in a server's gzip, but not without end. */
const MAX_DEPTH = 3;

async function* textOf(path: string, { gzip }: BytesOptions): AsyncGenerator<Buffer, void, void> {
  const file = await FileInput.open(path);
  try {
    let input = new ByteInput(() => file.next());
    if (gzip !== false) {
      let depth = 0;
      let first = await input.peek(SIGNATURE_BYTES);
      if (first.length === 0 && (gzip ?? /\.gz$/i.test(path))) throw new Error(TRUNCATED);
      if (gzip && first.length > 0 && !isGzip(first)) throw new Error(NO_GZIP);
      for (; isGzip(first); depth++) {
        if (depth === MAX_DEPTH) throw new Error(TOO_DEEP);
        input = ByteInput.of(gunzip(input));
        first = await input.peek(SIGNATURE_BYTES);
      }
      requireText(path, first, depth > 0);
    }
    for (let chunk = await input.next(); chunk; chunk = await input.next()) yield chunk;
  } finally {
    await file.close();
  }
}

const NO_GZIP =
  'it does not begin as gzip data does, although gzip: true says so; leave gzip out, and its first bytes decide';
const TOO_DEEP = 'it is compressed more than three times over; decompress it first';

/** Throws unless the bytes begin a text in UTF-8. */
function requireText(path: string, first: Buffer, isInside: boolean): void {
  const subject = isInside ? 'what is compressed in it' : 'it';
  const foreign = foreignKind(first);
  if (foreign)
    throw new Error(`${subject} is ${foreign.what}; ${foreign.remedy.replaceAll('FILE', commandWord(path))}`);
  const encoding = wideEncoding(first);
  if (encoding)
    throw new Error(`${subject} is text in ${encoding.toUpperCase()}, not in UTF-8; ${converted(encoding, path)}`);
  if (hasZeros(first))
    throw new Error(`${subject} is binary data, not text (it has zero bytes); convert it to CSV or NDJSON`);
}

function converted(encoding: string, path: string): string {
  return `convert it: iconv -f ${encoding.toUpperCase()} -t UTF-8 ${commandWord(path)} > utf8.csv`;
}

/** A path for a command that a person may copy; a placeholder if it needs quotes. */
function commandWord(path: string): string {
  return /^[\w./+@%-]+$/.test(path) ? path : 'FILE';
}
