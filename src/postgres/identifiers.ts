import { checked, type Option } from '../primitives/options.js';

/** The one place where a name becomes SQL. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Without a schema, the first of the connection's `search_path` that has the table. */
export function qualify(name: string, schema: string | undefined): string {
  const quoted = quoteIdentifier(name);
  return schema === undefined ? quoted : `${quoteIdentifier(schema)}.${quoted}`;
}

const MAX_IDENTIFIER_BYTES = 63;

/** Postgres cuts longer names off, so that two could become one. */
export function identifier(): Option<string> {
  return checked(`a name of 1 to ${MAX_IDENTIFIER_BYTES} bytes`, (value): value is string => {
    if (typeof value !== 'string' || value === '' || value.includes('\0')) return false;
    return Buffer.byteLength(value) <= MAX_IDENTIFIER_BYTES;
  });
}
