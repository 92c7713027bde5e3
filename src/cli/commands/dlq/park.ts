import { Command } from 'commander';
import type { Invocation } from '../../invocation.js';
import {
  addLetterOptions,
  filterOf,
  type LetterOptions,
  letterFolder,
  requireChoice,
  tellMissing,
} from './letterOptions.js';
import { NONE, tallyText } from './letterText.js';
import { withQueue } from './withQueue.js';

interface MoveOptions extends LetterOptions {
  readonly all?: true;
  readonly json?: true;
}

/** `sluice dlq park`: puts letters aside, so that replays pass them over. */
export function parkCommand(invocation: Invocation): Command {
  return moveCommand(invocation, 'park', 'put letters aside, so that replays pass them over', 'parked');
}

/** `sluice dlq unpark`: opens parked letters again. */
export function unparkCommand(invocation: Invocation): Command {
  return moveCommand(invocation, 'unpark', 'open parked letters again, with their replays forgotten', 'opened');
}

function moveCommand(invocation: Invocation, name: 'park' | 'unpark', summary: string, done: string): Command {
  return addLetterOptions(new Command(name))
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .argument('[ids...]', 'these letters')
    .option('--all', 'every letter')
    .option('--json', 'one JSON document: { letters, items }')
    .action(async (ids: readonly string[], options: MoveOptions) => {
      requireChoice(options, ids);
      const folder = await letterFolder(invocation, options);
      const filter = filterOf(options, ids);
      const tally = folder === undefined ? NONE : await withQueue(invocation, folder, (queue) => queue[name](filter));
      await tellMissing(invocation, ids, tally.letters);
      await invocation.print(options.json ? JSON.stringify(tally) : `${done} ${tallyText(tally)}`);
    });
}
