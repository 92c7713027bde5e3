import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { LetterFilter } from '../../../dead-letters/deadLetter.js';
import type { Invocation } from '../../invocation.js';
import { instant } from '../../optionValues.js';
import { UsageError } from '../../usageError.js';

/** The options of all commands about dead letters: which folder, and which letters. */
export interface LetterOptions {
  readonly dir?: string;
  readonly stage?: string;
  readonly reason?: string;
  readonly kind?: string;
  readonly from?: number;
  readonly to?: number;
  readonly parked?: true;
}

export function dirOption(): Option {
  return new Option('--dir <path>', 'the folder of the dead letters (default: MDS_DLQ_DIR)');
}

/** Adds the options that say which letters are meant. */
export function addLetterOptions(command: Command): Command {
  return command
    .addOption(dirOption())
    .option('--stage <name>', 'only those of this stage')
    .option('--reason <word>', 'only those with this reason: poison, exhausted, fatal, drain, decode, …')
    .option('--kind <kind>', 'only those with items of this kind: bar, option, news, fundamental, …')
    .option('--from <time>', 'only those given up at this time or later', instant)
    .option('--to <time>', 'only those given up before this time', instant);
}

export function filterOf(
  { stage, reason, kind, from, to, parked }: LetterOptions,
  ids: readonly string[] = [],
): LetterFilter {
  return {
    ...(ids.length > 0 ? { ids } : {}),
    ...(stage === undefined ? {} : { stage }),
    ...(reason === undefined ? {} : { reason }),
    ...(kind === undefined ? {} : { kind }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(parked ? { state: 'parked' as const } : {}),
  };
}

/** What is done to every letter of a folder has to be asked for. */
export function requireChoice(options: LetterOptions & { readonly all?: true }, ids: readonly string[]): void {
  const { state: _, ...chosen } = filterOf(options, ids);
  const isChosen = Object.keys(chosen).length > 0;
  if (options.all && isChosen) throw new UsageError('--all does not go with ids and other filters: leave out either');
  if (!options.all && !isChosen)
    throw new UsageError('no letters are named: give ids or a filter, or --all for every letter');
}

/** A word to the person where ids named no letter: they are mistyped, or somebody was there before. */
export async function tellMissing(invocation: Invocation, ids: readonly string[], found: number): Promise<void> {
  const named = new Set(ids).size;
  if (found >= named) return;
  const remedy = 'see `sluice dlq ls` and `sluice dlq ls --parked`';
  await invocation.tell(`note: of the letters named, ${found} of ${named} were found: ${remedy}`);
}

/**
 * The folder of the dead letters; `undefined`, and a word to the person, where there is none, because nothing was ever given
 * up. One that was named must be there.
 */
export async function letterFolder(invocation: Invocation, { dir }: LetterOptions): Promise<string | undefined> {
  const { deadLetterFolder } = invocation.settings();
  const folder = dir === undefined ? deadLetterFolder : resolve(invocation.terminal.cwd, dir);
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found?.isDirectory()) return folder;
  if (found) throw new UsageError(`${folder} is a file, and not a folder of dead letters: check --dir and MDS_DLQ_DIR`);
  if (dir !== undefined) throw new UsageError(`there is no folder ${folder}: check --dir`);
  await invocation.tell(`there are no dead letters: there is no folder ${folder}`);
  return undefined;
}
