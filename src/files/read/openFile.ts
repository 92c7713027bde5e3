import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** How much is read at a time. */
export const CHUNK_BYTES = 64 * 1024;

/** The bytes of a file, decompressed where it is gzip. Destroying the stream closes the file. */
export function openFile(path: string, isGzip: boolean): Readable {
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  if (!isGzip) return file;
  // Errors and destruction pass through the pipeline both ways; the stream returned tells of them.
  return pipeline(file, createGunzip({ chunkSize: CHUNK_BYTES }), () => {});
}
