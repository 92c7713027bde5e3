import { deflateRawSync } from 'node:zlib';
import { plainCrc32 } from '../../src/files/read/containers/crc32.js';

interface ZipOptions {
  /** Stored as it is, or deflated; another method is only said. */
  readonly method?: number;
  readonly flags?: number;
  /** The sizes stand behind the data and in zip64 fields, as programs write that do not know them before. */
  readonly isStreamed?: boolean;
  readonly crc?: number;
}

/** A zip archive (APPNOTE.TXT, sections 4.3 and 4.5.3) of the entries, in their order. */
export function zipArchive(
  entries: readonly (readonly [name: string, content: string | Buffer])[],
  { method = 8, flags = 0x0800, isStreamed = false, crc }: ZipOptions = {},
): Buffer {
  const parts: Buffer[] = [];
  const index: Buffer[] = [];
  let offset = 0;
  const add = (...bytes: Buffer[]) => {
    parts.push(...bytes);
    for (const { length } of bytes) offset += length;
  };
  for (const [name, content] of entries) {
    const raw = Buffer.from(content);
    const data = method === 8 ? deflateRawSync(raw) : raw;
    const nameBytes = Buffer.from(name);
    const start = offset;
    const allFlags = flags | (isStreamed ? 8 : 0);
    const sum = crc ?? plainCrc32(raw);
    const sizes = [sum, data.length, raw.length];
    const version = isStreamed ? 45 : 20;
    const local = fields(
      'IHHHHHIIIHH',
      0x04034b50,
      version,
      allFlags,
      method,
      0,
      0,
      ...(isStreamed ? [0, 0, 0] : sizes),
      nameBytes.length,
      0,
    );
    add(local, nameBytes, data);
    if (isStreamed) add(fields('IIQQ', 0x08074b50, sum, data.length, raw.length));
    const extra = isStreamed ? fields('HHQQ', 1, 16, raw.length, data.length) : Buffer.alloc(0);
    const shown = isStreamed ? [sum, 0xffffffff, 0xffffffff] : sizes;
    const central = fields(
      'IHHHHHHIIIHHHHHII',
      0x02014b50,
      version,
      version,
      allFlags,
      method,
      0,
      0,
      ...shown,
      nameBytes.length,
      extra.length,
      0,
      0,
      0,
      0,
      start,
    );
    index.push(central, nameBytes, extra);
  }
  const size = index.reduce((sum, { length }) => sum + length, 0);
  const end = fields('IHHHHIIH', 0x06054b50, 0, 0, entries.length, entries.length, size, offset, 0);
  return Buffer.concat([...parts, ...index, end]);
}

/** Numbers of 2, 4 or 8 bytes, little-endian. */
function fields(shape: string, ...values: readonly number[]): Buffer {
  const bytes = values.map((value, i) => {
    const field = Buffer.alloc(shape[i] === 'H' ? 2 : shape[i] === 'I' ? 4 : 8);
    if (field.length === 8) field.writeBigUInt64LE(BigInt(value));
    else field.writeUIntLE(value, 0, field.length);
    return field;
  });
  return Buffer.concat(bytes);
}
