import { RowProblem } from './fileRecord.js';
import { QuotedRecord } from './quotedRecord.js';

/** The characters between fields that are recognised, most common first. */
const DELIMITERS = [',', ';', '\t', '|'];

/** The delimiter that the first line of a file names, as Excel reads it: `sep=;`. */
export function namedDelimiter(line: string): string | undefined {
  return /^"?sep=([^"\r\n])"?\s*$/i.exec(line)?.[1];
}

/**
 * The delimiter of a header: `usual` if it holds one, and otherwise the one of those known that it holds most often. Of a line
 * that is no header but a row, it is the one that shows this: `2024-01-02;1,5;2,5` has commas in its numbers.
 */
export function delimiterOf(header: string, usual: string): string {
  const plain = withoutQuoted(header);
  const ofRow = DELIMITERS.find((delimiter) => plain.includes(delimiter) && isRow(plain.split(delimiter)));
  if (ofRow !== undefined || plain.includes(usual)) return ofRow ?? usual;
  let best = usual;
  let most = 1;
  for (const delimiter of DELIMITERS) {
    const count = plain.split(delimiter).length;
    if (count > most) [best, most] = [delimiter, count];
  }
  return best;
}

/**
 * The delimiter that makes this many fields of a line; `undefined` if none of those known does. The comma is the last that is
 * tried: numbers may hold as many of them.
 */
export function delimiterFor(line: string, fields: number): string | undefined {
  const plain = withoutQuoted(line);
  return DELIMITERS.findLast((delimiter) => plain.split(delimiter).length === fields);
}

/**
 * The names in a line that begins with `#`, if it is the header of the row that follows it: both have as many fields, and the
 * row holds more values. Otherwise it is a comment.
 */
export function markedHeader(line: string, row: string, given: string | undefined, usual: string) {
  for (const delimiter of given === undefined ? [delimiterOf(line, usual), delimiterOf(row, usual)] : [given]) {
    const names = fieldsOf(line, delimiter);
    const fields = fieldsOf(row, delimiter);
    if (names && fields && names.length > 1 && names.length === fields.length) {
      if (countValues(fields) > countValues(names)) return { names, delimiter };
    }
  }
  return undefined;
}

function fieldsOf(line: string, delimiter: string): readonly string[] | undefined {
  const record = new QuotedRecord(delimiter, Number.POSITIVE_INFINITY);
  return record.read([line], 0) === 'closed' ? withoutEmpty(record.fields) : undefined;
}

function withoutEmpty(fields: readonly string[]): readonly string[] {
  return fields.slice(0, fields.findLastIndex((field) => field !== '') + 1);
}

/** Whether a row repeats the header. */
export function sameNames(fields: readonly string[], names: readonly string[]): boolean {
  return fields.length === names.length && fields.every((field, i) => field === names[i]);
}

function withoutQuoted(line: string): string {
  return line.includes('"') ? line.replaceAll(/"[^"]*(?:"|$)/g, '') : line;
}

/** The names of the columns, or why the header cannot be used. */
export function columnsOf(fields: readonly string[]): readonly string[] | RowProblem {
  const columns = fields.map((name) => name.trim());
  // A blank behind the mark is how tools that write `# ts,open` make a comment of it; `#RIC` is a name.
  columns[0] = columns[0]!.replace(/^#\s+/, '');
  if (isRow(columns)) {
    const shown = `${columns.slice(0, 3).map(shortened).join(', ')}${columns.length > 3 ? ', …' : ''}`;
    return new RowProblem(
      `it holds values rather than the names of columns (${shown}): name ${columns.length === 1 ? 'the column' : `its ${columns.length} columns`} with header: ['ts', 'open', …]; if these are the names, repeat them there`,
    );
  }
  const twice = duplicateOf(columns);
  return twice === undefined
    ? columns
    : new RowProblem(`two columns are named ${JSON.stringify(shortened(twice))}; rename one`);
}

/** A name may be as long as a record, and a message may not. */
function shortened(name: string): string {
  return name.length > 60 ? `${name.slice(0, 60)}…` : name;
}

/** The first name that occurs twice. Several columns may have no name: nothing asks for them. */
export function duplicateOf(columns: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const name of columns) {
    if (name !== '' && seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

/** A number, a date or a time, in any of the spellings that files have. */
const VALUE = /^[-+]?[.\d][-+\d.,:/TZ'% e]*(?: ?[AP]M| [A-Z]{2,4}| [A-Z][a-z]+\/[A-Za-z_/]+)?$/i;

function countValues(fields: readonly string[]): number {
  return fields.filter(isValue).length;
}

function isValue(field: string): boolean {
  const text = field.trim();
  return text.length <= MAX_VALUE_LENGTH && /\d/.test(text) && VALUE.test(text);
}

/** In characters. */
const MAX_VALUE_LENGTH = 64;

/** Whether these are the fields of a row: at least half of them are values. Years or dates in ascending order are names. */
function isRow(fields: readonly string[]): boolean {
  const filled = fields.filter((field) => field !== '');
  const values = filled.filter(isValue);
  return values.length > 0 && values.length * 2 >= filled.length && !isSeries(values);
}

function isSeries(values: readonly string[]): boolean {
  if (values.length < 3) return false;
  const shape = shapeOf(values[0]!);
  return values.every(
    (value, i) => i === 0 || (shapeOf(value) === shape && NUMERIC.compare(values[i - 1]!, value) < 0),
  );
}

function shapeOf(value: string): string {
  return value.replaceAll(/\d+/g, '0');
}

const NUMERIC = new Intl.Collator('en', { numeric: true });
