import { describeValue } from '../../contracts/decodeProblems.js';
import { BAR, type Bar } from '../../market/bar.js';
import { type EpochUnit, parseInstant } from '../../market/parseInstant.js';
import { issuesOf } from '../../market/recordShape.js';
import { type FileRecord, RowProblem } from './fileRecord.js';
import { MissingColumnError } from './missingColumnError.js';

/** The fields of a bar that a file can hold. */
export type BarField = Exclude<keyof Bar, 'kind'>;

export const BAR_FIELDS = Object.keys(BAR.fields).filter((field): field is BarField => field !== 'kind');

/** What few files have: a bar is read without it where the file has no such column, or nothing in it. */
const DETAILS = ['isFinal', 'isComplete', 'trades', 'vwap'] as const satisfies readonly BarField[];

/** What a file may leave out because it is the same for all its bars. */
export interface BarDefaults {
  readonly vendor?: string | undefined;
  readonly symbol?: string | undefined;
  readonly timeframe?: string | undefined;
  readonly volume?: number | undefined;
}

export interface BarReaderSettings {
  readonly columns: Partial<Record<BarField, string | undefined>>;
  readonly defaults: BarDefaults;
  readonly timeUnit: EpochUnit;
  readonly seqFrom: number;
}

// Each digit can match in one place only: a long number that is none is not tried over and over.
const DECIMAL = /^\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s*$/;

/** Reads bars from the records of one file, which has these columns. Throws a {@link MissingColumnError} if it lacks one. */
export function barReader(
  file: string,
  present: readonly string[],
  { columns: mapped, defaults, timeUnit, seqFrom }: BarReaderSettings,
): (record: FileRecord, line: number) => Bar | RowProblem {
  const optional: Readonly<Record<string, unknown>> = { seq: seqFrom, ...defaults };
  const columns = {} as Record<BarField, string>;
  const details: (typeof DETAILS)[number][] = [];
  for (const field of BAR_FIELDS) {
    const column = mapped[field] ?? field;
    columns[field] = column;
    const isPresent = present.includes(column);
    const detail = DETAILS.find((name) => name === field);
    if (detail && isPresent) details.push(detail);
    if (
      isPresent ||
      (detail && mapped[field] === undefined) ||
      (mapped[field] === undefined && optional[field] !== undefined)
    )
      continue;
    throw new MissingColumnError(file, column, present, remedyFor(field));
  }

  return (record, line) => {
    const version = record[columns.seq];
    // A value that is not a time or a number is left as it is, so that the message can quote it.
    const bar: Record<string, unknown> = {
      kind: 'bar',
      vendor: either(record[columns.vendor], defaults.vendor),
      symbol: either(record[columns.symbol], defaults.symbol),
      timeframe: either(record[columns.timeframe], defaults.timeframe),
      ts: toInstant(record[columns.ts], timeUnit),
      open: toNumber(record[columns.open]),
      high: toNumber(record[columns.high]),
      low: toNumber(record[columns.low]),
      close: toNumber(record[columns.close]),
      volume: toNumber(either(record[columns.volume], defaults.volume)),
      seq: version === undefined ? seqFrom + line : toNumber(version),
    };
    for (const detail of details) {
      const value = record[columns[detail]];
      if (value !== undefined && value !== '') bar[detail] = toDetail(value);
    }
    const [issue] = issuesOf(BAR, bar);
    if (!issue) return bar as unknown as Bar;
    const expected = issue.field === 'ts' ? `a date, or a time in ${timeUnit} since 1970` : issue.expected;
    return new RowProblem(`expected ${expected}, got ${describeValue(issue.value)}`, columns[issue.field as BarField]);
  };
}

/** A default is for the record that lacks the value, not for one whose value is wrong. */
function either(value: unknown, fallback: unknown): unknown {
  return value === undefined ? fallback : value;
}

function toInstant(value: unknown, unit: EpochUnit): unknown {
  const ts = typeof value === 'string' || typeof value === 'number' ? parseInstant(value, unit) : Number.NaN;
  return Number.isNaN(ts) ? value : ts;
}

function toNumber(value: unknown): unknown {
  return typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
}

/** A number, or true or false. */
function toDetail(value: unknown): unknown {
  return value === 'true' ? true : value === 'false' ? false : toNumber(value);
}

function remedyFor(field: BarField): string {
  const constant =
    field === 'ts' || field === 'seq' ? '' : `, or give it in defaults: { ${field}: … } if the file has none`;
  return `Name the column of the bar's ${field} in columns: { ${field}: '…' }${constant}.`;
}
