import { rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BadRow, type ReplayBarsConfig, replayFile } from '../../src/files/index.js';
import type { Bar } from '../../src/market/bar.js';
import { Folder } from '../support/folder.js';

let folder: Folder;
beforeAll(() => {
  folder = new Folder();
});
afterAll(() => folder.remove());

/** One way of writing an instant, and what the reader must be told about it. */
interface TimeShape {
  readonly name: string;
  /** The finest step that it can write, in microseconds. */
  readonly stepUs: number;
  readonly write: (us: number) => string;
  readonly config: ReplayBarsConfig;
  /** The zone whose clocks it shows. */
  readonly zone?: string;
}

const pad = (n: number, width = 2) => String(n).padStart(width, '0');

/** What a clock shows, in fields: written with `Intl`, which the reader's arithmetic has nothing to do with. */
function clock(us: number, zone: string) {
  const ms = Math.floor(us / 1_000);
  const shown: Record<string, string> = {};
  formats[zone] ??= formatOf(zone);
  for (const { type, value } of formats[zone].formatToParts(ms)) shown[type] = value;
  const { year = '', month = '', day = '', hour = '', minute = '', second = '' } = shown;
  return { year, month, day, hour, minute, second, micros: pad(((us % 1e6) + 1e6) % 1e6, 6) };
}

const formats: Record<string, Intl.DateTimeFormat> = {};

function formatOf(zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    ...{ timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit' },
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
  });
}

const wall = (us: number, zone: string) => Object.values(clock(us, zone)).join(' ');

/** Whether the clocks of the zone show this more than once. */
function comesTwice(us: number, zone: string): boolean {
  const shown = wall(us, zone);
  return [-120, -60, -30, 30, 60, 120].some((minutes) => wall(us + minutes * 60e6, zone) === shown);
}

const SECOND = 1e6;
const MINUTE = 60 * SECOND;

const utc = (write: (at: ReturnType<typeof clock>) => string) => (us: number) => write(clock(us, 'UTC'));

/** An offset that the text itself holds: the clock is moved by as much. */
const offset = (minutes: number, text: string) => (us: number) => {
  const { year, month, day, hour, minute, second, micros } = clock(us + minutes * 60e6, 'UTC');
  return `${year}-${month}-${day} ${hour}:${minute}:${second}.${micros}${text}`;
};

function twelve(hour: string): readonly [string, string] {
  return [String(Number(hour) % 12 || 12), Number(hour) < 12 ? 'AM' : 'PM'];
}

const local = (zone: string): TimeShape[] => [
  {
    name: `local time of ${zone}`,
    ...{ stepUs: 1, zone, config: { timeZone: zone } },
    write: (us) => {
      const { year, month, day, hour, minute, second, micros } = clock(us, zone);
      return `${year}-${month}-${day} ${hour}:${minute}:${second}.${micros}`;
    },
  },
  {
    name: `the time of an American spreadsheet in ${zone}`,
    ...{ stepUs: MINUTE, zone, config: { timeZone: zone, dateOrder: 'MDY' } },
    write: (us) => {
      const { year, month, day, hour, minute } = clock(us, zone);
      const [h, half] = twelve(hour);
      return `${Number(month)}/${Number(day)}/${year} ${h}:${minute} ${half}`;
    },
  },
  {
    name: `the time of Interactive Brokers in ${zone}`,
    ...{ stepUs: SECOND, zone, config: {} },
    write: (us) => {
      const { year, month, day, hour, minute, second } = clock(us, zone);
      return `${year}${month}${day} ${hour}:${minute}:${second} ${zone}`;
    },
  },
];

const TIMES: readonly TimeShape[] = [
  {
    name: 'ISO with Z',
    ...{ stepUs: 1, config: {} },
    write: utc((at) => `${at.year}-${at.month}-${at.day}T${at.hour}:${at.minute}:${at.second}.${at.micros}Z`),
  },
  { name: 'an offset of hours', stepUs: 1, config: {}, write: offset(-300, '-05') },
  { name: 'an offset of a half hour', stepUs: 1, config: {}, write: offset(330, '+05:30') },
  { name: 'an offset without a colon', stepUs: 1, config: {}, write: offset(-570, '-0930') },
  { name: 'the word UTC', stepUs: 1, config: {}, write: offset(0, ' UTC') },
  { name: 'seconds', stepUs: SECOND, config: { timeUnit: 's' }, write: (us) => String(us / 1e6) },
  { name: 'milliseconds', stepUs: 1_000, config: { timeUnit: 'ms' }, write: (us) => String(us / 1e3) },
  { name: 'microseconds', stepUs: 1, config: { timeUnit: 'us' }, write: String },
  { name: 'nanoseconds', stepUs: 1, config: { timeUnit: 'ns' }, write: (us) => `${us}000` },
  {
    name: 'fourteen digits',
    ...{ stepUs: SECOND, config: {} },
    write: utc(({ year, month, day, hour, minute, second }) => `${year}${month}${day}${hour}${minute}${second}`),
  },
  {
    name: 'twelve digits',
    ...{ stepUs: MINUTE, config: {} },
    write: utc(({ year, month, day, hour, minute }) => `${year}${month}${day}${hour}${minute}`),
  },
  {
    name: 'points between the parts of the date',
    ...{ stepUs: MINUTE, config: {} },
    write: utc(({ year, month, day, hour, minute }) => `${year}.${month}.${day} ${hour}:${minute}`),
  },
  {
    name: 'the day first',
    ...{ stepUs: SECOND, config: { dateOrder: 'DMY' } },
    write: utc(({ year, month, day, hour, minute, second }) => `${day}.${month}.${year} ${hour}:${minute}:${second}`),
  },
  ...local('America/New_York'),
  ...local('Asia/Kolkata'),
  ...local('Australia/Lord_Howe'),
];

/** One way of writing numbers; `undefined` for a number that it cannot write. */
interface NumberShape {
  readonly name: string;
  readonly write: (n: number) => string;
  readonly config: ReplayBarsConfig;
  /** Texts that it needs quoted where a comma separates the fields. */
  readonly hasCommas: boolean;
}

function grouped(n: number, group: string, decimal: string): string {
  const [whole = '', fraction] = String(Math.abs(n)).split('.');
  const groups = whole.replaceAll(/\B(?=(?:\d{3})+$)/g, group);
  return `${n < 0 ? '-' : ''}${groups}${fraction === undefined ? '' : decimal + fraction}`;
}

const NUMBERS: readonly NumberShape[] = [
  { name: 'plain', config: {}, hasCommas: false, write: String },
  { name: 'with commas', config: { decimal: '.' }, hasCommas: true, write: (n) => grouped(n, ',', '.') },
  { name: 'German', config: { decimal: ',' }, hasCommas: true, write: (n) => grouped(n, '.', ',') },
  { name: 'French', config: { decimal: ',' }, hasCommas: true, write: (n) => grouped(n, '\u202f', ',') },
  { name: 'Swiss', config: {}, hasCommas: false, write: (n) => grouped(n, "'", '.') },
];

const NO_VALUES = ['', 'null', 'N/A', 'NaN', '1.7976931348623157e308', '9223372036854775807', '-'];

interface Written {
  readonly bar: Bar;
  /** What is written in place of the close, if the row is to be refused. */
  readonly noValue: string | undefined;
}

/** Digits that no shape of numbers writes with an exponent, and that add up exactly. */
const price = fc.integer({ min: -5_000_000, max: 5_000_000 }).map((n) => n / 1_000);
const symbol = fc.constantFrom('AAPL', 'BRK B', 'TpC', 'TPC', 'BF/B', '^GSPC', 'rb2405', 'ES=F', 'Ö1');

/** From 1990 to 2024, and often within an hour that daylight saving repeats or skips. */
const instantUs = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 631_152_000, max: 1_735_000_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 7_200 }).map((s) => 1_730_609_000 + s) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 7_200 }).map((s) => 1_710_053_000 + s) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 7_200 }).map((s) => 1_712_411_000 + s) },
);

const written: fc.Arbitrary<Written> = fc
  .record({
    symbol,
    seconds: instantUs,
    micros: fc.integer({ min: 0, max: 999_999 }),
    prices: fc.array(price, { minLength: 4, maxLength: 4 }),
    volume: fc.integer({ min: 0, max: 50_000_000 }),
    noValue: fc.option(fc.constantFrom(...NO_VALUES), { nil: undefined, freq: 8 }),
  })
  .map(({ symbol, seconds, micros, prices, volume, noValue }) => {
    const [low = 0, a = 0, b = 0, high = 0] = [...prices].sort((x, y) => x - y);
    const ts = (seconds * 1e6 + micros) / 1e3;
    const open = prices[0]! < 0 ? a : b;
    const close = open === a ? b : a;
    const bar: Bar = { kind: 'bar', vendor: 'acme', symbol, timeframe: '1m', ts, open, high, low, close, volume };
    return { bar, noValue };
  });

const layout = fc.record({
  delimiter: fc.constantFrom(',', ';', '\t', '|'),
  quoting: fc.constantFrom('needed', 'all'),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  hasEndAtLast: fc.boolean(),
  hasMark: fc.boolean(),
  preamble: fc.integer({ min: 0, max: 3 }),
  blanks: fc.boolean(),
  trailing: fc.boolean(),
  note: fc.option(fc.constantFrom('split, "2:1"', 'as\nannounced', '"', ';,|\t'), { nil: undefined }),
  container: fc.constantFrom('plain', 'gzip', 'padded members', 'utf-16le', 'utf-16be'),
  isNdjson: fc.boolean(),
});
type Layout = typeof layout extends fc.Arbitrary<infer A> ? A : never;

const COLUMNS = ['symbol', 'ts', 'open', 'high', 'low', 'close', 'volume'] as const;

function toText(rows: readonly Written[], time: TimeShape, number: NumberShape, layout: Layout): string {
  const { delimiter, quoting, blanks, trailing, note, lineEnd } = layout;
  const valuesOf = ({ bar, noValue }: Written) =>
    COLUMNS.map((column) => {
      if (column === 'close' && noValue !== undefined) return noValue;
      const value = bar[column];
      if (column === 'ts') return time.write(Math.round(bar.ts * 1e3));
      return typeof value === 'number' ? number.write(value) : value;
    });
  if (layout.isNdjson) {
    return rows
      .map((row) => JSON.stringify(Object.fromEntries(valuesOf(row).map((value, i) => [COLUMNS[i], value]))))
      .join(lineEnd);
  }
  const field = (value: string) => {
    const isQuoted = quoting === 'all' || /["\r\n]/.test(value) || value.includes(delimiter);
    const text = isQuoted ? `"${value.replaceAll('"', '""')}"` : value;
    return blanks ? ` ${text} ` : text;
  };
  const line = (values: readonly string[]) =>
    [...values, ...(note === undefined ? [] : [note])].map(field).join(delimiter) + (trailing ? delimiter : '');
  const preamble = Array.from({ length: layout.preamble }, (_, i) => `line ${i} of a preamble`);
  const header = line(COLUMNS).replace(note === undefined ? /$^/ : field(note), () => field('note'));
  return [...preamble, header, ...rows.map((row) => line(valuesOf(row)))].join(lineEnd);
}

function toBytes(text: string, { container, hasMark }: Layout): Buffer {
  const marked = hasMark ? `\uFEFF${text}` : text;
  if (container === 'utf-16le') return Buffer.from(marked, 'utf16le');
  if (container === 'utf-16be') return Buffer.from(marked, 'utf16le').swap16();
  const bytes = Buffer.from(marked);
  if (container === 'plain') return bytes;
  if (container === 'gzip') return gzipSync(bytes);
  const middle = Math.floor(bytes.length / 2);
  return Buffer.concat([gzipSync(bytes.subarray(0, middle)), Buffer.alloc(512), gzipSync(bytes.subarray(middle))]);
}

function read(path: string, config: ReplayBarsConfig) {
  const bars: Bar[] = [];
  const bad: BadRow[] = [];
  return new Promise<{ bars: Bar[]; bad: BadRow[]; error: unknown }>((resolve) => {
    replayFile(path, { ...config, onBadRow: (row) => bad.push(row) }).subscribe({
      next: (bar) => bars.push(bar),
      error: (error: unknown) => resolve({ bars, bad, error }),
      complete: () => resolve({ bars, bad, error: undefined }),
    });
  });
}

describe('a file of bars in any shape that people write', () => {
  it('is read back equal, or with bad rows that are reported, and never as something else', async () => {
    let files = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(written, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(...TIMES),
        fc.constantFrom(...NUMBERS),
        layout,
        async (drawn, time, number, layout) => {
          // What the shape cannot write is not in the bars.
          const rows = drawn.map(({ bar, noValue }) => {
            const us = Math.floor(Math.round(bar.ts * 1e3) / time.stepUs) * time.stepUs;
            return { bar: { ...bar, ts: us / 1e3 }, noValue };
          });
          const lineEnd = layout.hasEndAtLast ? layout.lineEnd : '';
          const bytes = toBytes(toText(rows, time, number, layout) + lineEnd, layout);
          files += 1;
          const path = folder.write(`bars-${files}.${layout.isNdjson ? 'ndjson' : 'csv'}`, bytes);
          const { bars, bad, error } = await read(path, {
            ...{ ...time.config, ...number.config },
            defaults: { vendor: 'acme', timeframe: '1m' },
            ...(!layout.isNdjson && { delimiter: layout.delimiter, skipLines: layout.preamble }),
            ...(layout.container.startsWith('utf-16') && { encoding: layout.container }),
          });
          rmSync(path);

          const isTold = ({ bar: { ts }, noValue }: Written) =>
            noValue !== undefined || (time.zone !== undefined && comesTwice(Math.round(ts * 1e3), time.zone));
          const good = rows.filter((row) => !isTold(row)).map(({ bar }) => bar);
          expect(bars.map(({ seq: _, ...bar }) => bar)).toEqual(good);
          expect(bad).toHaveLength(rows.length - good.length);
          if (good.length > 0) expect(error).toBeUndefined();
          else expect(error).toMatchObject({ code: 'SLUICE_NO_GOOD_ROW' });
        },
      ),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 300) },
    );
  }, 120_000);
});
