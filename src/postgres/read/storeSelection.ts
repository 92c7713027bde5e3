import { type SourceConfig, sourceOptions } from '../../flow/sourceOptions.js';
import { integer, text } from '../../primitives/options.js';

/** The options of every source over a store. */
export interface StoreSelection extends SourceConfig {
  /** The table or view. Default `bars`. */
  readonly table?: string;
  /** The schema of the table. Default: the connection's `search_path`. */
  readonly schema?: string;
}

export function selectionOptions(name: string, pageSize: number) {
  return {
    vendor: text(),
    pageSize: integer({ min: 1 }).default(pageSize),
    table: text().default('bars'),
    schema: text(),
    ...sourceOptions(name),
  };
}
