import type { FileRecord } from './fileRecord.js';
import { trimmed } from './trimmed.js';

/** Files write it in many ways: Postgres `t`, pandas `True`, a spreadsheet `TRUE`. What is neither is left as it is. */
export function flagOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const text = value.trim().toLowerCase();
  if (text === 'true' || text === 't') return true;
  return text === 'false' || text === 'f' ? false : value;
}

/** Whether a text says that there is none. Words such as `NA` may be names. */
export function isNoText(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  const text = trimmed(value);
  return text === '' || text === '\\N';
}

/** `20240102` as `2024-01-02`; anything else as it is. */
export function dateOf(value: unknown): unknown {
  const text = trimmed(value);
  return typeof text === 'string' ? text.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3') : text;
}

/** The elements of an array as Postgres writes it, `{a,"b c"}`, or as JSON has it; anything else as it is. */
export function listOf(value: unknown): unknown {
  const text = trimmed(value);
  if (typeof text !== 'string') return value;
  if (text.startsWith('[')) return jsonOf(text) ?? value;
  return text.startsWith('{') && text.endsWith('}') ? (arrayOf(text) ?? value) : value;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO: an element is quoted if it is empty or has a brace, a quote, a
// comma, a backslash or a blank in it, and a backslash stands before a quote and a backslash. Each character can match in one
// place only.
const ELEMENT = /(?:"((?:[^"\\]|\\[\s\S])*)"|([^\s"\\{},][^"\\{},]*))(?:,|$)/y;

/** The elements of `{…}`; none if it is no array of texts. */
function arrayOf(text: string): string[] | undefined {
  const inner = text.slice(1, -1);
  const elements: string[] = [];
  ELEMENT.lastIndex = 0;
  for (let at = 0; at < inner.length; at = ELEMENT.lastIndex) {
    const match = ELEMENT.exec(inner);
    if (!match) return undefined;
    const [whole, quoted, plain] = match;
    // Null is no text. A comma at the end has nothing behind it.
    if (quoted === undefined && plain!.toUpperCase() === 'NULL') return undefined;
    if (whole.endsWith(',') && ELEMENT.lastIndex === inner.length) return undefined;
    elements.push(quoted === undefined ? plain!.trimEnd() : quoted.replaceAll(/\\([\s\S])/g, '$1'));
  }
  return elements;
}

/** A time as it stands in a record: of several columns, joined by a blank. */
export function timeIn(record: FileRecord, columns: readonly string[]): unknown {
  return columns.length === 1 ? record[columns[0]!] : columns.map((column) => trimmed(record[column])).join(' ');
}

/** Whether a number in these columns says which mark is the decimal one: `1.5` does, and so does `1,234,567`. */
export function showsDecimalMark(record: FileRecord, columns: readonly (string | undefined)[]): boolean {
  return columns.some((column) => {
    const value = column === undefined ? undefined : record[column];
    return typeof value === 'string' && /\.\d|,\d{3},/.test(value);
  });
}
