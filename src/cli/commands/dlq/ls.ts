import { join } from 'node:path';
import { Command } from 'commander';
import { addTo } from '../../../dead-letters/letterLog.js';
import {
  countQuarantined,
  readDeadLetters,
  type StoredLetter,
  type UnreadLine,
} from '../../../dead-letters/readDeadLetters.js';
import { oneLine } from '../../../primitives/oneLine.js';
import type { CommandContext } from '../../commandContext.js';
import { integer } from '../../parsers.js';
import { Table } from '../../table.js';
import { addLetterOptions, filterOf, type LetterOptions, letterFolder, parkedOption } from './letterOptions.js';
import { errorSummary, letterJson, NONE, tallyText, timeOf } from './letterText.js';

interface LsOptions extends LetterOptions {
  readonly limit?: number;
  readonly json?: true;
}

const TITLES = 'ID AT PIPELINE STAGE REASON KIND ITEMS ATTEMPTS REPLAYS ERROR'.split(' ');

/** Rows are formatted in chunks, so that the first are shown before the last are read. */
const ROWS_PER_CHUNK = 100;

/** `sluice dlq ls`: lists letters, oldest first. */
export function lsCommand(context: CommandContext): Command {
  return addLetterOptions(new Command('ls'))
    .summary('list dead letters')
    .description('Lists dead letters, oldest first. It takes no lock, so a pipeline may be running.')
    .addOption(parkedOption())
    .option('--limit <n>', 'list at most n letters', integer(1))
    .option('--json', 'print NDJSON: one object per letter, with itemCount instead of its items')
    .action(async (options: LsOptions) => {
      const folder = await letterFolder(context, options);
      if (folder === undefined) return;
      await context.telling(
        () => `reading ${folder}`,
        () => list(context, folder, options),
      );
    });
}

async function list(context: CommandContext, folder: string, options: LsOptions): Promise<void> {
  const { limit = Number.POSITIVE_INFINITY, json } = options;
  const width = context.terminal.stdout.columns;
  const table = new Table(TITLES, { right: ['ITEMS', 'ATTEMPTS', 'REPLAYS'], width });
  let firstUnread: UnreadLine | undefined;
  let unread = 0;
  const onProblem = (line: UnreadLine) => {
    firstUnread ??= line;
    unread += 1;
  };
  let rows: string[][] = [];
  const total = { ...NONE };
  const reasons = new Map<string, number>();
  let hasMore = false;
  const flush = async () => {
    if (rows.length > 0) await context.print(table.lines(rows));
    rows = [];
  };
  for await (const letter of readDeadLetters<unknown>(folder, filterOf(options), { onProblem })) {
    if (total.letters >= limit) {
      hasMore = true;
      break;
    }
    addTo(total, 1, letter.items.length);
    reasons.set(letter.reason, (reasons.get(letter.reason) ?? 0) + 1);
    if (json) await context.print(JSON.stringify(letterJson(letter, false)));
    else rows.push(rowOf(letter));
    if (rows.length >= ROWS_PER_CHUNK) await flush();
  }
  await flush();
  if (firstUnread) {
    // Others are only counted, as a damaged file may have any number of them.
    const { segment, offset, reason } = firstUnread;
    const others = unread === 1 ? '' : `, and ${unread - 1} more`;
    await context.report(`warning: cannot read the line at byte ${offset} of ${segment}: ${reason}${others}`);
  }
  if (json) return;
  const state = options.parked ? 'parked' : 'open';
  const more = hasMore ? `; more are beyond --limit ${limit}` : '';
  const byReason = [...reasons].map(([reason, count]) => `${oneLine(reason)} ${count}`).join(', ');
  await context.report(`${state}: ${tallyText(total)}${byReason && ` (${byReason})`}${more}`);
  const quarantined = await countQuarantined(folder);
  const parts = quarantined === 1 ? '1 damaged part of a segment' : `${quarantined} damaged parts of segments`;
  if (quarantined > 0) await context.report(`quarantined: ${parts} in ${join(folder, 'quarantine')}`);
}

function rowOf(letter: StoredLetter<unknown>): string[] {
  const { id, at, pipeline, stage, reason, kind, items, attempts, replays, error } = letter;
  const counts = [items.length, attempts, replays].map(String);
  return [id, timeOf(at), pipeline, stage, reason, kind ?? '-', ...counts, errorSummary(error)];
}
