import { Command } from 'commander';
import { asyncScheduler } from 'rxjs';
import type { LetterCount, LetterFilter } from '../../../dead-letters/deadLetter.js';
import type { DeadLetterQueue } from '../../../dead-letters/deadLetterQueue.js';
import { addTo } from '../../../dead-letters/letterLog.js';
import { readDeadLetters } from '../../../dead-letters/readDeadLetters.js';
import { SAME_REQUEST_MS } from '../../../policies/drain.js';
import { Timer } from '../../../primitives/timer.js';
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

type Change = (queue: DeadLetterQueue<unknown>, filter: LetterFilter) => Promise<LetterCount>;

/** Asks whether the change is meant; resolves to the answer. */
type Confirm = (folder: string, filter: LetterFilter) => Promise<boolean>;

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
  // The lock keeps other processes from adding letters before the answer.
  const confirm: Confirm = async (folder, filter) => {
    const selected = await context.telling(
      () => 'counting letters',
      () => count(folder, filter),
    );
    if (selected.letters === 0) return true;
    const question = `Delete ${tallyText(selected)} from ${folder} permanently? Type yes: `;
    return (await terminal.ask(question)).trim() === 'yes';
  };
  const summary = 'delete letters permanently, after confirmation';
  return changeCommand(context, 'purge', summary, 'removed', (queue, filter) => queue.purge(filter), confirm)
    .addOption(parkedOption())
    .option('--yes', 'do not ask for confirmation')
    .hook('preAction', (command) => {
      if (command.opts<ChangeOptions>().yes || terminal.isInteractive) return;
      throw new UsageError('refusing to purge without confirmation: no terminal attached; pass --yes');
    });
}

function changeCommand(
  context: CommandContext,
  name: string,
  summary: string,
  done: string,
  change: Change,
  confirm: Confirm = async () => true,
): Command {
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
      let isStopped = false;
      const work = async (queue: DeadLetterQueue<unknown>) => {
        if (!options.yes && !(await confirm(queue.folder, filter))) return undefined;
        return watched(context, filter, done, change, queue, () => {
          isStopped = true;
        });
      };
      const changed = folder === undefined ? NONE : await withQueue(context, folder, work);
      if (!changed) {
        await context.report('nothing was removed');
        context.exitCode = EXIT.FAILED;
        return;
      }
      if (isStopped) context.exitCode = EXIT.LETTERS_LEFT;
      else await reportMissingIds(context, ids, changed.letters);
      await context.print(options.json ? JSON.stringify(changed) : `${done} ${tallyText(changed)}`);
    });
}

/**
 * Tells how many letters a change comes to, and lets it come to no more after a Ctrl-C. A second one ends the program, unless it
 * is the first, passed on by whatever runs the program.
 */
async function watched(
  context: CommandContext,
  filter: LetterFilter,
  done: string,
  change: Change,
  queue: DeadLetterQueue<unknown>,
  onStop: () => void,
): Promise<LetterCount> {
  const { signals } = context.terminal;
  let letters = 0;
  let isStopped = false;
  const release = new Timer(asyncScheduler, () => signals.off('SIGINT', stop));
  const stop = () => {
    if (isStopped) return;
    isStopped = true;
    release.set(SAME_REQUEST_MS);
    onStop();
    void context.report(`stopping: what is ${done} stays so; press Ctrl-C again to end at once`).catch(() => {});
  };
  const where = () => {
    if (!isStopped) letters += 1;
    return !isStopped;
  };
  signals.on('SIGINT', stop);
  try {
    return await context.telling(
      () => `${letters} letters so far`,
      () => change(queue, { ...filter, where }),
    );
  } finally {
    release.cancel();
    signals.off('SIGINT', stop);
  }
}

async function count(folder: string, filter: LetterFilter): Promise<LetterCount> {
  const total = { ...NONE };
  for await (const { items } of readDeadLetters(folder, filter)) addTo(total, 1, items.length);
  return total;
}
