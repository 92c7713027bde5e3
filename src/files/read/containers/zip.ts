import { createInflateRaw } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { printable } from '../../../primitives/printable.js';
import { ByteInput } from './byteInput.js';
import { ContainerError, FILE } from './containerError.js';
import { crc32 } from './crc32.js';
import { decompressed } from './decompressed.js';
import { CHUNK_BYTES, type FileInput } from './fileInput.js';

/** One file of a zip archive. */
export interface ZippedFile {
  readonly name: string;
  readonly bytes: AsyncGenerator<Buffer, void, void>;
}

/** Whether bytes begin as a zip archive does, including an empty and a split one. */
export function isZip(first: Buffer): boolean {
  return first.length >= 4 && SIGNATURES.includes(first.readUInt32LE(0));
}

const SIGNATURES = [0x04034b50, 0x06054b50, 0x08074b50];

/** The file of an archive that is called `wanted`, or its only one. Throws a sentence if it cannot be read. */
export async function unzip(file: FileInput, wanted: string | undefined): Promise<ZippedFile> {
  // The index of an archive is at its end.
  if (!(await file.isSeekable())) throw new ContainerError(NOT_SEEKABLE);
  const yauzl = (await import('yauzl')).default;
  try {
    const archive = await yauzl.fromFdPromise(file.fd, { autoClose: false, decodeStrings: false });
    const nameOf = ({ generalPurposeBitFlag, fileNameRaw, extraFields }: Entry) =>
      yauzl.getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, false);
    const { entry, name } = await chosen(archive, nameOf, wanted);
    requireReadable(entry, name);
    const { fileDataStart } = await archive.readLocalFileHeaderPromise(entry, { minimal: true });
    return { name, bytes: contents(file, entry, fileDataStart) };
  } catch (cause) {
    if (cause instanceof ContainerError) throw cause;
    const words = cause instanceof Error ? printable(cause.message, MAX_WORDS) : 'for no known reason';
    throw new ContainerError(`its zip archive is damaged or truncated (${words}); fetch it again`, { cause });
  }
}

const NOT_SEEKABLE =
  'it is a zip archive, which can be read from a file only, not from a pipe; give the file, or unpack it: funzip';
const DAMAGED = 'its zip archive is damaged; fetch it again';

/** In characters. */
const MAX_WORDS = 200;
const MAX_NAME = 80;

/** How many names a message lists. */
const MAX_NAMES = 20;

interface Chosen {
  readonly entry: Entry;
  readonly name: string;
}

async function chosen(archive: ZipFile, nameOf: (entry: Entry) => string, wanted: string | undefined): Promise<Chosen> {
  let found: Chosen | undefined;
  let hits = 0;
  let count = 0;
  const names: string[] = [];
  for await (const entry of archive.eachEntry()) {
    const name = nameOf(entry);
    if (name === '[Content_Types].xml') throw new ContainerError(OFFICE);
    if (isAside(name)) continue;
    count += 1;
    if (names.length < MAX_NAMES) names.push(printable(JSON.stringify(name), MAX_NAME));
    if (wanted !== undefined && name !== wanted) continue;
    found = { entry, name };
    hits += 1;
  }
  if (found && hits === 1) return found;
  const rest = count - names.length;
  const list = `${names.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  if (count === 0) throw new ContainerError('its zip archive holds no file; look at what made it');
  if (wanted === undefined)
    throw new ContainerError(`its zip archive holds ${count} files: ${list}; say which with entry: '…'`);
  const shown = printable(JSON.stringify(wanted), MAX_NAME);
  if (hits > 1)
    throw new ContainerError(`its zip archive holds ${hits} files named ${shown}; unpack it first: unzip ${FILE}`);
  throw new ContainerError(`its zip archive holds no file ${shown}, but ${list}; correct entry`);
}

const OFFICE =
  'it is an Excel workbook (.xlsx) or another office document; save the sheet as CSV, or convert it: ' +
  `soffice --headless --convert-to csv ${FILE}`;

/** Folders, and what macOS and Windows put beside the files. */
function isAside(name: string): boolean {
  return name.endsWith('/') || /^__MACOSX\/|(?:^|\/)(?:\._[^/]*|\.DS_Store|Thumbs\.db|desktop\.ini)$/i.test(name);
}

const STORED = 0;
const DEFLATED = 8;

/** Of APPNOTE.TXT, section 4.4.5. */
const METHODS: Readonly<Record<number, string>> = {
  9: 'Deflate64',
  12: 'bzip2',
  14: 'LZMA',
  93: 'Zstandard',
  95: 'xz',
  98: 'PPMd',
};

function requireReadable(entry: Entry, name: string): void {
  const shown = printable(JSON.stringify(name), MAX_NAME);
  if (entry.isEncrypted())
    throw new ContainerError(`${shown} in its zip archive is encrypted; unpack it first: unzip ${FILE}`);
  const { compressionMethod: method } = entry;
  if (method === STORED || method === DEFLATED) return;
  const named = METHODS[method] ?? `method ${method}`;
  throw new ContainerError(
    `${shown} in its zip archive is compressed by ${named}, which is not read here; unpack it first: 7z x ${FILE}`,
  );
}

/** What the entry holds; the sum at its end tells whether all of it came out as it went in. */
async function* contents(file: FileInput, entry: Entry, start: number): AsyncGenerator<Buffer, void, void> {
  let crc = 0;
  let size = 0;
  const input = ByteInput.of(file.part(start, entry.compressedSize));
  const isStored = entry.compressionMethod === STORED;
  const bytes = isStored ? input.chunks() : decompressed(input, createInflateRaw({ chunkSize: CHUNK_BYTES }), true);
  try {
    for await (const chunk of bytes) {
      crc = crc32(chunk, crc);
      size += chunk.length;
      yield chunk;
    }
  } catch (cause) {
    throw new ContainerError(DAMAGED, typeof cause === 'symbol' ? undefined : { cause });
  }
  if (crc !== entry.crc32 || size !== entry.uncompressedSize) throw new ContainerError(DAMAGED);
}
