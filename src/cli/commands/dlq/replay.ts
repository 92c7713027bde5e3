import { Command } from 'commander';
import type { Invocation } from '../../invocation.js';
import { integer, positive } from '../../optionValues.js';
import { storeFolderOption } from '../../withStore.js';
import { addLetterOptions, filterOf, letterFolder, tellMissing } from './letterOptions.js';
import { censusOf, exitCodeOf, type ReplayResult, resultText } from './replayResult.js';
import { type ReplayOptions, replayToStore } from './replayToStore.js';

/** `sluice dlq replay`: writes the items of dead letters to the store, and removes the letters that are written. */
export function replayCommand(invocation: Invocation): Command {
  return addLetterOptions(new Command('replay'))
    .summary('write the items of dead letters to the store')
    .description(
      'Writes the items of open letters to the store, oldest first: bars to the table of bars, and so on. A letter is removed ' +
        'when its items are written, and what fails again is in a new one.',
    )
    .argument('[ids...]', 'these letters (default: all that are open)')
    .option('--dry-run', 'change nothing, and show what would be sent')
    .option('--rate <n>', 'no more than so many items in a second', positive)
    .option('--limit <n>', 'no more than so many letters', integer(1))
    .option('--max-attempts <n>', 'park a letter when so many replays of it have failed', integer(1), 5)
    .addOption(storeFolderOption())
    .option('--json', 'one JSON document, as docs/cli.md describes it')
    .action((ids: readonly string[], options: ReplayOptions) => replay(invocation, ids, options));
}

async function replay(invocation: Invocation, ids: readonly string[], options: ReplayOptions): Promise<void> {
  const folder = await letterFolder(invocation, options);
  const filter = filterOf(options, ids);
  const census = await censusOf(folder, filter, options.limit);
  const found = [...census.passes, ...census.left].reduce((sum, { letters }) => sum + letters, 0);
  await tellMissing(invocation, ids, found);
  const nothing = { letters: 0, items: 0, written: 0, failedAgain: 0, parked: 0 };
  let result: ReplayResult = { outcome: 'completed', dryRun: options.dryRun ?? false, ...nothing, census };
  if (options.dryRun) {
    result = { ...result, letters: census.meant.letters, items: census.meant.items };
  } else if (folder !== undefined && census.meant.letters > 0) {
    result = { ...result, ...(await replayToStore(invocation, folder, filter, census, options)) };
  }
  invocation.exitCode = exitCodeOf(result);
  const { census: _, ...counts } = result;
  const { left } = census;
  await invocation.print(options.json ? JSON.stringify({ ...counts, left }, undefined, 2) : resultText(result));
}
