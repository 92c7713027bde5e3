import { describeValue } from '../../contracts/decodeProblems.js';
import { BAR, type Bar } from '../../market/bar.js';
import { type EpochUnit, parseInstant } from '../../market/parseInstant.js';
import { issuesOf } from '../../market/recordShape.js';
import {
  type BarColumns,
  type BarField,
  type BarMapping,
  barColumns,
  DETAILS,
  type MissingColumn,
  mayBeDefault,
  remedyFor,
} from './barColumns.js';
import { type FileRecord, RowProblem } from './fileRecord.js';
import { Layouts } from './layouts.js';
import { MissingColumnError } from './missingColumnError.js';
import { trimmed } from './trimmed.js';
import { widenRange } from './widenRange.js';

/** What a file may leave out because it is the same for all its bars. */
export interface BarDefaults {
  readonly vendor?: string | undefined;
  readonly symbol?: string | undefined;
  readonly timeframe?: string | undefined;
  readonly volume?: number | undefined;
}

export interface BarReaderSettings {
  readonly columns: BarMapping;
  readonly defaults: BarDefaults;
  readonly timeUnit: EpochUnit;
  readonly seqFrom: number;
  readonly ohlcTolerance: number;
}

type DraftBar = { -readonly [K in keyof Bar]: Bar[K] };

// Each digit can match in one place only: a long number that is none is not tried over and over.
const DECIMAL = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/;

/** Reads bars from the records of one file. A default is for the record that lacks a property, and never for one that has it. */
export class BarReader {
  readonly #settings: BarReaderSettings;
  /** Of a CSV file, whose columns are the same in all its records. */
  readonly #columns: BarColumns | undefined;
  readonly #layouts: Layouts<BarColumns | RowProblem>;

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
    const { columns, missing } = barColumns(present, settings.columns, isRequired);
    const [first] = missing;
    if (first) throw new MissingColumnError(file, first.column, present, remedyFor(first));
    this.#columns = columns;
  }

  timeOf(bar: Bar): number {
    return bar.ts;
  }

  read(record: FileRecord, line: number): Bar | RowProblem {
    const columns = this.#columns ?? this.#layouts.of(record);
    if (columns instanceof RowProblem) return columns;
    const { defaults, seqFrom, ohlcTolerance } = this.#settings;
    // What is no text is checked below, with the rest of the bar.
    const bar: DraftBar = {
      kind: 'bar',
      vendor: (columns.vendor === undefined ? defaults.vendor : trimmed(record[columns.vendor])) as string,
      symbol: (columns.symbol === undefined ? defaults.symbol : trimmed(record[columns.symbol])) as string,
      timeframe: (columns.timeframe === undefined ? defaults.timeframe : trimmed(record[columns.timeframe])) as string,
      ts: this.#instant(record, columns.ts),
      open: this.#number(record[columns.open!]),
      high: this.#number(record[columns.high!]),
      low: this.#number(record[columns.low!]),
      close: this.#number(record[columns.close!]),
      volume: this.#number(columns.volume === undefined ? defaults.volume : record[columns.volume]),
      seq: columns.seq === undefined ? seqFrom + line : this.#number(record[columns.seq]),
    };
    if (columns.isFinal !== undefined) this.#addFlag(bar, 'isFinal', record[columns.isFinal]);
    if (columns.isComplete !== undefined) this.#addFlag(bar, 'isComplete', record[columns.isComplete]);
    if (columns.trades !== undefined) this.#addNumber(bar, 'trades', record[columns.trades]);
    if (columns.vwap !== undefined) this.#addNumber(bar, 'vwap', record[columns.vwap]);
    if (ohlcTolerance > 0) widenRange(bar, ohlcTolerance);
    return issuesOf(BAR, bar).length === 0 ? bar : this.#problemOf(bar, record, columns);
  }

  #hasDefault(field: BarField): boolean {
    if (field === 'seq' || (DETAILS as readonly BarField[]).includes(field)) return true;
    return (this.#settings.defaults as Readonly<Partial<Record<BarField, unknown>>>)[field] !== undefined;
  }

  /** Of an NDJSON record with these properties. */
  #columnsOf(names: readonly string[]): BarColumns | RowProblem {
    const { columns, missing } = barColumns(names, this.#settings.columns, (field) => !this.#hasDefault(field));
    return missing.length === 0 ? columns : problemOfMissing(missing);
  }

  #instant(record: FileRecord, columns: readonly string[]): number {
    const value =
      columns.length === 1 ? record[columns[0]!] : columns.map((column) => trimmed(record[column])).join(' ');
    return typeof value === 'string' || typeof value === 'number'
      ? parseInstant(value, this.#settings.timeUnit)
      : Number.NaN;
  }

  /** `NaN` if it is none. */
  #number(value: unknown): number {
    if (typeof value === 'number') return value;
    if (typeof value !== 'string') return Number.NaN;
    const text = trimmed(value) as string;
    return DECIMAL.test(text) ? Number(text) : Number.NaN;
  }

  #addNumber(bar: DraftBar, field: 'trades' | 'vwap', value: unknown): void {
    if (!isNothing(value)) bar[field] = this.#number(value);
  }

  #addFlag(bar: DraftBar, field: 'isFinal' | 'isComplete', value: unknown): void {
    if (!isNothing(value)) bar[field] = flagOf(value) as boolean;
  }

  #problemOf(bar: Bar, record: FileRecord, columns: BarColumns): RowProblem {
    const [issue] = issuesOf(BAR, bar);
    const field = issue!.field as BarField;
    const column = field === 'ts' ? columns.ts.join(' ') : columns[field];
    const raw =
      field === 'ts' ? columns.ts.map((one) => record[one]) : column === undefined ? undefined : [record[column]];
    // What could not be read at all is quoted as it stands in the file.
    const value = raw && Number.isNaN(issue!.value) ? (raw.length === 1 ? raw[0] : raw.join(' ')) : issue!.value;
    const expected = field === 'ts' ? `a date, or a time in ${this.#settings.timeUnit} since 1970` : issue!.expected;
    return new RowProblem(`expected ${expected}, got ${describeValue(value)}`, column ?? field);
  }
}

/** An optional value that is not there. */
function isNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value !== 'string') return false;
  const text = trimmed(value);
  return text === '' || text === '\\N';
}

/** Files write it in many ways: Postgres `t`, pandas `True`, a spreadsheet `TRUE`. What is neither is left as it is. */
function flagOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const text = value.trim().toLowerCase();
  if (text === 'true' || text === 't') return true;
  return text === 'false' || text === 'f' ? false : value;
}

function problemOfMissing(missing: readonly MissingColumn[]): RowProblem {
  const [first] = missing as [MissingColumn, ...MissingColumn[]];
  if (first.rivals.length > 0) {
    const rivals = first.rivals.map((one) => JSON.stringify(one)).join(' and ');
    return new RowProblem(`has ${rivals}: name one of them in columns: { ${first.field}: '…' }`, first.column);
  }
  const names = missing.map(({ column }) => column).join(', ');
  const [what, column] = missing.length === 1 ? ['property', first.column] : ['properties', undefined];
  const constant = missing.find(({ field }) => mayBeDefault(field));
  const orDefault = constant ? `, or give it in defaults: { ${constant.field}: … } if no record has it` : '';
  return new RowProblem(
    `lacks the ${what} ${names}: name what it has instead in columns: { ${first.field}: '…' }${orDefault}`,
    column,
  );
}
