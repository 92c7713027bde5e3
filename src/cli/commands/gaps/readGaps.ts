import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { filter, type Observable } from 'rxjs';
import { errnoText } from '../../../failures/errno.js';
import type { Gap } from '../../../market/gap.js';
import type { Store } from '../../../postgres/openStore.js';
import { gaps } from '../../../postgres/read/gaps.js';
import { gapsTable } from '../../../postgres/recordTables.js';
import { type CommandContext, UsageError } from '../../commandContext.js';
import { type StoreOptions, withStore } from '../../withStore.js';
import { type GapFilter, isSelected } from './gapOptions.js';

/**
 * Opens the store if it has a table of gaps. If it has none, nothing was ever recorded: reports that and resolves to `undefined`. An
 * embedded store that is not there is not created.
 */
export async function withGaps<R>(
  context: CommandContext,
  options: StoreOptions,
  work: (store: Store) => Promise<R>,
): Promise<R | undefined> {
  const { storeFolder } = options;
  if (storeFolder !== undefined) await requireFolder(resolve(context.terminal.cwd, storeFolder));
  return withStore(context, options, async (store) => {
    if (await hasGapsTable(store)) return work(store);
    await context.report(`no gaps: the store has no table ${gapsTable.name} yet`);
    return undefined;
  });
}

export async function hasGapsTable({ pool }: Store): Promise<boolean> {
  const { name } = gapsTable;
  const { rows } = await pool.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [name]);
  return rows[0]?.found === true;
}

async function requireFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') throw new UsageError(`there is no store in ${folder}: check --store-folder`);
    throw new Error(`cannot read ${folder}: ${errnoText(cause)}`, { cause });
  });
  if (!found.isDirectory()) throw new UsageError(`${folder} is a file rather than a store: check --store-folder`);
}

/** The selected gaps, those that begin first first. */
export function readGaps({ pool }: Store, selection: GapFilter): Observable<Gap> {
  const { states, vendor, symbols, of, beginsBefore } = selection;
  return gaps(pool, {
    states,
    ...(vendor !== undefined && { vendor }),
    ...(symbols !== undefined && { symbols }),
    ...(of !== undefined && { of }),
    ...(beginsBefore !== undefined && { to: beginsBefore }),
  }).pipe(filter((gap) => isSelected(gap, selection)));
}
