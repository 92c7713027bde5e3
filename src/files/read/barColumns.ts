import { BAR, type Bar } from '../../market/bar.js';
import { findColumns } from './findColumns.js';

/** The fields of a bar that a file can hold. */
export type BarField = Exclude<keyof Bar, 'kind'>;

export const BAR_FIELDS = Object.keys(BAR.fields).filter((field): field is BarField => field !== 'kind');

/** What few files have: a bar is read without it where the file has no such column, or nothing in it. */
export const DETAILS = ['isFinal', 'isComplete', 'trades', 'vwap'] as const satisfies readonly BarField[];

/** The columns of the store's tables whose names are not those of the fields. */
const STORED_AS: Readonly<Partial<Record<BarField, string>>> = { isFinal: 'is_final', isComplete: 'is_complete' };

/** Where each field is read from. A time may be in several columns, such as a date and a time of day. */
export type BarMapping = Readonly<Partial<Record<BarField, string | readonly string[] | undefined>>>;

/** The columns that each field is read from; none for a field that is not in the file. */
export type BarColumns = Readonly<Record<Exclude<BarField, 'ts'>, string | undefined>> & {
  readonly ts: readonly string[];
};

/** A column that is needed and not there, or of which it is not clear which one is meant. */
export interface MissingColumn {
  readonly field: BarField;
  readonly column: string;
  /** Several columns that differ only in case or outer blanks. */
  readonly rivals: readonly string[];
}

/** Where the fields of a bar are among these columns. `isRequired` says whether a field that is not there, mapped or not, is missed. */
export function barColumns(
  present: readonly string[],
  mapping: BarMapping,
  isRequired: (field: BarField, isMapped: boolean) => boolean,
): { readonly columns: BarColumns; readonly missing: readonly MissingColumn[] } {
  const columns: Partial<Record<BarField, string | readonly string[] | undefined>> = {};
  const missing: MissingColumn[] = [];
  const find = (field: BarField, names: readonly string[]): string | undefined => {
    const [column, ...others] = findColumns(names, present);
    if (column !== undefined && others.length === 0) return column;
    if (column !== undefined) missing.push({ field, column: names[0]!, rivals: [column, ...others] });
    else if (isRequired(field, mapping[field] !== undefined)) missing.push({ field, column: names[0]!, rivals: [] });
    return undefined;
  };
  for (const field of BAR_FIELDS) {
    const mapped = mapping[field];
    if (field === 'ts') {
      const parts = typeof mapped === 'object' ? mapped : [mapped ?? field];
      columns.ts = parts.map((name) => find(field, [name]) ?? name);
    } else {
      const stored = STORED_AS[field];
      const names = mapped !== undefined ? [mapped as string] : stored === undefined ? [field] : [field, stored];
      columns[field] = find(field, names);
    }
  }
  return { columns: columns as BarColumns, missing };
}

/** Whether a file may leave a field out because it is the same for all its bars. */
export function mayBeDefault(field: BarField): boolean {
  return field === 'vendor' || field === 'symbol' || field === 'timeframe' || field === 'volume';
}

/** What to do about a missing column. */
export function remedyFor({ field, rivals }: MissingColumn): string {
  const name = `columns: { ${field}: '…' }`;
  if (rivals.length > 0) return `Name one of ${rivals.map((one) => JSON.stringify(one)).join(', ')} in ${name}.`;
  const constant = mayBeDefault(field) ? `, or give it in defaults: { ${field}: … } if the file has none` : '';
  return `Name the column of the bar's ${field} in ${name}${constant}.`;
}
