import { Command, Option } from 'commander';
import type { CommandContext } from '../../commandContext.js';
import { integer, positive } from '../../parsers.js';
import { storeFolderOption } from '../../withStore.js';
import { addLetterOptions, filterOf, letterFolder, reportMissingIds } from './letterOptions.js';
import { censusOf, exitCodeOf, NO_REPLAYS, type ReplayResult, resultText } from './replayResult.js';
import { type ReplayOptions, replayToStore } from './replayToStore.js';

/** `sluice dlq replay`: writes the items of dead letters to the store and removes the letters that are written. */
export function replayCommand(context: CommandContext): Command {
  return (
    addLetterOptions(new Command('replay'))
      .summary('write the items of dead letters to the store')
      .description(
        'Writes the items of open letters to their tables, oldest first. A letter is removed once its items are written; ' +
          'items that fail again go to a new letter.',
      )
      .argument('[ids...]', 'these letters (default: all open letters)')
      .option('--dry-run', 'show what would be sent and change nothing')
      .option('--rate <n>', 'send at most n items per second', positive)
      .option('--limit <n>', 'send at most n letters', integer(1))
      .option('--max-replays <n>', 'park a letter after n failed replays', integer(1), 5)
      // Its former name.
      .addOption(new Option('--max-attempts <n>').argParser(integer(1)).hideHelp())
      .addOption(storeFolderOption())
      .option('--json', 'print one JSON document, as described in docs/cli.md')
      .action((ids: readonly string[], options: ReplayOptions) => replay(context, ids, options))
  );
}

async function replay(context: CommandContext, ids: readonly string[], options: ReplayOptions): Promise<void> {
  const folder = await letterFolder(context, options);
  const filter = filterOf(options, ids);
  const census = await censusOf(folder, filter, options.limit);
  const found = [...census.passes, ...census.left].reduce((sum, { letters }) => sum + letters, 0);
  await reportMissingIds(context, ids, found);
  let result: ReplayResult = { outcome: 'completed', dryRun: options.dryRun ?? false, ...NO_REPLAYS, census };
  if (options.dryRun) {
    result = { ...result, letters: census.meant.letters, items: census.meant.items };
  } else if (folder !== undefined && census.meant.letters > 0) {
    result = { ...result, ...(await replayToStore(context, folder, filter, census, options)) };
  }
  context.exitCode = exitCodeOf(result);
  const { census: _, ...counts } = result;
  const { left } = census;
  await context.print(options.json ? JSON.stringify({ ...counts, left }, undefined, 2) : resultText(result));
}
