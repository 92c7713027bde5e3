import { Command } from 'commander';
import { readDeadLetters, type StoredLetter } from '../../../dead-letters/readDeadLetters.js';
import { EXIT } from '../../exitCodes.js';
import type { Invocation } from '../../invocation.js';
import { integer } from '../../optionValues.js';
import { oneLine } from '../../table.js';
import { dirOption, type LetterOptions, letterFolder } from './letterOptions.js';
import { errorLines, itemJson, letterJson, timeOf } from './letterText.js';

interface ShowOptions extends Pick<LetterOptions, 'dir'> {
  readonly items: number;
  readonly json?: true;
}

/** `sluice dlq show <id>`: one letter with its error and its items. */
export function showCommand(invocation: Invocation): Command {
  return new Command('show')
    .summary('show one dead letter with its items')
    .description('Shows one dead letter, open or parked: what was the matter, and its items.')
    .argument('<id>', 'as `sluice dlq ls` shows it')
    .addOption(dirOption())
    .option('--items <n>', 'no more than so many items', integer(0), 20)
    .option('--json', 'one JSON document with all items; what JSON has no word for is marked as in the folder')
    .action((id: string, options: ShowOptions) => show(invocation, id, options));
}

async function show(invocation: Invocation, id: string, options: ShowOptions): Promise<void> {
  const folder = await letterFolder(invocation, options);
  const letter = folder === undefined ? undefined : await find(folder, id);
  if (!letter) {
    if (folder !== undefined) await invocation.tell(`error: there is no letter ${oneLine(id)} in ${folder}`);
    invocation.exitCode = EXIT.FAILED;
    return;
  }
  if (options.json) {
    await invocation.print(JSON.stringify(letterJson(letter, true), undefined, 2));
    return;
  }
  for (const line of page(letter)) await invocation.print(line);
  for (const item of letter.items.slice(0, options.items))
    await invocation.print(`  ${escaped(JSON.stringify(itemJson(item)))}`);
  const left = letter.items.length - options.items;
  if (left > 0) await invocation.print(`  … and ${left} more: raise --items, or take --json`);
}

async function find(folder: string, id: string): Promise<StoredLetter<unknown> | undefined> {
  for (const state of ['open', 'parked'] as const) {
    for await (const letter of readDeadLetters<unknown>(folder, { ids: [id], state })) return letter;
  }
  return undefined;
}

function page(letter: StoredLetter<unknown>): string[] {
  const { id, state, at, pipeline, stage, reason, attempts, replays, previous, kind, error, items } = letter;
  const facts: readonly (readonly [string, string])[] = [
    ['id', id],
    ['state', state],
    ['at', timeOf(at)],
    ['pipeline', pipeline],
    ['stage', stage],
    ['reason', reason],
    ['kind', kind ?? '-'],
    ['attempts', String(attempts)],
    ['replays', String(replays)],
    ...(previous === undefined ? [] : [['previous', previous] as const]),
    ...errorLines(error).map((line, index) => [index === 0 ? 'error' : 'cause', line] as const),
    ['items', String(items.length)],
  ];
  return facts.map(([name, value]) => `${name.padEnd(9)} ${oneLine(value)}`);
}

/** JSON escapes the old control characters; those of Unicode can hide or turn what is shown. */
function escaped(json: string): string {
  return json.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (letter) =>
    [...Array(letter.length).keys()].map((i) => `\\u${letter.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
}
