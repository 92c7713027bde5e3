import type { SchedulerLike } from 'rxjs';
import { eventLoopScheduler } from '../../primitives/eventLoopScheduler.js';
import { requireDuration, requireInteger, requireText } from '../../primitives/validate.js';
import { qualify } from '../identifiers.js';
import type { PagedSourceConfig } from './pagedSource.js';

/** What the sources over a store have in common. */
export interface StoreSelection {
  readonly vendor?: string;
  readonly table?: string;
  readonly schema?: string;
  readonly pageSize?: number;
  readonly scheduler?: SchedulerLike;
  readonly yieldAfterMs?: number;
  readonly name?: string;
}

export interface Selected {
  readonly source: PagedSourceConfig;
  readonly vendor: string | undefined;
  readonly pageSize: number;
}

export function requireSelection(owner: string, config: StoreSelection, defaultPageSize: number): Selected {
  const table = requireText(owner, 'table', config.table ?? 'bars');
  const schema = config.schema === undefined ? undefined : requireText(owner, 'schema', config.schema);
  return {
    source: {
      name: requireText(owner, 'name', config.name ?? owner),
      scheduler: config.scheduler ?? eventLoopScheduler,
      yieldAfterMs: requireDuration(owner, 'yieldAfterMs', config.yieldAfterMs ?? 20),
      table: qualify(table, schema),
    },
    vendor: config.vendor === undefined ? undefined : requireText(owner, 'vendor', config.vendor),
    pageSize: requireInteger(owner, 'pageSize', config.pageSize ?? defaultPageSize),
  };
}

/** Each symbol once. */
export function requireSymbols(owner: string, value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new RangeError(`${owner}: symbols must be an array of at least one symbol, got ${JSON.stringify(value)}`);
  }
  return [...new Set(value.map((symbol, i) => requireText(owner, `symbols[${i}]`, symbol)))];
}
