import { type Command, Option } from 'commander';
import { GAP_CAUSES, type Gap, type GapState } from '../../../market/gap.js';
import { VENDOR_KINDS } from '../../../market/recordKinds.js';
import { type CommandContext, UsageError } from '../../commandContext.js';
import { type Moment, moment, period } from '../../parseMoment.js';
import { type SymbolChoice, symbolList, symbolsOf } from '../../symbolList.js';
import { type StoreOptions, storeFolderOption } from '../../withStore.js';

/** The options that the commands share: which gaps. */
export interface GapOptions extends StoreOptions {
  readonly vendor?: string;
  readonly symbol?: SymbolChoice;
  readonly kind?: string;
  readonly cause?: string;
  readonly from?: Moment;
  readonly to?: Moment;
  readonly olderThan?: number;
}

/** Adds the options that select gaps. */
export function addGapOptions(command: Command): Command {
  return command
    .addOption(storeFolderOption())
    .option('--vendor <name>', 'only gaps of this vendor, as records have it')
    .option(
      '--symbol <list>',
      'only gaps of these symbols, or of those in @file; * for wildcard subscriptions',
      symbolList,
    )
    .addOption(new Option('--kind <kind>', 'only gaps in records of this kind').choices([...VENDOR_KINDS]))
    .addOption(new Option('--cause <word>', 'only gaps with this cause').choices(GAP_CAUSES))
    .option('--from <time>', 'only gaps that reach to this time or beyond, such as now-7d or 2026-01-31', moment)
    .option('--to <time>', 'only gaps that begin before this time', moment)
    .option('--older-than <period>', 'only gaps that ended longer ago than this, such as 15m or 7d', period);
}

/** Which gaps, once the clock and the file of symbols are read. */
export interface GapFilter {
  readonly states: readonly GapState[];
  readonly vendor?: string | undefined;
  readonly symbols?: readonly string[] | undefined;
  readonly of?: string | undefined;
  readonly cause?: string | undefined;
  /** The last instant of the gap is not before this. */
  readonly endsFrom?: number | undefined;
  /** The last instant of the gap is before this. */
  readonly endsBefore?: number | undefined;
  /** The first instant of the gap is before this. */
  readonly beginsBefore?: number | undefined;
}

export function filterOf(
  context: CommandContext,
  options: GapOptions,
  states: readonly GapState[],
  now: number,
): GapFilter {
  const { vendor, symbol, kind, cause, from, to, olderThan } = options;
  const endsFrom = from?.(now);
  const beginsBefore = to?.(now);
  if (endsFrom !== undefined && beginsBefore !== undefined && endsFrom >= beginsBefore) {
    throw new UsageError('--from must be before --to');
  }
  return {
    ...{ states, vendor, of: kind, cause, endsFrom, beginsBefore },
    symbols: symbol && symbolsOf(context, symbol),
    endsBefore: olderThan === undefined ? undefined : now - olderThan,
  };
}

/** What the query of the store does not select. */
export function isSelected(gap: Gap, { cause, endsFrom, endsBefore }: GapFilter): boolean {
  return (
    (cause === undefined || gap.cause === cause) &&
    (endsFrom === undefined || gap.to >= endsFrom) &&
    (endsBefore === undefined || gap.to < endsBefore)
  );
}

/** A command that changes gaps handles all of them only if told so. */
export function requireChoice(options: GapOptions & { readonly all?: true }): void {
  const { vendor, symbol, kind, cause, from, to, olderThan } = options;
  const isChosen = [vendor, symbol, kind, cause, from, to, olderThan].some((one) => one !== undefined);
  if (options.all && isChosen) throw new UsageError('--all cannot be combined with filters');
  if (!options.all && !isChosen) {
    throw new UsageError('no gaps are selected: pass a filter, or --all for every open gap');
  }
}
