import { Command } from 'commander';
import { readDeadLetters, type StoredLetter } from '../../../dead-letters/readDeadLetters.js';
import { encodeValue } from '../../../dead-letters/valueCodec.js';
import { oneLine } from '../../../primitives/oneLine.js';
import { printable } from '../../../primitives/printable.js';
import { type CommandContext, EXIT } from '../../commandContext.js';
import { integer } from '../../parsers.js';
import { dirOption, type LetterOptions, letterFolder } from './letterOptions.js';
import { errorLines, letterJson, sinkText, timeOf } from './letterText.js';

interface ShowOptions extends Pick<LetterOptions, 'dir'> {
  readonly items: number;
  readonly json?: true;
}

/** `sluice dlq show <id>`: shows one letter with its error and its items. */
export function showCommand(context: CommandContext): Command {
  return new Command('show')
    .summary('show one dead letter with its items')
    .description('Shows one dead letter, open or parked, with its error and its items.')
    .argument('<id>', 'the id from `sluice dlq ls`')
    .addOption(dirOption())
    .option('--items <n>', 'show at most n items', integer(0), 20)
    .option(
      '--json',
      'print one JSON document with all items; values that JSON cannot express are marked as in the folder',
    )
    .action((id: string, options: ShowOptions) => show(context, id, options));
}

async function show(context: CommandContext, id: string, options: ShowOptions): Promise<void> {
  const folder = await letterFolder(context, options);
  const letter =
    folder === undefined
      ? undefined
      : await context.telling(
          () => `looking for ${oneLine(id)}`,
          () => find(folder, id),
        );
  if (!letter) {
    if (folder !== undefined) await context.report(`error: no letter ${oneLine(id)} in ${folder}`);
    context.exitCode = EXIT.FAILED;
    return;
  }
  if (options.json) {
    await context.print(JSON.stringify(letterJson(letter, true), undefined, 2));
    return;
  }
  await context.print(page(letter));
  for (const item of letter.items.slice(0, options.items))
    await context.print(`  ${printable(JSON.stringify(encodeValue(item, 'item')))}`);
  const left = letter.items.length - options.items;
  if (left > 0) await context.print(`  … and ${left} more: raise --items, or use --json`);
}

async function find(folder: string, id: string): Promise<StoredLetter<unknown> | undefined> {
  for (const state of ['open', 'parked'] as const) {
    for await (const letter of readDeadLetters<unknown>(folder, { ids: [id], state })) return letter;
  }
  return undefined;
}

function page(letter: StoredLetter<unknown>): string {
  const { id, state, at, pipeline, stage, sink, reason, attempts, replays, previous, kind, error, items } = letter;
  const facts: readonly (readonly [string, string])[] = [
    ['id', id],
    ['state', state],
    ['at', timeOf(at)],
    ['pipeline', pipeline],
    ['stage', stage],
    ...(sink === undefined ? [] : [['sink', sinkText(sink)] as const]),
    ['reason', reason],
    ['kind', kind ?? '-'],
    ['attempts', String(attempts)],
    ['replays', String(replays)],
    ...(previous === undefined ? [] : [['previous', previous] as const]),
    ...errorLines(error).map((line, index) => [index === 0 ? 'error' : 'cause', line] as const),
    ['items', String(items.length)],
  ];
  return facts.map(([name, value]) => `${name.padEnd(9)} ${oneLine(value)}`).join('\n');
}
