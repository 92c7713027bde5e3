const PREFIX = 4;

/**
 * Cuts a stream of bytes into messages, each behind its length as four bytes, big-endian. Chunks may end anywhere. A length of 0
 * or above `maxBytes` throws a `RangeError`: what follows cannot be read.
 */
export class LengthPrefixed {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The messages that a chunk completes, each with its length in front. */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const whole: Buffer[] = [];
    while (this.#size >= PREFIX) {
      const length = this.#peekLength();
      if (length === 0 || length > this.#maxBytes) {
        throw new RangeError(`a message of ${length} bytes, expected from 1 to ${this.#maxBytes}`);
      }
      if (this.#size < PREFIX + length) break;
      const all = this.#joined();
      whole.push(all.subarray(0, PREFIX + length));
      this.#chunks = [all.subarray(PREFIX + length)];
      this.#size = all.length - PREFIX - length;
    }
    return whole;
  }

  #peekLength(): number {
    return (this.#chunks[0]!.length >= PREFIX ? this.#chunks[0]! : this.#joined()).readUInt32BE(0);
  }

  /** Joined only when a message is complete, so that a long one in many chunks is copied once. */
  #joined(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }
}
