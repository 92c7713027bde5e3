import { isBlank } from '../../primitives/blanks.js';

export const [PLUS, COMMA, HYPHEN, POINT, SLASH, COLON, SEMICOLON] = [43, 44, 45, 46, 47, 58, 59];
const ZERO = 48;

/** Where the reading of a text stands. It goes forward only, so that the time that a text takes grows with its length. */
export class TextCursor {
  at = 0;
  end = 0;
  /** Of the run of digits that was read last. */
  value = 0;
  #text = '';

  open(text: string, from: number, to: number): void {
    this.#text = text;
    this.at = from;
    this.end = to;
  }

  /** Releases the text. */
  close(): void {
    this.#text = '';
  }

  get isEnd(): boolean {
    return this.at === this.end;
  }

  /** The next character, or one of those behind it; `NaN` beyond the end. */
  code(ahead = 0): number {
    return this.at + ahead < this.end ? this.#text.charCodeAt(this.at + ahead) : Number.NaN;
  }

  /** Reads a run of digits into `value`, and returns its length. */
  digits(): number {
    const start = this.at;
    let value = 0;
    while (this.at < this.end) {
      const digit = this.#text.charCodeAt(this.at) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      this.at++;
    }
    this.value = value;
    return this.at - start;
  }

  /** The value of digits that were read before. */
  number(from: number, length: number): number {
    let value = 0;
    for (let i = from; i < from + length; i++) value = value * 10 + this.#text.charCodeAt(i) - ZERO;
    return value;
  }

  skipBlanks(): void {
    while (isBlank(this.code())) this.at++;
  }

  skipLetters(): void {
    while (isLetter(this.code())) this.at++;
  }

  slice(from: number, to: number): string {
    return this.#text.slice(from, to);
  }
}

export function isDigit(code: number): boolean {
  return code >= ZERO && code <= ZERO + 9;
}

export function isLetter(code: number): boolean {
  return (code | 32) >= 97 && (code | 32) <= 122;
}
