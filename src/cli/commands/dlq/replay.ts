import { Command, Option } from 'commander';
import { type CommandContext, UsageError } from '../../commandContext.js';
import { integer, positive } from '../../parsers.js';
import { storeFolderOption } from '../../withStore.js';
import { addLetterOptions, filterOf, letterFolder, reportMissingIds } from './letterOptions.js';
import { type ReplayOptions, replayLetters } from './replayLetters.js';
import type { Pass } from './replayResult.js';
import { censusOf, exitCodeOf, NO_REPLAYS, type ReplayResult, resultText } from './replayResult.js';

/** `sluice dlq replay`: writes the items of dead letters where they belong and removes the letters that are written. */
export function replayCommand(context: CommandContext): Command {
  return (
    addLetterOptions(new Command('replay'))
      .summary('write the items of dead letters to the store')
      .description(
        'Writes the items of open letters to the tables of the sinks that gave them up, oldest first. A letter is removed once ' +
          'its items are written; items that fail again go to a new letter. Letters of other sinks stay, unless --sink names one.',
      )
      .argument('[ids...]', 'these letters (default: all open letters)')
      .option('--dry-run', 'show what would be sent and change nothing')
      .option('--table <name>', 'the table of letters that do not name theirs; it must exist')
      .option('--schema <name>', 'the schema of --table')
      .option('--sink <file>', 'write to the sink that this module exports as its default, instead of the store')
      .option('--mend <file>', 'change each item by the function that this module exports as its default')
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
  const { table, schema, sink } = options;
  if (sink !== undefined && (table !== undefined || schema !== undefined || options.storeFolder !== undefined)) {
    throw new UsageError(
      '--sink cannot be combined with --table, --schema or --store-folder: a letter has one destination',
    );
  }
  if (schema !== undefined && table === undefined) throw new UsageError('--schema needs --table');
  const folder = await letterFolder(context, options);
  const filter = filterOf(options, ids);
  let read = 0;
  const census = await context.telling(
    () => `${read} letters read`,
    () =>
      censusOf(folder, filter, options, options.limit, (count) => {
        read = count;
      }),
  );
  if (table !== undefined) requireOneKind(table, census.passes);
  await reportMissingIds(context, ids, census.found);
  let result: ReplayResult = { outcome: 'completed', dryRun: options.dryRun ?? false, ...NO_REPLAYS, census };
  if (options.dryRun) {
    result = { ...result, letters: census.meant.letters, items: census.meant.items };
  } else if (folder !== undefined && census.meant.letters > 0) {
    result = { ...result, ...(await replayLetters(context, folder, filter, census, options)) };
  }
  context.exitCode = exitCodeOf(result);
  const { census: _, ...counts } = result;
  const { left } = census;
  await context.print(options.json ? JSON.stringify({ ...counts, left }, undefined, 2) : resultText(result, options));
}

/** A table holds one kind of record. */
function requireOneKind(table: string, passes: readonly Pass[]): void {
  const kinds = new Set(passes.flatMap(({ into }) => (into.to === 'table' ? into.kind : [])));
  if (kinds.size <= 1) return;
  throw new UsageError(
    `--table ${table} holds one kind of record, and the letters are of ${[...kinds].join(', ')}: add --kind`,
  );
}
