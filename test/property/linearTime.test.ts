import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatError } from '../../src/cli/formatError.js';
import { Table } from '../../src/cli/table.js';
import { decodeProblems } from '../../src/contracts/decodeProblems.js';
import { recordError } from '../../src/dead-letters/errorRecord.js';
import { LetterFormat } from '../../src/dead-letters/letterFormat.js';
import { encodeValue } from '../../src/dead-letters/valueCodec.js';
import { classifyFailure } from '../../src/failures/classifyFailure.js';
import { BarReader } from '../../src/files/read/barReader.js';
import { CsvParser } from '../../src/files/read/csvParser.js';
import { MissingColumnError } from '../../src/files/read/missingColumnError.js';
import { NdjsonParser } from '../../src/files/read/ndjsonParser.js';
import { NumberReader } from '../../src/files/read/numbers.js';
import { barCodec } from '../../src/market/codecs.js';
import { InstantReader } from '../../src/market/instantReader.js';
import { parseInstant } from '../../src/market/parseInstant.js';
import { classifyPostgresFailure } from '../../src/postgres/failures.js';
import { toStoreError } from '../../src/postgres/toStoreError.js';
import { nearestName } from '../../src/primitives/nearestName.js';
import { oneLine } from '../../src/primitives/oneLine.js';
import { isSecretName, redactText } from '../../src/primitives/redact.js';
import { redactJson } from '../../src/primitives/redactJson.js';
import { metricsFormat } from '../../src/telemetry/metricsFormat.js';

/** Reads the text as a line with another behind it, which a quote that it leaves open takes in. */
const csvLine = (text: string, header?: readonly string[]) =>
  quietly(() => new CsvParser({ file: 'f', header, maxRecordBytes: 1 << 30 } as never).parse([text, text], 0, 1, true));
const reader = new BarReader('f', ['vendor', 'symbol', 'timeframe', 'ts', 'open', 'high', 'low', 'close', 'volume'], {
  columns: {},
  defaults: {},
  times: new InstantReader(),
  numbers: new NumberReader(),
  seqFrom: 0,
  ohlcTolerance: 0,
});
const letters = new LetterFormat();

/** Whatever handles text that others have chosen: rows of a file, errors of a server, letters, headers of a request. */
const SUBJECTS: readonly (readonly [string, (text: string) => unknown])[] = [
  ['a text, redacted', redactText],
  ['a name that may be that of a secret', isSecretName],
  ['a line of a log, redacted', (text) => redactJson(JSON.stringify({ message: text, [text.slice(0, 50)]: text }))],
  ['a broken line of a log, redacted', redactJson],
  ['an error on the command line', (text) => formatError(new Error(text))],
  ['an error on the command line, with its stack', (text) => formatError(new Error(text), true)],
  ['an error in a letter', (text) => recordError(Object.assign(new Error(text), { code: text, cause: text }))],
  ['a cell of a table', (text) => new Table(['A', 'B'], { width: 80 }).lines([[text, oneLine(text)]])],
  ['an item of a letter', (text) => encodeValue({ [text]: [text] }, 'item')],
  ['a line of a segment', (text) => letters.parse(Buffer.from(`{"v":1,"id":${JSON.stringify(text)},"items":[${text}`))],
  ['a header of a CSV file', (text) => csvLine(text)],
  ['a row of a CSV file', (text) => csvLine(text, ['a', 'b'])],
  ['a line of NDJSON', (text) => quietly(() => new NdjsonParser({ file: 'f' } as never).parse([text], 0, 1, true))],
  ['a file without a column', (text) => new MissingColumnError('f', text, text.split(','), '')],
  [
    'the fields of a bar',
    (text) => reader.read({ vendor: text, symbol: text, timeframe: text, ts: text, open: text }, 1),
  ],
  [
    'a record that is none',
    (text) => {
      const decoded = barCodec.decode({ kind: 'bar', vendor: text, symbol: text, ts: text, open: text });
      return decoded._tag === 'Left' && decodeProblems(decoded.left);
    },
  ],
  ['a time', (text) => parseInstant(text)],
  ['a mistyped name', (text) => nearestName(text, ['capacity', 'overflow'])],
  [
    'an error that is classified',
    (text) => classifyFailure(Object.assign(new Error(text), { code: text, name: text })),
  ],
  ['an error of the driver', (text) => classifyPostgresFailure(new Error(text))],
  ['an error of a pooler', (text) => classifyPostgresFailure(Object.assign(new Error(text), { code: '08P01' }))],
  [
    'an error of the store',
    (text) => toStoreError(Object.assign(new Error(text), { code: '22P02', where: `COPY ${text}` })),
  ],
  ['an Accept header', metricsFormat],
];

/** Pieces of what the patterns in src look for: repeated, they have it tried again and again. */
const PIECES = [
  ...[
    'a',
    'A',
    'aB',
    '0',
    '1',
    '9.',
    ' ',
    '\t',
    '\n',
    '\r',
    ',',
    ';',
    '.',
    ':',
    '=',
    '-',
    '_',
    '/',
    '\\',
    '@',
    '?',
    '&',
    '#',
    '%',
  ],
  ...[
    '"',
    "'",
    '`',
    '\\"',
    '""',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '{"a":',
    '[[',
    '<',
    '***',
    '\u0000',
    '\u2028',
    '\ud800',
    '𝔘',
  ],
  ...[
    '://',
    'a://b:',
    'postgres://u:',
    'token',
    'token=',
    'password',
    'password="',
    "password='***",
    'cookie: ',
    'cookie: *** ',
  ],
  ...[
    'authorization: ',
    'key ',
    'key=',
    '?key=',
    'secret \\',
    'bearer ',
    'basic a',
    '-----BEGIN PRIVATE KEY-----',
    '--token ',
  ],
  ...[
    'timeout ',
    'connect ',
    'database "',
    'line 1, column ',
    ', line 1',
    'COPY ',
    'password=***',
    'QUJD',
    'e+',
    '1e',
    'q=',
    ' = ',
  ],
  ...['№,', '№ ', '"№",', '{"№":'],
  ...['"password":', '"a":', 'undefined ', 'null', 'token: null ', 'secret: undefined,'],
];

const SMALL = 4_000;
const FACTOR = 16;
/** What a linear function may take more than `FACTOR` times: collections, tables that grow. A quadratic one takes 16 times more. */
const TOLERANCE = 5;
/** Less than this says nothing about growth, and harms nobody. */
const MIN_MS = 25;

function quietly(work: () => unknown): unknown {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function timeOf(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** The least of several: others use the processor, too. */
function leastTimeOf(subject: (text: string) => unknown, text: string, limit = 3): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < limit && least > 1; i++)
    least = Math.min(
      least,
      timeOf(() => subject(text)),
    );
  return least;
}

/** Repeats pieces up to a length; each `№` is another number, so that names differ. */
function long(pieces: readonly string[], length: number): string {
  const unit = pieces.join('');
  const text = unit.repeat(Math.ceil(length / unit.length));
  let n = 0;
  return unit.includes('№') ? text.replaceAll('№', () => String(n++)) : text;
}

function growsLinearly(subject: (text: string) => unknown, make: (length: number) => string): boolean {
  const text = make(SMALL * FACTOR);
  if (timeOf(() => subject(text)) < MIN_MS) return true;
  const large = leastTimeOf(subject, text);
  return large < MIN_MS || large < Math.max(1, leastTimeOf(subject, make(SMALL))) * FACTOR * TOLERANCE;
}

describe('the time that a text takes, whoever has chosen it, grows with its length and no faster', () => {
  const pieces = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 4 });
  const ends = fc.constantFrom('', 'x', '"', '\u0000', ' password=x', '}', '\n');

  it.each(SUBJECTS)('%s', (_, subject) => {
    for (const piece of PIECES) {
      for (const end of ['', 'x']) {
        expect([piece, end, growsLinearly(subject, (length) => long([piece], length) + end)]).toEqual([
          piece,
          end,
          true,
        ]);
      }
    }
    fc.assert(
      fc.property(pieces, pieces, ends, (unit, head, end) =>
        growsLinearly(subject, (length) => head.join('') + long(unit, length) + end),
      ),
      { seed: 20_261_128, numRuns: 60 },
    );
  });
});
