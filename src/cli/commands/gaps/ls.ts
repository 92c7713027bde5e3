import { Command, InvalidArgumentError } from 'commander';
import { GAP_STATES, type GapState } from '../../../market/gap.js';
import type { Store } from '../../../postgres/openStore.js';
import { toAsyncIterable } from '../../../sinks/toAsyncIterable.js';
import type { CommandContext } from '../../commandContext.js';
import { integer, names } from '../../parsers.js';
import { Table } from '../../table.js';
import { addGapOptions, filterOf, type GapFilter, type GapOptions } from './gapOptions.js';
import { GapTally, gapJson, lengthText, seriesKind, timeOf } from './gapText.js';
import { readGaps, withGaps } from './readGaps.js';

interface LsOptions extends GapOptions {
  readonly state: readonly GapState[];
  readonly limit?: number;
  readonly json?: true;
}

const TITLES = 'FROM LENGTH VENDOR SYMBOL KIND CAUSE STATE ROWS REASON'.split(' ');

/** Rows are formatted in chunks, so that the first are shown before the last are read. */
const ROWS_PER_CHUNK = 100;

/** `sluice gaps ls`: lists gaps, those that begin first first. */
export function lsCommand(context: CommandContext): Command {
  return addGapOptions(new Command('ls'))
    .summary('list gaps')
    .description('Lists the gaps of a store, those that begin first first. A pipeline may be running.')
    .option('--state <list>', `only gaps in these states: ${GAP_STATES.join(', ')}, or all`, states, ['open' as const])
    .option('--limit <n>', 'list at most n gaps', integer(1))
    .option('--json', 'print NDJSON: one object per gap')
    .action(async (options: LsOptions) => {
      const selection = filterOf(context, options, options.state, Date.now());
      await withGaps(context, options, (store) =>
        context.telling(
          () => 'reading gaps',
          () => list(context, store, selection, options),
        ),
      );
    });
}

function states(text: string): readonly GapState[] {
  const all = names(text);
  if (all.length === 1 && all[0] === 'all') return GAP_STATES;
  for (const name of all) {
    if (!(GAP_STATES as readonly string[]).includes(name)) {
      throw new InvalidArgumentError(
        `There is no state ${JSON.stringify(name)}, only ${GAP_STATES.join(', ')} and all.`,
      );
    }
  }
  return [...new Set(all)] as GapState[];
}

async function list(context: CommandContext, store: Store, selection: GapFilter, options: LsOptions): Promise<void> {
  const { limit = Number.POSITIVE_INFINITY, json } = options;
  const table = new Table(TITLES, { right: ['LENGTH', 'ROWS'], width: context.terminal.stdout.columns });
  const tally = new GapTally();
  let rows: string[][] = [];
  let hasMore = false;
  const flush = async () => {
    if (rows.length > 0) await context.print(table.lines(rows));
    rows = [];
  };
  for await (const gap of toAsyncIterable(readGaps(store, selection))) {
    if (tally.gaps >= limit) {
      hasMore = true;
      break;
    }
    tally.add(gap);
    if (json) {
      await context.print(JSON.stringify(gapJson(gap)));
      continue;
    }
    const { from, to, vendor, symbol, cause, state, rows: number, reason } = gap;
    const known = [vendor, symbol, seriesKind(gap), cause, state, number == null ? '-' : String(number), reason ?? ''];
    rows.push([timeOf(from), lengthText(to - from), ...known]);
    if (rows.length >= ROWS_PER_CHUNK) await flush();
  }
  await flush();
  if (json) return;
  const more = hasMore ? `; more are beyond --limit ${limit}` : '';
  const { state } = options;
  await context.report(`${tally.text(state.length === 1 ? state[0]! : '')}${more}`);
}
