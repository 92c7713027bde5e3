import { Command } from 'commander';
import type { LetterCount, LetterFilter } from '../../../dead-letters/deadLetter.js';
import { readDeadLetters } from '../../../dead-letters/readDeadLetters.js';
import type { CommandContext } from '../../commandContext.js';
import { EXIT } from '../../exitCodes.js';
import { UsageError } from '../../usageError.js';
import {
  addLetterOptions,
  filterOf,
  type LetterOptions,
  letterFolder,
  parkedOption,
  reportMissingIds,
  requireChoice,
} from './letterOptions.js';
import { NONE, tallyText } from './letterText.js';
import { withQueue } from './withQueue.js';

interface PurgeOptions extends LetterOptions {
  readonly all?: true;
  readonly yes?: true;
  readonly json?: true;
}

/** `sluice dlq purge`: deletes letters permanently, after confirmation. */
export function purgeCommand(context: CommandContext): Command {
  return addLetterOptions(new Command('purge'))
    .summary('delete letters permanently')
    .description('Deletes letters and the items in them permanently, after confirmation.')
    .argument('[ids...]', 'these letters')
    .addOption(parkedOption())
    .option('--all', 'every letter')
    .option('--yes', 'do not ask for confirmation')
    .option('--json', 'print one JSON document: { letters, items }')
    .action((ids: readonly string[], options: PurgeOptions) => purge(context, ids, options));
}

async function purge(context: CommandContext, ids: readonly string[], options: PurgeOptions): Promise<void> {
  const { terminal } = context;
  requireChoice(options, ids);
  if (!options.yes && !terminal.isInteractive) {
    throw new UsageError('refusing to purge without confirmation: no terminal attached; pass --yes');
  }
  const folder = await letterFolder(context, options);
  const filter = filterOf(options, ids);
  const removed = folder === undefined ? NONE : await removeFrom(context, folder, filter, options.yes ?? false);
  if (!removed) {
    await context.report('nothing was removed');
    context.exitCode = EXIT.FAILED;
    return;
  }
  await reportMissingIds(context, ids, removed.letters);
  await context.print(options.json ? JSON.stringify(removed) : `removed ${tallyText(removed)}`);
}

/** Resolves with `undefined` if the user declines. The lock keeps other processes from adding letters before the answer. */
function removeFrom(
  context: CommandContext,
  folder: string,
  filter: LetterFilter,
  isConfirmed: boolean,
): Promise<LetterCount | undefined> {
  return withQueue(context, folder, async (queue) => {
    if (!isConfirmed) {
      const meant = await count(folder, filter);
      if (meant.letters === 0) return NONE;
      const question = `Remove ${tallyText(meant)} from ${folder} for good? Type yes: `;
      if ((await context.terminal.ask(question)).trim() !== 'yes') return undefined;
    }
    return queue.purge(filter);
  });
}

async function count(folder: string, filter: LetterFilter): Promise<LetterCount> {
  let letters = 0;
  let items = 0;
  for await (const letter of readDeadLetters(folder, filter)) {
    letters += 1;
    items += letter.items.length;
  }
  return { letters, items };
}
