import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsvParser } from '../../src/files/read/csvParser.js';
import { type FileRecord, RowProblem } from '../../src/files/read/fileRecord.js';
import { type Line, LineSplitter } from '../../src/files/read/lineSplitter.js';

const RUNS = { seed: 11, numRuns: 400 };

const DELIMITERS = [',', ';', '\t', '|'];

/** Text with all that a CSV file gives a meaning to. */
const text = fc.string({
  unit: fc.constantFrom(
    'a',
    '1',
    '"',
    ',',
    ';',
    '\t',
    '|',
    ' ',
    '\n',
    '\r',
    '\r\n',
    '#',
    'é',
    '€',
    '😀',
    '\u0000',
    '\uFEFF',
  ),
  maxLength: 8,
});

const table = fc
  .integer({ min: 1, max: 5 })
  .chain((width) => fc.array(fc.array(text, { minLength: width, maxLength: width }), { maxLength: 8 }));

const written = fc.record({
  rows: table,
  delimiter: fc.constantFrom(...DELIMITERS),
  end: fc.constantFrom('\n', '\r\n'),
  isEnded: fc.boolean(),
  quotesAll: fc.boolean(),
  cuts: fc.array(fc.nat({ max: 400 }), { maxLength: 8 }),
});

/** By RFC 4180. What is empty is quoted too, so that a line of such values is none of delimiters alone. */
function field(value: string, delimiter: string, quotesAll: boolean): string {
  const isPlain = value !== '' && value.trim() === value && !/["\r\n#]/.test(value) && !value.includes(delimiter);
  return isPlain && !quotesAll ? value : `"${value.replaceAll('"', '""')}"`;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => Math.min(place, bytes.length)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((place, i) => bytes.subarray(at[i], place));
}

/** The records of a file that comes in these chunks, with the line of each, and the lines held while more were wanted. */
function read(chunks: readonly Buffer[], header: readonly string[], delimiter: string, maxRecordBytes = 1_000_000) {
  const settings = { file: 'f.csv', header, delimiter, maxRecordBytes, skipLines: 0, comment: undefined };
  const parser = new CsvParser(settings as never);
  const splitter = new LineSplitter(maxRecordBytes);
  const records: (FileRecord | RowProblem)[] = [];
  let held: Line[] = [];
  let taken = 0;
  const drain = (isLast: boolean) => {
    let at = 0;
    while (at < held.length) {
      const line = held[at]!;
      if (typeof line === 'string' && line.trim() === '') {
        at += 1;
        continue;
      }
      const record = parser.parse(held, at, taken + at + 1, isLast);
      if (record === 'more') break;
      at += parser.taken;
      if (record) records.push(record);
    }
    taken += at;
    held = held.slice(at);
  };
  for (const chunk of chunks) {
    held.push(...splitter.push(chunk));
    drain(false);
  }
  held.push(...splitter.end());
  drain(true);
  return records;
}

const named = (width: number) => Array.from({ length: width }, (_, i) => `column ${i}`);

describe('any table', () => {
  it('that is written by RFC 4180 reads back equal, wherever its bytes are cut', () => {
    fc.assert(
      fc.property(written, ({ rows, delimiter, end, isEnded, quotesAll, cuts }) => {
        const header = named(rows[0]?.length ?? 1);
        const lines = rows.map((row) => row.map((value) => field(value, delimiter, quotesAll)).join(delimiter));
        const bytes = Buffer.from(lines.join(end) + (isEnded ? end : ''));
        const records = read(cut(bytes, cuts), header, delimiter);
        expect(records).toEqual(rows.map((row) => Object.fromEntries(row.map((value, i) => [header[i], value]))));
      }),
      RUNS,
    );
  });

  it('reads as csv-parse reads it, with blanks around its fields', () => {
    const blanks = fc.constantFrom('', '', ' ', '  ', ' \t');
    fc.assert(
      fc.property(written, fc.array(blanks, { minLength: 1 }), ({ rows, end, cuts, quotesAll }, pads) => {
        const header = named(rows[0]?.length ?? 1);
        let pad = 0;
        const around = (value: string) => `${pads[pad++ % pads.length]}${value}${pads[pad++ % pads.length]}`;
        const content = rows
          .map((row) => row.map((value) => around(field(value, ',', quotesAll))).join(',') + end)
          .join('');
        const wanted = parse(content, { columns: [...header], record_delimiter: end, ltrim: true, rtrim: true });
        expect(read(cut(Buffer.from(content), cuts), header, ',')).toEqual(wanted);
      }),
      RUNS,
    );
  });

  it('that is spoilt by a quote anywhere loses no line but those that the quote can reach', () => {
    fc.assert(
      fc.property(fc.nat({ max: 200 }), fc.nat({ max: 100 }), fc.array(fc.nat({ max: 400 })), (place, limit, cuts) => {
        const lines = Array.from({ length: 40 }, (_, i) => `${i},x`);
        const content = lines.join('\n');
        const at = Math.min(place, content.length);
        const spoilt = `${content.slice(0, at)}"${content.slice(at)}`;
        const records = read(cut(Buffer.from(spoilt), cuts), ['a', 'b'], ',', limit + 20);
        const good = records.filter((one): one is FileRecord => !(one instanceof RowProblem));
        const bad = records.length - good.length;
        expect(bad).toBeLessThanOrEqual(1);
        expect(good.length).toBeGreaterThanOrEqual(39);
      }),
      RUNS,
    );
  });
});
