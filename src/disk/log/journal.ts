/** `-`: removed. `+`: begun. `=`: begun, and ended without a result. */
export type MarkSign = '-' | '+' | '=';

const REMOVED = 0x80;
const MAX_BEGUN = 0x7f;

/**
 * What has become of the entries of a segment, one byte per entry: whether it is removed, and how often work on it has begun
 * and not ended. On the disk it is a file of lines beside the segment.
 */
export class Journal {
  #bytes = new Uint8Array(64);

  isRemoved(ordinal: number): boolean {
    return (this.#at(ordinal) & REMOVED) !== 0;
  }

  /** How often work on the entry has begun and never ended. */
  begun(ordinal: number): number {
    return this.#at(ordinal) & MAX_BEGUN;
  }

  apply(sign: MarkSign, ordinal: number): void {
    const byte = this.#at(ordinal);
    const begun = byte & MAX_BEGUN;
    if (sign === '-') this.#set(ordinal, byte | REMOVED);
    else if (sign === '+' && begun < MAX_BEGUN) this.#set(ordinal, byte + 1);
    else if (sign === '=' && begun > 0) this.#set(ordinal, byte - 1);
  }

  /** Applies a line of the file; one that is none is skipped. */
  applyLine(line: string, maxOrdinal: number): void {
    let mark: unknown;
    try {
      mark = JSON.parse(line);
    } catch {
      return;
    }
    if (!Array.isArray(mark)) return;
    const [sign, ...ordinals] = mark as unknown[];
    if (sign !== '-' && sign !== '+' && sign !== '=') return;
    for (const ordinal of ordinals) {
      if (typeof ordinal !== 'number' || !Number.isInteger(ordinal) || ordinal < 0 || ordinal > maxOrdinal) continue;
      this.apply(sign, ordinal);
    }
  }

  #at(ordinal: number): number {
    return this.#bytes[ordinal] ?? 0;
  }

  #set(ordinal: number, byte: number): void {
    if (ordinal >= this.#bytes.length) {
      const larger = new Uint8Array(Math.max(ordinal + 1, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[ordinal] = byte;
  }
}

/** A line of the file. Part of one is not JSON, so that a torn line says nothing. */
export function markLine(sign: MarkSign, ordinals: readonly number[]): string {
  return `${JSON.stringify([sign, ...ordinals])}\n`;
}
