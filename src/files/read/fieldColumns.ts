import { findColumns } from './findColumns.js';

/** Where fields are read from. What is in several columns, such as a date and a time of day, is joined by a blank. */
export type FieldMapping<F extends string> = Readonly<Partial<Record<F, string | readonly string[] | undefined>>>;

/** The columns that each field is read from; none for a field that is not in the file. */
export type FieldColumns<F extends string> = Readonly<Partial<Record<F, readonly string[]>>>;

/** A column that is needed and not there, or of which it is not clear which one is meant. */
export interface MissingColumn<F extends string> {
  readonly field: F;
  readonly column: string;
  /** Several columns that differ only in case or outer blanks. */
  readonly rivals: readonly string[];
}

/** The columns of the store's tables that are not named after their field in its usual spelling. */
const STORED_AS: Readonly<Record<string, string>> = { of: 'of_kind', from: 'from_ts', to: 'to_ts' };

/** The name of a field in the store's tables: `is_final` of `isFinal`. */
function storedName(field: string): string {
  return STORED_AS[field] ?? field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Where fields are among these columns. `isRequired` says whether a field that is not there, mapped or not, is missed. */
export function fieldColumns<F extends string>(
  fields: readonly F[],
  present: readonly string[],
  mapping: FieldMapping<F>,
  isRequired: (field: F, isMapped: boolean) => boolean,
): { readonly columns: FieldColumns<F>; readonly missing: readonly MissingColumn<F>[] } {
  const columns: Partial<Record<F, readonly string[]>> = {};
  const missing: MissingColumn<F>[] = [];
  for (const field of fields) {
    const mapped = mapping[field];
    const parts = mapped === undefined ? [[field, storedName(field)]] : [mapped].flat().map((name) => [name as string]);
    const found: string[] = [];
    for (const names of parts) {
      const [column, ...others] = findColumns(names, present);
      if (column !== undefined && others.length === 0) found.push(column);
      else if (column !== undefined) missing.push({ field, column: names[0]!, rivals: [column, ...others] });
      else if (isRequired(field, mapped !== undefined)) missing.push({ field, column: names[0]!, rivals: [] });
    }
    if (found.length === parts.length) columns[field] = found;
  }
  return { columns, missing };
}

/** What to do about a missing column of a record of this kind. */
export function remedyFor<F extends string>(
  kind: string,
  { field, rivals }: MissingColumn<F>,
  mayBeDefault: (field: F) => boolean,
): string {
  const name = `columns: { ${field}: '…' }`;
  if (rivals.length > 0) return `Name one of ${quoted(rivals).join(', ')} in ${name}.`;
  const constant = mayBeDefault(field) ? `, or give it in defaults: { ${field}: … } if the file has none` : '';
  return `Name the column of the ${kind}'s ${field} in ${name}${constant}.`;
}

/** What is wrong with a record of NDJSON that lacks properties, and the remedy. */
export function reasonOfMissing<F extends string>(
  missing: readonly MissingColumn<F>[],
  mayBeDefault: (field: F) => boolean,
): { readonly reason: string; readonly column: string | undefined } {
  const [{ field, column, rivals }] = missing as readonly [MissingColumn<F>, ...MissingColumn<F>[]];
  if (rivals.length > 0) {
    return { reason: `has ${quoted(rivals).join(' and ')}: name one of them in columns: { ${field}: '…' }`, column };
  }
  const what = missing.length === 1 ? 'property' : 'properties';
  const names = missing.map((one) => one.column).join(', ');
  const constant = missing.find((one) => mayBeDefault(one.field));
  const orDefault = constant ? `, or give it in defaults: { ${constant.field}: … } if no record has it` : '';
  return {
    reason: `lacks the ${what} ${names}: name what it has instead in columns: { ${field}: '…' }${orDefault}`,
    column: missing.length === 1 ? column : undefined,
  };
}

/** Names that come from the file. */
function quoted(names: readonly string[]): string[] {
  return names.map((name) => JSON.stringify(name));
}
