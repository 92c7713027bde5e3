import { Command } from 'commander';
import type { LetterFilter, Tally } from '../../../dead-letters/deadLetter.js';
import { readDeadLetters } from '../../../dead-letters/readDeadLetters.js';
import { EXIT } from '../../exitCodes.js';
import type { Invocation } from '../../invocation.js';
import { UsageError } from '../../usageError.js';
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

interface PurgeOptions extends LetterOptions {
  readonly all?: true;
  readonly yes?: true;
  readonly json?: true;
}

/** `sluice dlq purge`: removes letters for good, once a person has said so. */
export function purgeCommand(invocation: Invocation): Command {
  return addLetterOptions(new Command('purge'))
    .summary('remove letters for good')
    .description('Removes letters, and the items in them, for good. It asks first.')
    .argument('[ids...]', 'these letters')
    .option('--parked', 'those that are parked, in place of those that are open')
    .option('--all', 'every letter')
    .option('--yes', 'do not ask')
    .option('--json', 'one JSON document: { letters, items }')
    .action((ids: readonly string[], options: PurgeOptions) => purge(invocation, ids, options));
}

async function purge(invocation: Invocation, ids: readonly string[], options: PurgeOptions): Promise<void> {
  const { terminal } = invocation;
  requireChoice(options, ids);
  if (!options.yes && !terminal.isInteractive) {
    throw new UsageError('nobody is there to confirm the purge: say --yes if it is meant');
  }
  const folder = await letterFolder(invocation, options);
  const filter = filterOf(options, ids);
  const removed = folder === undefined ? NONE : await removeFrom(invocation, folder, filter, options.yes ?? false);
  if (!removed) {
    await invocation.tell('nothing was removed');
    invocation.exitCode = EXIT.FAILED;
    return;
  }
  await tellMissing(invocation, ids, removed.letters);
  await invocation.print(options.json ? JSON.stringify(removed) : `removed ${tallyText(removed)}`);
}

/** `undefined` where the person does not want it. Nobody else can add letters between the question and the answer. */
function removeFrom(
  invocation: Invocation,
  folder: string,
  filter: LetterFilter,
  isConfirmed: boolean,
): Promise<Tally | undefined> {
  return withQueue(invocation, folder, async (queue) => {
    if (!isConfirmed) {
      const meant = await count(folder, filter);
      if (meant.letters === 0) return NONE;
      const question = `Remove ${tallyText(meant)} from ${folder} for good? Type yes: `;
      if ((await invocation.terminal.ask(question)).trim() !== 'yes') return undefined;
    }
    return queue.purge(filter);
  });
}

async function count(folder: string, filter: LetterFilter): Promise<Tally> {
  let letters = 0;
  let items = 0;
  for await (const letter of readDeadLetters(folder, filter)) {
    letters += 1;
    items += letter.items.length;
  }
  return { letters, items };
}
