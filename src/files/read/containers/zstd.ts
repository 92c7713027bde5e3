import * as zlib from 'node:zlib';
import { ByteInput } from './byteInput.js';
import { ContainerError, FILE } from './containerError.js';
import { type Decompressor, decompressed } from './decompressed.js';
import { CHUNK_BYTES } from './fileInput.js';
import type { FrameHeader, FramePart, FrameParts, ZstdDecoder } from './zstdDecoder.js';

/**
 * Decompresses Zstandard (RFC 8878), frame by frame: a decoder that is given all frames at once may stop silently behind the
 * first one, or at an end that comes too early.
 */
export async function* unzstd(input: ByteInput, decoder?: ZstdDecoder): AsyncGenerator<Buffer, void, void> {
  const frames = decoder ?? NODE_DECODER ?? (await import('./zstdLibrary.js')).LIBRARY_DECODER;
  do {
    const magic = await input.peek(4);
    if (isSkippable(magic)) await skipFrame(input);
    else if (!isFrame(magic)) throw new ContainerError(FOLLOWED);
    else {
      const parts: FramePart[] = [];
      const header = await readHeader(input, parts, frames.maxWindowBytes);
      yield* decoded(frames.decode(blocksOf(input, header, parts), header));
    }
  } while (await input.skipZeros());
}

/** Whether bytes begin as Zstandard does. */
export function isZstd(first: Buffer): boolean {
  return isFrame(first) || isSkippable(first);
}

const TOO_SHORT = 'its zstd data end too early, so the file is truncated; fetch it again';
const DAMAGED = 'its zstd data are damaged; fetch it again';
const FOLLOWED =
  'its zstd data are followed by bytes that are no zstd data, so the file is damaged; fetch it again, or keep what was read';

async function* decoded(bytes: AsyncGenerator<Buffer, void, void>): AsyncGenerator<Buffer, void, void> {
  try {
    yield* bytes;
  } catch (cause) {
    throw cause instanceof ContainerError ? cause : new ContainerError(DAMAGED, { cause });
  }
}

function isFrame(first: Buffer): boolean {
  return first.length >= 4 && first.readUInt32LE(0) === 0xfd2fb528;
}

function isSkippable(first: Buffer): boolean {
  return first.length >= 4 && first.readUInt32LE(0) >>> 4 === 0x0184d2a5;
}

async function take(input: ByteInput, count: number): Promise<Buffer> {
  const bytes = await input.take(count);
  if (bytes.length < count) throw new ContainerError(TOO_SHORT);
  return bytes;
}

async function skipFrame(input: ByteInput): Promise<void> {
  let left = (await take(input, 8)).readUInt32LE(4);
  while (left > 0) {
    const chunk = await input.next();
    if (!chunk) throw new ContainerError(TOO_SHORT);
    if (chunk.length > left) input.putBack(chunk.subarray(left));
    left -= Math.min(left, chunk.length);
  }
}

const MAX_BLOCK_BYTES = 128 * 1024;
const MEBIBYTE = 1024 * 1024;

/** Section 3.1.1.1. Its bytes become the first piece. */
async function readHeader(input: ByteInput, parts: FramePart[], maxWindowBytes: number): Promise<FrameHeader> {
  const start = await take(input, 5);
  const flags = start[4]!;
  const isSingle = (flags & 0x20) !== 0;
  const windowLength = isSingle ? 0 : 1;
  const dictionaryLength = [0, 1, 2, 4][flags & 3]!;
  const sizeLength = [isSingle ? 1 : 0, 2, 4, 8][flags >> 6]!;
  const rest = await take(input, windowLength + dictionaryLength + sizeLength);
  if (flags & 8) throw new ContainerError(DAMAGED);
  if (rest.subarray(windowLength, windowLength + dictionaryLength).some((byte) => byte !== 0))
    throw new ContainerError(`its zstd data need a dictionary; decompress it first: zstd -d -D DICTIONARY ${FILE}`);
  const contentBytes = sizeOf(rest.subarray(windowLength + dictionaryLength));
  const windowBytes = isSingle ? contentBytes! : windowOf(rest[0]!);
  if (windowBytes > maxWindowBytes) {
    const needed = Math.ceil(windowBytes / MEBIBYTE);
    throw new ContainerError(
      `its zstd data need ${needed} MiB to be decompressed, more than the ${Math.ceil(maxWindowBytes / MEBIBYTE)} MiB ` +
        `that are allowed; decompress it first: zstd -d --long=31 ${FILE}`,
    );
  }
  parts.push({ bytes: Buffer.concat([start, rest]), isLast: false });
  return { windowBytes, contentBytes, hasChecksum: (flags & 4) !== 0 };
}

function sizeOf(field: Buffer): number | undefined {
  if (field.length === 0) return undefined;
  if (field.length === 8) return Number(field.readBigUInt64LE(0));
  return field.readUIntLE(0, field.length) + (field.length === 2 ? 256 : 0);
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** Section 3.1.1.2: the blocks, each with its header, the last one with the checksum. */
async function* blocksOf(input: ByteInput, header: FrameHeader, parts: readonly FramePart[]): FrameParts {
  yield* parts;
  const maxBytes = Math.min(MAX_BLOCK_BYTES, header.windowBytes);
  for (let isLast = false; !isLast; ) {
    const head = await take(input, 3);
    const bits = head.readUIntLE(0, 3);
    const type = (bits >> 1) & 3;
    const size = bits >> 3;
    if (type === 3 || size > maxBytes) throw new ContainerError(DAMAGED);
    isLast = (bits & 1) === 1;
    const length = (type === 1 ? 1 : size) + (isLast && header.hasChecksum ? 4 : 0);
    yield { bytes: Buffer.concat([head, await take(input, length)]), isLast };
  }
}

type CreateZstd = (options: { readonly chunkSize: number }) => Decompressor;

const createZstd = (zlib as { createZstdDecompress?: CreateZstd }).createZstdDecompress;

/** Node has its own since 22.15. It checks the checksum and the size. */
const NODE_DECODER: ZstdDecoder | undefined = createZstd && {
  maxWindowBytes: 128 * MEBIBYTE,
  decode(parts) {
    const frame = new ByteInput(async () => (await parts.next()).value?.bytes);
    return decompressed(frame, createZstd({ chunkSize: CHUNK_BYTES }), true);
  },
};
