import { isLeft } from 'fp-ts/lib/Either.js';
import { decodeProblems } from '../../contracts/decodeProblems.js';
import type { Bar } from '../../market/bar.js';
import { barCodec } from '../../market/barCodec.js';
import { type EpochUnit, parseInstant } from '../../market/parseInstant.js';
import { type FileRecord, type RecordPlace, RowProblem } from './fileRecord.js';
import { MissingColumnError } from './missingColumnError.js';

/** The fields of a bar that a file can hold. */
export type BarField = Exclude<keyof Bar, 'kind'>;

const LABELS = ['vendor', 'symbol', 'timeframe'] as const;
const NUMBERS = ['open', 'high', 'low', 'close', 'volume'] as const;

export const BAR_FIELDS: readonly BarField[] = [...LABELS, 'ts', ...NUMBERS, 'seq'];

/** What a file may leave out, being the same for all its bars. */
export type BarDefaults = Partial<Pick<Bar, 'vendor' | 'symbol' | 'timeframe' | 'volume'>>;

export interface BarReaderSettings {
  readonly columns: Partial<Record<BarField, string>>;
  readonly defaults: BarDefaults;
  readonly timeUnit: EpochUnit;
  readonly seqFrom: number;
}

const DECIMAL = /^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*$/;

/** Reads bars from the records of one file. */
export class BarReader {
  readonly #settings: BarReaderSettings;
  /** Where each field is; the fields not in here are among the defaults. */
  readonly #columnOf: ReadonlyMap<BarField, string>;
  readonly #numbers: readonly (readonly [(typeof NUMBERS)[number], string])[];

  /** `columns` are those of the file. Throws {@link MissingColumnError} if one is needed that is not among them. */
  constructor(path: string, columns: readonly string[], settings: BarReaderSettings) {
    this.#settings = settings;
    const columnOf = new Map<BarField, string>();
    for (const field of BAR_FIELDS) {
      const mapped = settings.columns[field];
      const column = mapped ?? field;
      if (columns.includes(column)) columnOf.set(field, column);
      else if (mapped !== undefined || (field !== 'seq' && !(field in settings.defaults))) {
        throw new MissingColumnError(path, column, columns, remedyFor(field));
      }
    }
    this.#columnOf = columnOf;
    this.#numbers = NUMBERS.flatMap((field) => {
      const column = columnOf.get(field);
      return column === undefined ? [] : [[field, column] as const];
    });
  }

  read(record: FileRecord, { line }: RecordPlace): Bar {
    const { columns, defaults, timeUnit, seqFrom } = this.#settings;
    const candidate: Record<string, unknown> = { kind: 'bar', ...defaults };
    for (const field of LABELS) {
      const column = this.#columnOf.get(field);
      if (column !== undefined) candidate[field] = record[column];
    }
    const time = record[this.#columnOf.get('ts')!];
    const ts = typeof time === 'string' || typeof time === 'number' ? parseInstant(time, timeUnit) : Number.NaN;
    // What is not a time or number is left as it is, for the codec to quote.
    candidate.ts = Number.isNaN(ts) ? time : ts;
    for (const [field, column] of this.#numbers) candidate[field] = toNumber(record[column]);
    const version = record[columns.seq ?? 'seq'];
    candidate.seq = version === undefined ? seqFrom + line : toNumber(version);

    const decoded = barCodec.decode(candidate);
    if (!isLeft(decoded)) return decoded.right;
    const [problem] = decodeProblems(decoded.left);
    const field = problem?.path as BarField;
    const expected = field === 'ts' ? `a date, or a time in ${timeUnit} since 1970` : problem?.expected;
    throw new RowProblem(`expected ${expected}, got ${problem?.got}`, this.#columnOf.get(field) ?? field);
  }
}

function toNumber(value: unknown): unknown {
  return typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
}

function remedyFor(field: BarField): string {
  const constant =
    field === 'ts' || field === 'seq' ? '' : `, or give it in defaults: { ${field}: … } if the file has none`;
  return `Name the column of the bar's ${field} in columns: { ${field}: '…' }${constant}.`;
}
