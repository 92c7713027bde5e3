import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { LetterFilter } from '../../../dead-letters/deadLetter.js';
import { errnoText } from '../../../failures/errno.js';
import { KINDS } from '../../../market/recordKinds.js';
import { type CommandContext, UsageError } from '../../commandContext.js';
import { instant, path } from '../../parsers.js';

/** The options that the commands share: which folder, and which letters. */
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
  return new Option('--dir <path>', 'the dead-letter folder (default: MDS_DLQ_DIR)').argParser(path);
}

export function parkedOption(): Option {
  return new Option('--parked', 'parked letters instead of open ones');
}

/** Adds the options that select letters. */
export function addLetterOptions(command: Command): Command {
  return command
    .addOption(dirOption())
    .option('--stage <name>', 'only letters of this stage')
    .option('--reason <word>', 'only letters with this reason: poison, exhausted, fatal, drain, decode, badRow, …')
    .option('--kind <kind>', `only letters with items of this kind: ${KINDS.join(', ')}, …`)
    .option('--from <time>', 'only letters from this time on', instant)
    .option('--to <time>', 'only letters before this time', instant);
}

export function filterOf(options: LetterOptions, ids: readonly string[] = []): LetterFilter {
  const { stage, reason, kind, from, to, parked } = options;
  const filter = { ids: ids.length > 0 ? ids : undefined, stage, reason, kind, from, to, state: parked && 'parked' };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

/** A command that changes letters handles all of them only if told so. */
export function requireChoice(options: LetterOptions & { readonly all?: true }, ids: readonly string[]): void {
  const { state: _, ...chosen } = filterOf(options, ids);
  const isChosen = Object.keys(chosen).length > 0;
  if (options.all && isChosen) throw new UsageError('--all cannot be combined with ids or filters');
  if (!options.all && !isChosen)
    throw new UsageError('no letters are selected: pass ids or a filter, or --all for every letter');
}

/** Reports ids that match no letter: they are mistyped, or their letters are gone. */
export async function reportMissingIds(context: CommandContext, ids: readonly string[], found: number): Promise<void> {
  const named = new Set(ids).size;
  if (found >= named) return;
  const remedy = 'see `sluice dlq ls` and `sluice dlq ls --parked`';
  await context.report(`note: found ${found} of ${named} letters: ${remedy}`);
}

/**
 * The dead-letter folder. If it does not exist, nothing was ever given up: reports that and returns `undefined`. A folder that
 * `--dir` names must exist.
 */
export async function letterFolder(context: CommandContext, { dir }: LetterOptions): Promise<string | undefined> {
  const { deadLetterFolder } = context.settings();
  const folder = dir === undefined ? deadLetterFolder : resolve(context.terminal.cwd, dir);
  const found = await stat(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new Error(`cannot read ${folder}: ${errnoText(cause)}`, { cause });
  });
  if (found?.isDirectory()) return folder;
  if (found) throw new UsageError(`${folder} is a file rather than a dead-letter folder: check --dir and MDS_DLQ_DIR`);
  if (dir !== undefined) throw new UsageError(`the folder ${folder} does not exist: check --dir`);
  await context.report(`no dead letters: the folder ${folder} does not exist`);
  return undefined;
}
