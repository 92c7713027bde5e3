import { createInflateRaw } from 'node:zlib';
import type { ByteInput } from './byteInput.js';
import { ContainerError } from './containerError.js';
import { crc32 } from './crc32.js';
import { decompressed, TRUNCATED } from './decompressed.js';
import { CHUNK_BYTES } from './fileInput.js';

/**
 * Decompresses gzip (RFC 1952), member by member. Node's own reader passes silently over whatever follows a zero byte behind
 * a member, although writers of tapes and blocks pad with zeros and go on.
 */
export async function* gunzip(input: ByteInput): AsyncGenerator<Buffer, void, void> {
  for (;;) {
    await readHeader(input);
    let crc = 0;
    let size = 0;
    for await (const bytes of inflated(input)) {
      crc = crc32(bytes, crc);
      size = (size + bytes.length) >>> 0;
      yield bytes;
    }
    const trailer = await take(input, 8);
    if (trailer.readUInt32LE(0) !== crc || trailer.readUInt32LE(4) !== size) throw new ContainerError(DAMAGED);
    if (!(await input.skipZeros())) return;
    if (!isGzip(await input.peek(2))) throw new ContainerError(FOLLOWED);
  }
}

/** Whether bytes begin as gzip does. */
export function isGzip(first: Buffer): boolean {
  return first[0] === 0x1f && first[1] === 0x8b;
}

export const TOO_SHORT = 'its gzip data ends too early, so the file is truncated; fetch it again';
const DAMAGED = 'its gzip data is damaged; fetch it again';
const FOLLOWED =
  'its gzip data is followed by bytes that are no gzip data, so the file is damaged; fetch it again, or keep what was read';

const DEFLATE = 8;
const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 };

async function readHeader(input: ByteInput): Promise<void> {
  let crc = 0;
  const next = async (count: number) => {
    const bytes = await take(input, count);
    crc = crc32(bytes, crc);
    return bytes;
  };
  /** As long as it may be, it is not held. */
  const skipText = async () => {
    for (;;) {
      const chunk = await input.next();
      if (!chunk) throw new ContainerError(TOO_SHORT);
      const length = chunk.indexOf(0) + 1;
      crc = crc32(length === 0 ? chunk : chunk.subarray(0, length), crc);
      if (length === 0) continue;
      input.putBack(chunk.subarray(length));
      return;
    }
  };

  const fixed = await next(10);
  const flags = fixed[3]!;
  if (fixed[2] !== DEFLATE || flags & FLAG.reserved) throw new ContainerError(DAMAGED);
  if (flags & FLAG.extra) await next((await next(2)).readUInt16LE(0));
  if (flags & FLAG.name) await skipText();
  if (flags & FLAG.comment) await skipText();
  const sum = crc & 0xffff;
  if (flags & FLAG.headerCrc && (await next(2)).readUInt16LE(0) !== sum) throw new ContainerError(DAMAGED);
}

async function take(input: ByteInput, count: number): Promise<Buffer> {
  const bytes = await input.take(count);
  if (bytes.length < count) throw new ContainerError(TOO_SHORT);
  return bytes;
}

/** One deflate stream. What follows it stays in the input. */
async function* inflated(input: ByteInput): AsyncGenerator<Buffer, void, void> {
  try {
    yield* decompressed(input, createInflateRaw({ chunkSize: CHUNK_BYTES }));
  } catch (cause) {
    throw cause === TRUNCATED ? new ContainerError(TOO_SHORT) : new ContainerError(DAMAGED, { cause });
  }
}
