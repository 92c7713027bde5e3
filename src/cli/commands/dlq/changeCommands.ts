import { Command } from 'commander';
import type { LetterCount, LetterFilter } from '../../../dead-letters/deadLetter.js';
import type { DeadLetterQueue } from '../../../dead-letters/deadLetterQueue.js';
import { addTo } from '../../../dead-letters/letterLog.js';
import { readDeadLetters } from '../../../dead-letters/readDeadLetters.js';
import { type CommandContext, EXIT, UsageError } from '../../commandContext.js';
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

interface ChangeOptions extends LetterOptions {
  readonly all?: true;
  readonly yes?: true;
  readonly json?: true;
}

/** Resolves with what was changed, or with `undefined` if the user declines. */
type Change = (
  queue: DeadLetterQueue<unknown>,
  filter: LetterFilter,
  options: ChangeOptions,
) => Promise<LetterCount | undefined>;

/** `sluice dlq park`: parks letters, so that replays skip them. */
export function parkCommand(context: CommandContext): Command {
  const summary = 'park letters, so that replays skip them';
  return changeCommand(context, 'park', summary, 'parked', (queue, filter) => queue.park(filter));
}

/** `sluice dlq unpark`: reopens parked letters. */
export function unparkCommand(context: CommandContext): Command {
  const summary = 'reopen parked letters and reset their replay counts';
  return changeCommand(context, 'unpark', summary, 'opened', (queue, filter) => queue.unpark(filter));
}

/** `sluice dlq purge`: deletes letters permanently, after confirmation. */
export function purgeCommand(context: CommandContext): Command {
  const { terminal } = context;
  const purge: Change = async (queue, filter, { yes }) => {
    if (yes) return queue.purge(filter);
    // The lock keeps other processes from adding letters before the answer.
    const selected = await count(queue.folder, filter);
    if (selected.letters === 0) return NONE;
    const question = `Delete ${tallyText(selected)} from ${queue.folder} permanently? Type yes: `;
    return (await terminal.ask(question)).trim() === 'yes' ? queue.purge(filter) : undefined;
  };
  return changeCommand(context, 'purge', 'delete letters permanently, after confirmation', 'removed', purge)
    .addOption(parkedOption())
    .option('--yes', 'do not ask for confirmation')
    .hook('preAction', (command) => {
      if (command.opts<ChangeOptions>().yes || terminal.isInteractive) return;
      throw new UsageError('refusing to purge without confirmation: no terminal attached; pass --yes');
    });
}

function changeCommand(context: CommandContext, name: string, summary: string, done: string, change: Change): Command {
  return addLetterOptions(new Command(name))
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .argument('[ids...]', 'these letters')
    .option('--all', 'every letter')
    .option('--json', 'print one JSON document: { letters, items }')
    .action(async (ids: readonly string[], options: ChangeOptions) => {
      requireChoice(options, ids);
      const folder = await letterFolder(context, options);
      const filter = filterOf(options, ids);
      const changed =
        folder === undefined ? NONE : await withQueue(context, folder, (queue) => change(queue, filter, options));
      if (!changed) {
        await context.report('nothing was removed');
        context.exitCode = EXIT.FAILED;
        return;
      }
      await reportMissingIds(context, ids, changed.letters);
      await context.print(options.json ? JSON.stringify(changed) : `${done} ${tallyText(changed)}`);
    });
}

async function count(folder: string, filter: LetterFilter): Promise<LetterCount> {
  const total = { ...NONE };
  for await (const { items } of readDeadLetters(folder, filter)) addTo(total, 1, items.length);
  return total;
}
