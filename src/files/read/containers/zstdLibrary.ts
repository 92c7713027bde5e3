import { Decompress } from 'fzstd';
import loadXxhash, { type XXHashAPI } from 'xxhash-wasm';
import type { ZstdDecoder } from './zstdDecoder.js';

let xxhash: Promise<XXHashAPI> | undefined;

/** Zstandard where Node has none of its own. fzstd checks neither the checksum nor the size, and much of what is damaged passes it. */
export const LIBRARY_DECODER: ZstdDecoder = {
  // It reads 32 bits for the distance of a match, of which up to 7 belong to the field before.
  maxWindowBytes: 64 * 1024 * 1024 - 4,
  async *decode(parts, { contentBytes, hasChecksum }) {
    xxhash ??= loadXxhash();
    const checksum = hasChecksum ? (await xxhash).create64() : undefined;
    let made: Buffer[] = [];
    let size = 0;
    const frame = new Decompress(({ buffer, byteOffset, byteLength }) => {
      if (byteLength > 0) made.push(Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength));
    });
    let stated: number | undefined;
    for await (const { bytes, isLast } of parts) {
      frame.push(bytes, isLast);
      if (isLast && hasChecksum) stated = bytes.readUInt32LE(bytes.length - 4);
      const blocks = made;
      made = [];
      for (const block of blocks) {
        size += block.length;
        checksum?.update(block);
        yield block;
      }
    }
    if (contentBytes !== undefined && size !== contentBytes)
      throw new Error(`holds ${size} bytes, not ${contentBytes}`);
    if (checksum && Number(checksum.digest() & 0xffff_ffffn) !== stated) throw new Error('has another checksum');
  },
};
