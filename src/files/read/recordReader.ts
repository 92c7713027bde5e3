import { describeValue } from '../../contracts/decodeProblems.js';
import type { FieldForm } from '../../market/fields.js';
import type { InstantReader } from '../../market/instantReader.js';
import { type MarketEvent, RECORD_KINDS, type RecordKind, type RecordOf } from '../../market/recordKinds.js';
import { issuesOf, type RecordDescription } from '../../market/recordShape.js';
import {
  type FieldColumns,
  type FieldMapping,
  fieldColumns,
  type MissingColumn,
  reasonOfMissing,
  remedyFor,
} from './fieldColumns.js';
import { type FileRecord, RowProblem } from './fileRecord.js';
import { Layouts } from './layouts.js';
import { MissingColumnError } from './missingColumnError.js';
import type { NumberReader } from './numbers.js';
import { trimmed } from './trimmed.js';
import { dateOf, flagOf, isNoText, listOf, showsDecimalMark, timeIn } from './values.js';

export interface RecordReaderSettings {
  readonly columns: FieldMapping<string>;
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly times: InstantReader;
  readonly numbers: NumberReader;
  readonly seqFrom: number;
}

/** Of a field: how it is read, and what stands for it where there is nothing. */
interface FieldPlan {
  readonly name: string;
  readonly form: FieldForm;
  /** `null` or `undefined`; anything else is not allowed. */
  readonly nothing: null | undefined;
  readonly mayBeNothing: boolean;
}

/** Numbers in which a comma stands between thousands, because they are counted or measured in large ones. */
const AMOUNTS: readonly string[] = ['size', 'bidSize', 'askSize', 'volume', 'openInterest', 'rows', 'seq'];

type Columns = FieldColumns<string>;

/** Reads the records of one kind from those of one file, by the shape of the kind. */
export class RecordReader<K extends RecordKind> {
  readonly #kind: K;
  readonly #description: RecordDescription<MarketEvent>;
  readonly #plans: readonly FieldPlan[];
  readonly #settings: RecordReaderSettings;
  readonly #columns: Columns | undefined;
  readonly #layouts: Layouts<Columns | RowProblem>;

  /** Without `present` of NDJSON. Throws a {@link MissingColumnError} as {@link BarReader} does. */
  constructor(file: string, kind: K, present: readonly string[] | undefined, settings: RecordReaderSettings) {
    this.#kind = kind;
    this.#description = RECORD_KINDS[kind] as unknown as RecordDescription<MarketEvent>;
    this.#plans = plansOf(this.#description);
    this.#settings = settings;
    this.#layouts = new Layouts((names) => {
      const { columns, missing } = this.#find(names, (field) => this.#isNeeded(field));
      return missing.length === 0 ? columns : problemOfMissing(missing);
    });
    if (!present) return;
    const { columns, missing } = this.#find(present, (field, isMapped) => isMapped || this.#isNeeded(field));
    const [first] = missing;
    if (first) throw new MissingColumnError(file, first.column, present, remedyFor(kind, first, mayBeDefault));
    this.#columns = columns;
  }

  timeOf(record: RecordOf<K>): number {
    return this.#description.eventTime(record as MarketEvent);
  }

  read(record: FileRecord, line: number): RecordOf<K> | RowProblem {
    const columns = this.#columns ?? this.#layouts.of(record);
    if (columns instanceof RowProblem) return columns;
    if (record.kind !== undefined && trimmed(record.kind) !== this.#kind) {
      return new RowProblem(`expected ${JSON.stringify(this.#kind)}, got ${describeValue(record.kind)}`, 'kind');
    }
    const { defaults, numbers, times, seqFrom } = this.#settings;
    const read: Record<string, unknown> = { kind: this.#kind };
    let ambiguous: string | undefined;
    let dateAlone: string | undefined;
    for (const plan of this.#plans) {
      const { name, form } = plan;
      const column = columns[name];
      if (column === undefined) {
        if (defaults[name] !== undefined) read[name] = defaults[name];
        else if (name === 'seq') read.seq = seqFrom + line;
        else if (plan.mayBeNothing && plan.nothing === null) read[name] = null;
        continue;
      }
      const raw = column.length === 1 ? record[column[0]!] : timeIn(record, column);
      const value = this.#value(plan, raw);
      if (form === 'instant' && Number.isNaN(value)) return this.#problemOfTime(raw, column);
      if (form === 'instant' && times.isDate) dateAlone ??= name;
      if (form === 'number' && numbers.isAmbiguous && !AMOUNTS.includes(name)) ambiguous ??= name;
      if (value !== undefined) read[name] = value;
    }
    const [issue] = issuesOf(this.#description, read);
    if (issue) return this.#problemOf(issue.field, issue.expected, issue.value, record, columns);
    if (ambiguous !== undefined && !showsDecimalMark(record, this.#numbersIn(columns))) {
      return this.#problemOf(ambiguous, 'a number whose decimal mark is known', Number.NaN, record, columns);
    }
    if (dateAlone !== undefined && this.#description.inFiles?.hasTimeOfDay) {
      return this.#problemOf(dateAlone, `a date with a time of day for a ${this.#kind}`, Number.NaN, record, columns);
    }
    return read as unknown as RecordOf<K>;
  }

  #isNeeded(field: string): boolean {
    if (this.#settings.defaults[field] !== undefined) return false;
    const plan = this.#plans.find(({ name }) => name === field);
    // The version of a gap says more than which one is newer.
    return field === 'seq' ? this.#description.inFiles?.needsSeq === true : plan?.mayBeNothing === false;
  }

  #find(present: readonly string[], isRequired: (field: string, isMapped: boolean) => boolean) {
    const names = this.#plans.map(({ name }) => name);
    return fieldColumns(names, present, this.#settings.columns, isRequired);
  }

  #numbersIn(columns: Columns): readonly (string | undefined)[] {
    return this.#plans.filter(({ form }) => form === 'number').map(({ name }) => columns[name]?.[0]);
  }

  /** What cannot be read is `NaN` or as it stands in the record, which the check refuses. */
  #value({ name, form, nothing, mayBeNothing }: FieldPlan, raw: unknown): unknown {
    const { numbers, times } = this.#settings;
    switch (form) {
      case 'number': {
        if (mayBeNothing && numbers.isNoValue(raw)) return nothing;
        const number = typeof raw === 'string' || typeof raw === 'number' ? numbers.read(raw) : Number.NaN;
        return mayBeNothing && this.#description.inFiles?.isNoFigure?.(name, number) ? null : number;
      }
      case 'instant':
        return typeof raw === 'string' || typeof raw === 'number' ? times.read(raw) : Number.NaN;
      case 'text':
        return mayBeNothing && isNoText(raw) ? nothing : raw;
      default:
        if (mayBeNothing && isNoText(raw)) return nothing;
        return form === 'flag'
          ? flagOf(raw)
          : form === 'list'
            ? listOf(raw)
            : form === 'date'
              ? dateOf(raw)
              : trimmed(raw);
    }
  }

  #problemOfTime(raw: unknown, column: readonly string[]): RowProblem {
    const isTried = typeof raw === 'string' || typeof raw === 'number';
    const reason = isTried ? this.#settings.times.problem : `expected a time, got ${describeValue(raw)}`;
    return new RowProblem(reason, column.join(' '));
  }

  #problemOf(field: string, expected: string, found: unknown, record: FileRecord, columns: Columns): RowProblem {
    const { numbers } = this.#settings;
    const column = columns[field];
    // What could not be read at all is quoted as it stands in the file.
    const isUnread = Number.isNaN(found) && column !== undefined;
    const value = isUnread ? timeIn(record, column) : found;
    const remedy = isUnread ? numbers.remedyFor(value) : '';
    const note = isUnread && numbers.isNoValue(value) ? ', which stands for no value' : remedy && `: ${remedy}`;
    return new RowProblem(`expected ${expected}, got ${describeValue(value)}${note}`, column?.join(' ') ?? field);
  }
}

function plansOf({ fields, inFiles }: RecordDescription<MarketEvent>): FieldPlan[] {
  return Object.entries(fields).flatMap(([name, field]): FieldPlan[] => {
    if (name === 'kind') return [];
    const { form, is } = field as { readonly form: FieldForm; readonly is: (value: unknown) => boolean };
    const mayBeAbsent = is(undefined) && name !== 'seq';
    const mayBeNull = is(null);
    // A figure of an option that is not known is null, as is the side of a market without a bid or an ask.
    const nothing = mayBeNull && (!mayBeAbsent || inFiles?.isNoFigure !== undefined) ? null : undefined;
    return [{ name, form, nothing, mayBeNothing: mayBeAbsent || mayBeNull }];
  });
}

/** Times and versions are of one record; the rest may be the same in a whole file. */
export function mayBeDefault(field: string): boolean {
  return !['ts', 'publishedAt', 'from', 'to', 'seq'].includes(field);
}

function problemOfMissing(missing: readonly MissingColumn<string>[]): RowProblem {
  const { reason, column } = reasonOfMissing(missing, mayBeDefault);
  return new RowProblem(reason, column);
}
