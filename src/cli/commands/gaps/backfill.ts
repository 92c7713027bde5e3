import { Command } from 'commander';
import { filter, lastValueFrom, tap } from 'rxjs';
import { type Gap, gapSeq } from '../../../market/gap.js';
import { count } from '../../../primitives/count.js';
import { messageOf } from '../../../primitives/messageOf.js';
import type { Provider } from '../../../providers/provider.js';
import { findProvider, isProviderChoiceError } from '../../../providers/registry.js';
import { toAsyncIterable } from '../../../sinks/toAsyncIterable.js';
import { type CommandContext, EXIT, UsageError } from '../../commandContext.js';
import { integer } from '../../parsers.js';
import { RepairAccount } from '../backfill/repairAccount.js';
import { repairGaps } from '../backfill/repairGaps.js';
import { addGapOptions, filterOf, type GapOptions, requireChoice } from './gapOptions.js';
import { GapTally } from './gapText.js';
import { readGaps, withGaps } from './readGaps.js';

interface GapBackfillOptions extends GapOptions {
  readonly all?: true;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly concurrency: number;
  readonly url?: string;
  readonly json?: true;
}

/** `sluice gaps backfill`: asks the vendors of open gaps for what is missing. */
export function gapBackfillCommand(context: CommandContext): Command {
  return addGapOptions(new Command('backfill'))
    .summary('ask the vendors of open gaps for what is missing')
    .description(
      'Asks the vendor of each open gap for its span, writes what it answers, and closes the gap once the store has all of it. Keys come ' +
        'from the environment and .env. It counts the gaps and asks first.',
    )
    .option('--all', 'every open gap')
    .option('--yes', 'do not ask for confirmation')
    .option('--dry-run', 'count the gaps and ask nothing')
    .option('--concurrency <n>', 'how many gaps are repaired at a time', integer(1), 4)
    .option('--url <address>', "another address than the vendor's own; needs --vendor")
    .option('--json', 'print one JSON document, as described in docs/cli.md')
    .action(async (options: GapBackfillOptions) => {
      requireChoice(options);
      if (options.url !== undefined && options.vendor === undefined) throw new UsageError('--url needs --vendor');
      if (!options.yes && !options.dryRun && !context.terminal.isInteractive) {
        throw new UsageError('refusing to ask vendors without confirmation: no terminal attached; pass --yes');
      }
      await backfill(context, options);
    });
}

async function backfill(context: CommandContext, options: GapBackfillOptions): Promise<void> {
  const now = Date.now();
  const selection = filterOf(context, options, ['open'], now);
  const { dryRun = false, json } = options;
  const account = new RepairAccount();
  await withGaps(context, options, async (store) => {
    const tally = new GapTally();
    const selected$ = readGaps(store, selection).pipe(filter(({ seq }) => seq <= gapSeq('open', now)));
    await context.telling(
      () => `${count(tally.gaps)} gaps counted`,
      () => lastValueFrom(selected$.pipe(tap((gap) => tally.add(gap))), { defaultValue: undefined }),
    );
    account.total = tally.gaps;
    if (dryRun || tally.gaps === 0) {
      await context.report(tally.text('open'));
      return;
    }
    if (!options.yes) {
      const question = `Ask for ${tally.text('open')}? Type yes: `;
      if ((await context.terminal.ask(question)).trim() !== 'yes') {
        await context.report('nothing was asked');
        context.exitCode = EXIT.FAILED;
        return;
      }
    }
    const gaps = toAsyncIterable(selected$)[Symbol.asyncIterator]();
    try {
      await repairGaps(context, store, {
        next: async () => {
          const { value, done } = await gaps.next();
          return done ? undefined : value;
        },
        providerOf: providersOf(context, options.url),
        isNew: false,
        concurrency: options.concurrency,
        account,
      });
    } finally {
      await gaps.return?.();
    }
  });
  const isFailed = context.exitCode !== EXIT.OK;
  if (!dryRun && !account.isComplete) context.exitCode = EXIT.FAILED;
  const isComplete = account.isComplete && !isFailed;
  if (json) await context.print(JSON.stringify({ dryRun, isComplete, ...account.json() }, undefined, 2));
  else if (!dryRun && account.done > 0) await context.print(account.text());
}

/** The provider that a gap names as its vendor, made once; or why there is none. */
function providersOf(context: CommandContext, url: string | undefined): (gap: Gap) => Promise<Provider | string> {
  const made = new Map<string, Promise<Provider | string>>();
  return ({ vendor }) => {
    const known = made.get(vendor) ?? make(context, vendor, url);
    made.set(vendor, known);
    return known;
  };
}

async function make(context: CommandContext, vendor: string, url: string | undefined): Promise<Provider | string> {
  try {
    const { entry } = findProvider(vendor);
    return await entry.create({ ...(url !== undefined && { url }), variables: context.variables(entry.variables) });
  } catch (error) {
    if (isProviderChoiceError(error)) return messageOf(error);
    throw error;
  }
}
