import { isNoNumber, isNoValue } from '../../market/noValue.js';
import { isBlank } from '../../primitives/blanks.js';
import { type OptionsOf, oneOf, readOptions } from '../../primitives/options.js';

export interface NumberReaderConfig {
  /** The mark before the decimals. Default `'.'`; if it is not given, `1,234` is told to be ambiguous. */
  readonly decimal?: '.' | ',' | undefined;
}

const OPTIONS = { decimal: oneOf(['.', ',']) } satisfies OptionsOf<NumberReaderConfig>;

const [ZERO, QUOTE, PLUS, COMMA, HYPHEN, POINT, LETTER_E, RIGHT_QUOTE] = [48, 39, 43, 44, 45, 46, 101, 0x2019];

/**
 * Reads numbers as files have them: `1234.5`, `+.5`, `1e-7`, and with separators between thousands, which are a blank (no-break
 * spaces too), an apostrophe, or the one of `,` and `.` that is not the decimal mark: `1,234.50`, `1 234.5`, `1'234.5`, and with
 * `decimal: ','` `1.234,50`. Groups are of three digits, the first of one to three. Blanks around a number are no part of it.
 * Currencies, percents, hexadecimals and infinities are refused. The time that a text takes grows with its length.
 */
export class NumberReader {
  /**
   * Whether what was read last could be another number: `1,234`, read as a thousand and more, where it is not stated which mark
   * is the decimal one. What has any other mark or group besides is plain.
   */
  isAmbiguous = false;

  readonly #mark: number;
  readonly #isStated: boolean;

  constructor(config: NumberReaderConfig = {}) {
    const { decimal } = readOptions('NumberReader', config, OPTIONS);
    this.#isStated = decimal !== undefined;
    this.#mark = decimal === ',' ? COMMA : POINT;
  }

  /** The number; `NaN` if the value is none or says that there is none, which {@link NumberReader.isNoValue} tells apart. */
  read(value: string | number): number {
    this.isAmbiguous = false;
    const number = typeof value === 'number' ? value : this.#parse(value);
    return isNoNumber(number) ? Number.NaN : number;
  }

  /** Whether a value that was not read says that there is none: `N/A`, `null`, nothing, or the largest number of a type. */
  isNoValue(value: unknown): boolean {
    if (isNoValue(value)) return true;
    if (typeof value !== 'string') return false;
    const number = this.#parse(value);
    return !Number.isNaN(number) && isNoNumber(number);
  }

  /** What to do about text that was refused or is ambiguous: `give decimal: ','`. Empty if nothing helps. */
  remedyFor(value: unknown): string {
    if (typeof value !== 'string') return '';
    const number = this.read(value);
    if (this.isAmbiguous) return "give decimal: '.' or ','";
    const other = this.#mark === COMMA ? '.' : ',';
    if (!Number.isNaN(number) || Number.isNaN(new NumberReader({ decimal: other }).read(value))) return '';
    return `give decimal: '${other}'`;
  }

  /** `NaN` if the text is no number. */
  #parse(text: string): number {
    let from = 0;
    let to = text.length;
    while (from < to && isBlank(text.charCodeAt(from))) from++;
    while (to > from && isBlank(text.charCodeAt(to - 1))) to--;

    const sign = text.charCodeAt(from);
    const start = sign === PLUS || sign === HYPHEN ? from + 1 : from;
    let at = digitsEnd(text, start, to);
    const separator = at < to ? text.charCodeAt(at) : Number.NaN;
    let groups = 0;
    if (this.#isSeparator(separator)) {
      // A group of thousands does not begin with 0, and has at most three digits.
      if (at === start || at - start > 3 || text.charCodeAt(start) === ZERO) return Number.NaN;
      while (at < to && text.charCodeAt(at) === separator) {
        const end = digitsEnd(text, at + 1, to);
        if (end - at !== 4) return Number.NaN;
        at = end;
        groups++;
      }
    }
    const whole = at;
    let digits = at - start;
    const hasMark = at < to && text.charCodeAt(at) === this.#mark;
    if (hasMark) {
      const end = digitsEnd(text, at + 1, to);
      digits += end - at - 1;
      at = end;
    }
    if (digits === 0) return Number.NaN;
    if (at < to && groups === 0 && (text.charCodeAt(at) | 32) === LETTER_E) {
      const after = text.charCodeAt(at + 1);
      const exponent = after === PLUS || after === HYPHEN ? at + 2 : at + 1;
      at = digitsEnd(text, exponent, to);
      if (at <= exponent) return Number.NaN;
    }
    if (at !== to) return Number.NaN;

    this.isAmbiguous = groups === 1 && separator === COMMA && !hasMark && !this.#isStated;
    if (groups === 0 && (this.#mark === POINT || !hasMark)) {
      return Number(from === 0 && to === text.length ? text : text.slice(from, to));
    }
    let plain = text.slice(from, whole);
    if (groups > 0) plain = plain.replaceAll(String.fromCharCode(separator), '');
    return Number(hasMark ? `${plain}.${text.slice(whole + 1, to)}` : plain);
  }

  #isSeparator(code: number): boolean {
    if (code === COMMA || code === POINT) return code !== this.#mark;
    return code === QUOTE || code === RIGHT_QUOTE || isBlank(code);
  }
}

function digitsEnd(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && text.charCodeAt(at) >= ZERO && text.charCodeAt(at) <= ZERO + 9) at++;
  return at;
}
