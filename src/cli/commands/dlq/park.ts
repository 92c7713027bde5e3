import { Command } from 'commander';
import type { CommandContext } from '../../commandContext.js';
import {
  addLetterOptions,
  filterOf,
  type LetterOptions,
  letterFolder,
  reportMissingIds,
  requireChoice,
} from './letterOptions.js';
import { NONE, tallyText } from './letterText.js';
import { withQueue } from './withQueue.js';

interface MoveOptions extends LetterOptions {
  readonly all?: true;
  readonly json?: true;
}

/** `sluice dlq park`: parks letters, so that replays skip them. */
export function parkCommand(context: CommandContext): Command {
  return moveCommand(context, 'park', 'park letters, so that replays skip them', 'parked');
}

/** `sluice dlq unpark`: reopens parked letters. */
export function unparkCommand(context: CommandContext): Command {
  return moveCommand(context, 'unpark', 'reopen parked letters and reset their replay counts', 'opened');
}

function moveCommand(context: CommandContext, name: 'park' | 'unpark', summary: string, done: string): Command {
  return addLetterOptions(new Command(name))
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .argument('[ids...]', 'these letters')
    .option('--all', 'every letter')
    .option('--json', 'print one JSON document: { letters, items }')
    .action(async (ids: readonly string[], options: MoveOptions) => {
      requireChoice(options, ids);
      const folder = await letterFolder(context, options);
      const filter = filterOf(options, ids);
      const tally = folder === undefined ? NONE : await withQueue(context, folder, (queue) => queue[name](filter));
      await reportMissingIds(context, ids, tally.letters);
      await context.print(options.json ? JSON.stringify(tally) : `${done} ${tallyText(tally)}`);
    });
}
