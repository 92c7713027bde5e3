const TWO_TO_32 = 4_294_967_296;

/** A buffer that grows, with both views of it. */
export class Bytes {
  buffer: Buffer;
  view: DataView;
  at = 0;

  constructor(size: number) {
    this.buffer = Buffer.allocUnsafeSlow(size);
    this.view = viewOf(this.buffer);
  }

  /** Makes room for `size` more bytes. */
  reserve(size: number): void {
    if (this.at + size <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.at + size));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
    this.view = viewOf(larger);
  }

  int32(value: number): void {
    this.view.setInt32(this.at, value);
    this.at += 4;
  }

  /** An int8 field, preceded by its length. */
  int8(value: number): void {
    const { view, at } = this;
    view.setInt32(at, 8);
    view.setInt32(at + 4, Math.floor(value / TWO_TO_32));
    view.setUint32(at + 8, value);
    this.at = at + 12;
  }

  float8(value: number): void {
    const { view, at } = this;
    view.setInt32(at, 8);
    view.setFloat64(at + 4, value);
    this.at = at + 12;
  }

  bool(value: boolean): void {
    this.int32(1);
    this.buffer[this.at++] = value ? 1 : 0;
  }

  /** A date field, in days since 2000-01-01. */
  date(days: number): void {
    this.int32(4);
    this.int32(days);
  }

  /** Returns whether the text is plain: only ASCII, without NUL. */
  text(value: string): boolean {
    const start = this.at + 4;
    const { length } = value;
    const { buffer } = this;
    let written = length;
    let isPlain = true;
    if (length > 64) {
      written = buffer.write(value, start);
      isPlain = written === length && !value.includes('\0');
    } else {
      // For a few characters a loop is faster than a native call.
      for (let i = 0; i < length; i++) {
        const unit = value.charCodeAt(i);
        // Not ASCII, or NUL.
        if (unit > 127 || unit === 0) {
          written = buffer.write(value, start);
          isPlain = false;
          break;
        }
        buffer[start + i] = unit;
      }
    }
    this.view.setInt32(this.at, written);
    this.at = start + written;
    return isPlain;
  }

  done(): Buffer {
    return this.buffer.subarray(0, this.at);
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
