import * as zlib from 'node:zlib';

/** The CRC-32 of zip and gzip (RFC 1952, section 8), continued from that of the bytes before. */
export type Crc32 = (bytes: Buffer, before?: number) => number;

/** The same, byte by byte, for a Node that lacks it. */
export const plainCrc32: Crc32 = (bytes, before = 0) => {
  let crc = ~before;
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
};

const POLYNOMIAL = 0xedb88320;

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
});

/** Node has its own since 20.15. */
export const crc32: Crc32 = (zlib as { crc32?: Crc32 }).crc32 ?? plainCrc32;
