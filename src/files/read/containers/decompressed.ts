import type { InflateRaw } from 'node:zlib';
import type { ByteInput } from './byteInput.js';

/** What decompresses in Node: a stream that counts the bytes that it has used. */
export type Decompressor = Pick<InflateRaw, 'bytesWritten' | 'read' | 'write' | 'end' | 'on' | 'destroy'>;

/** Says that the input ended before the compressed data did. */
export const TRUNCATED = Symbol('truncated');

/**
 * Reads from the input, on demand, what one run of a decompressor makes of it. What follows the compressed data stays in the
 * input. `isWhole` says that nothing follows them, so that their end need not be found. Throws {@link TRUNCATED}, or what the
 * decompressor says.
 */
export async function* decompressed(
  input: ByteInput,
  decompressor: Decompressor,
  isWhole = false,
): AsyncGenerator<Buffer, void, void> {
  let chunk: Buffer | undefined;
  let fed = 0;
  let isTaken = true;
  let hasEnded = false;
  let failure: unknown;
  let wake = () => {};
  const untilWoken = (resolve: () => void) => {
    wake = resolve;
  };
  const onTaken = () => {
    isTaken = true;
    wake();
  };
  decompressor.on('readable', () => wake());
  decompressor.on('end', () => {
    hasEnded = true;
    wake();
  });
  decompressor.on('error', (error) => {
    failure = error;
    wake();
  });
  try {
    for (;;) {
      const bytes: Buffer | null = decompressor.read();
      if (bytes) yield bytes;
      else if (failure !== undefined) throw failure;
      else if (hasEnded) break;
      else if (!isTaken) await new Promise<void>(untilWoken);
      // It takes no more once its end was in what it took.
      else if (decompressor.bytesWritten < fed) break;
      else {
        chunk = await input.next();
        if (!chunk && !isWhole) throw TRUNCATED;
        isTaken = false;
        fed += chunk?.length ?? 0;
        if (chunk) decompressor.write(chunk, onTaken);
        else decompressor.end();
      }
    }
    const left = fed - decompressor.bytesWritten;
    if (chunk) input.putBack(chunk.subarray(chunk.length - left));
  } finally {
    decompressor.destroy();
  }
}
