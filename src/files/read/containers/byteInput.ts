/** Bytes that are read on demand, whose beginning can be looked at before it is read. */
export class ByteInput {
  readonly #pull: () => Promise<Buffer | undefined>;
  /** What was looked at or put back. Never empty. */
  #held: Buffer | undefined;

  /** `pull` gives the next bytes, `undefined` at the end and whenever it is called after that. */
  constructor(pull: () => Promise<Buffer | undefined>) {
    this.#pull = pull;
  }

  static of(chunks: AsyncGenerator<Buffer, void, void>): ByteInput {
    return new ByteInput(async () => (await chunks.next()).value ?? undefined);
  }

  /** The next bytes, at least one; `undefined` at the end. */
  async next(): Promise<Buffer | undefined> {
    const held = this.#held;
    if (held) {
      this.#held = undefined;
      return held;
    }
    for (;;) {
      const chunk = await this.#pull();
      if (chunk === undefined || chunk.length > 0) return chunk;
    }
  }

  /** All that is left. */
  async *chunks(): AsyncGenerator<Buffer, void, void> {
    for (let chunk = await this.next(); chunk; chunk = await this.next()) yield chunk;
  }

  /** Makes the end of what was read last the next to be read. */
  putBack(rest: Buffer): void {
    if (rest.length > 0) this.#held = this.#held ? Buffer.concat([rest, this.#held]) : rest;
  }

  /** What comes next, at least so many bytes unless there are fewer. It stays there to be read. */
  async peek(minBytes: number): Promise<Buffer> {
    let bytes = (await this.next()) ?? EMPTY;
    while (bytes.length < minBytes) {
      const more = await this.next();
      if (!more) break;
      bytes = Buffer.concat([bytes, more]);
    }
    this.putBack(bytes);
    return bytes;
  }

  /** So many bytes, or fewer at the end. */
  async take(count: number): Promise<Buffer> {
    const bytes = await this.peek(count);
    this.#held = undefined;
    this.putBack(bytes.subarray(count));
    return bytes.subarray(0, count);
  }

  /** Passes over bytes that are zero; whether others follow. */
  async skipZeros(): Promise<boolean> {
    for (let chunk = await this.next(); chunk; chunk = await this.next()) {
      const start = chunk.findIndex((byte) => byte !== 0);
      if (start < 0) continue;
      this.putBack(chunk.subarray(start));
      return true;
    }
    return false;
  }
}

const EMPTY = Buffer.alloc(0);
