import { describeValue } from '../../contracts/decodeProblems.js';
import { BAR, type Bar } from '../../market/bar.js';
import type { InstantReader } from '../../market/instantReader.js';
import { issuesOf } from '../../market/recordShape.js';
import {
  type FieldColumns,
  type FieldMapping,
  fieldColumns,
  type MissingColumn,
  reasonOfMissing,
  remedyFor,
} from './fieldColumns.js';
import { type FileRecord, RowProblem } from './fileRecord.js';
import { isIntraday } from './intraday.js';
import { Layouts } from './layouts.js';
import { MissingColumnError } from './missingColumnError.js';
import type { NumberReader } from './numbers.js';
import { trimmed } from './trimmed.js';
import { flagOf, showsDecimalMark, timeIn } from './values.js';
import { widenRange } from './widenRange.js';

/** The fields of a bar that a file can hold. */
export type BarField = Exclude<keyof Bar, 'kind'>;

export const BAR_FIELDS = Object.keys(BAR.fields).filter((field): field is BarField => field !== 'kind');

/** What few files have: a bar is read without it where the file has no such column, or nothing in it. */
const DETAILS: readonly BarField[] = ['isFinal', 'isComplete', 'trades', 'vwap'];

/** The column of each field; none for a field that is not in the file. A time may be in several. */
type BarColumns = Readonly<Record<Exclude<BarField, 'ts'>, string | undefined>> & { readonly ts: readonly string[] };

/** What a file may leave out because it is the same for all its bars. */
export interface BarDefaults {
  readonly vendor?: string | undefined;
  readonly symbol?: string | undefined;
  readonly timeframe?: string | undefined;
  readonly volume?: number | undefined;
}

export interface BarReaderSettings {
  readonly columns: FieldMapping<BarField>;
  readonly defaults: BarDefaults;
  readonly times: InstantReader;
  readonly numbers: NumberReader;
  readonly seqFrom: number;
  readonly ohlcTolerance: number;
}

type DraftBar = { -readonly [K in keyof Bar]: Bar[K] };

/** Reads bars from the records of one file. A default is for the record that lacks a property, and never for one that has it. */
export class BarReader {
  readonly #settings: BarReaderSettings;
  /** Of a CSV file, whose columns are the same in all its records. */
  readonly #columns: BarColumns | undefined;
  readonly #layouts: Layouts<BarColumns | RowProblem>;
  /** Whether a row had a date and time as digits alone: a date of 8 digits is then a midnight whose zeros were left out. */
  #hasCompactTimes = false;
  /** The timeframe of the last date without a time of day, and whether it is shorter than a day. */
  #timeframe = '';
  #isIntraday = false;
  /** The column of a price of the current row that could be another number. */
  #ambiguous: string | undefined;

  /**
   * `present` are the columns of a CSV file, and none for NDJSON, whose records have each their own. Throws a
   * {@link MissingColumnError} for a file of which no record can be read for lack of a column.
   */
  constructor(file: string, present: readonly string[] | undefined, settings: BarReaderSettings) {
    this.#settings = settings;
    this.#layouts = new Layouts((names) => this.#columnsOf(names));
    if (!present) return;
    // A column that the mapping names must be there: a default for it would hide a misspelt name.
    const isRequired = (field: BarField, isMapped: boolean) => isMapped || !this.#hasDefault(field);
    const { columns, missing } = fieldColumns(BAR_FIELDS, present, settings.columns, isRequired);
    const [first] = missing;
    if (first) throw new MissingColumnError(file, first.column, present, remedyFor('bar', first, mayBeDefault));
    this.#columns = barColumns(columns);
  }

  timeOf(bar: Bar): number {
    return bar.ts;
  }

  read(record: FileRecord, line: number): Bar | RowProblem {
    const columns = this.#columns ?? this.#layouts.of(record);
    if (columns instanceof RowProblem) return columns;
    const { defaults, times, numbers, seqFrom, ohlcTolerance } = this.#settings;
    this.#ambiguous = undefined;
    // What is no text is checked below, with the rest of the bar.
    const bar: DraftBar = {
      kind: 'bar',
      vendor: (columns.vendor === undefined ? defaults.vendor : trimmed(record[columns.vendor])) as string,
      symbol: (columns.symbol === undefined ? defaults.symbol : trimmed(record[columns.symbol])) as string,
      timeframe: (columns.timeframe === undefined ? defaults.timeframe : trimmed(record[columns.timeframe])) as string,
      ts: this.#instant(record, columns.ts),
      open: this.#price(record, columns.open!),
      high: this.#price(record, columns.high!),
      low: this.#price(record, columns.low!),
      close: this.#price(record, columns.close!),
      volume: this.#number(columns.volume === undefined ? defaults.volume : record[columns.volume]),
      seq: columns.seq === undefined ? seqFrom + line : this.#number(record[columns.seq]),
    };
    // Asked now, because it describes the time that was read last.
    const { isDate, isCompact } = times;
    if (columns.isFinal !== undefined) this.#addFlag(bar, 'isFinal', record[columns.isFinal]);
    if (columns.isComplete !== undefined) this.#addFlag(bar, 'isComplete', record[columns.isComplete]);
    if (columns.trades !== undefined) this.#addTrades(bar, record[columns.trades]);
    if (columns.vwap !== undefined) this.#addVwap(bar, record, columns.vwap);
    if (ohlcTolerance > 0) widenRange(bar, ohlcTolerance);
    if (issuesOf(BAR, bar).length > 0) return this.#problemOf(bar, record, columns);
    if (
      this.#ambiguous !== undefined &&
      !showsDecimalMark(
        record,
        NUMBERS.map((field) => columns[field]),
      )
    ) {
      const value = record[this.#ambiguous];
      const expected = 'expected a number whose decimal mark is known';
      return new RowProblem(`${expected}, got ${describeValue(value)}: ${numbers.remedyFor(value)}`, this.#ambiguous);
    }
    if (!isDate) this.#hasCompactTimes ||= isCompact;
    else if (!(isCompact && this.#hasCompactTimes) && this.#isShort(bar.timeframe)) {
      return this.#problemOfDate(bar, record, columns);
    }
    return bar;
  }

  #isShort(timeframe: string): boolean {
    if (timeframe !== this.#timeframe) {
      this.#timeframe = timeframe;
      this.#isIntraday = isIntraday(timeframe);
    }
    return this.#isIntraday;
  }

  #hasDefault(field: BarField): boolean {
    if (field === 'seq' || DETAILS.includes(field)) return true;
    return (this.#settings.defaults as Readonly<Partial<Record<BarField, unknown>>>)[field] !== undefined;
  }

  /** Of an NDJSON record with these properties. */
  #columnsOf(names: readonly string[]): BarColumns | RowProblem {
    const isRequired = (field: BarField) => !this.#hasDefault(field);
    const { columns, missing } = fieldColumns(BAR_FIELDS, names, this.#settings.columns, isRequired);
    return missing.length === 0 ? barColumns(columns) : problemOfMissing(missing);
  }

  #instant(record: FileRecord, columns: readonly string[]): number {
    const value = timeIn(record, columns);
    return typeof value === 'string' || typeof value === 'number' ? this.#settings.times.read(value) : Number.NaN;
  }

  #price(record: FileRecord, column: string): number {
    const price = this.#number(record[column]);
    if (this.#settings.numbers.isAmbiguous) this.#ambiguous ??= column;
    return price;
  }

  /** `NaN` if it is none, or says that there is none. */
  #number(value: unknown): number {
    return typeof value === 'string' || typeof value === 'number' ? this.#settings.numbers.read(value) : Number.NaN;
  }

  #addFlag(bar: DraftBar, field: 'isFinal' | 'isComplete', value: unknown): void {
    if (!this.#settings.numbers.isNoValue(value)) bar[field] = flagOf(value) as boolean;
  }

  #addTrades(bar: DraftBar, value: unknown): void {
    if (this.#settings.numbers.isNoValue(value)) return;
    const trades = this.#number(value);
    // No count is negative: it is how feeds write that they have none.
    if (trades !== -1) bar.trades = trades;
  }

  #addVwap(bar: DraftBar, record: FileRecord, column: string): void {
    if (!this.#settings.numbers.isNoValue(record[column])) bar.vwap = this.#price(record, column);
  }

  #problemOf(bar: Bar, record: FileRecord, columns: BarColumns): RowProblem {
    const { times, numbers } = this.#settings;
    const [issue] = issuesOf(BAR, bar);
    const field = issue!.field as BarField;
    if (field === 'ts') {
      const value = timeIn(record, columns.ts);
      const isTried = typeof value === 'string' || typeof value === 'number';
      const reason = isTried ? times.problem : `expected a time, got ${describeValue(value)}`;
      return new RowProblem(reason, columns.ts.join(' '));
    }
    const column = columns[field];
    // What could not be read at all is quoted as it stands in the file.
    const isUnread = Number.isNaN(issue!.value) && column !== undefined;
    const value = isUnread ? record[column] : issue!.value;
    const remedy = isUnread ? numbers.remedyFor(value) : '';
    const note = isUnread && numbers.isNoValue(value) ? ', which stands for no value' : remedy && `: ${remedy}`;
    return new RowProblem(`expected ${issue!.expected}, got ${describeValue(value)}${note}`, column ?? field);
  }

  #problemOfDate(bar: Bar, record: FileRecord, columns: BarColumns): RowProblem {
    const value = describeValue(timeIn(record, columns.ts));
    const names = [...columns.ts.map((name) => `'${name}'`), "'…'"].join(', ');
    return new RowProblem(
      `expected a date with a time of day for a bar of ${bar.timeframe}, got ${value}: ` +
        `name the column of the time too in columns: { ts: [${names}] }, or give the timeframe of daily bars`,
      columns.ts.join(' '),
    );
  }
}

function barColumns(columns: FieldColumns<BarField>): BarColumns {
  const single = Object.fromEntries(BAR_FIELDS.map((field) => [field, columns[field]?.[0]]));
  return { ...single, ts: columns.ts } as unknown as BarColumns;
}

function problemOfMissing(missing: readonly MissingColumn<BarField>[]): RowProblem {
  const { reason, column } = reasonOfMissing(missing, mayBeDefault);
  return new RowProblem(reason, column);
}

/** Whether a file may leave a field out because it is the same for all its bars. */
function mayBeDefault(field: BarField): boolean {
  return field === 'vendor' || field === 'symbol' || field === 'timeframe' || field === 'volume';
}

const NUMBERS = ['open', 'high', 'low', 'close', 'volume', 'vwap'] as const satisfies readonly BarField[];
