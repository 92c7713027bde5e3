import { join } from 'node:path';
import { Command } from 'commander';
import {
  countQuarantined,
  readDeadLetters,
  type StoredLetter,
  type UnreadLine,
} from '../../../dead-letters/readDeadLetters.js';
import type { Invocation } from '../../invocation.js';
import { integer } from '../../optionValues.js';
import { type Column, oneLine, Table } from '../../table.js';
import { addLetterOptions, filterOf, type LetterOptions, letterFolder } from './letterOptions.js';
import { errorSummary, letterJson, tallyText, timeOf } from './letterText.js';

interface LsOptions extends LetterOptions {
  readonly limit?: number;
  readonly json?: true;
}

const COLUMNS: readonly Column[] = [
  { title: 'ID' },
  { title: 'AT' },
  { title: 'PIPELINE' },
  { title: 'STAGE' },
  { title: 'REASON' },
  { title: 'KIND' },
  { title: 'ITEMS', align: 'right' },
  { title: 'ATTEMPTS', align: 'right' },
  { title: 'REPLAYS', align: 'right' },
  { title: 'ERROR' },
];

/** How many letters are set together: the first are shown before the last are read. */
const ROWS_AT_ONCE = 100;

/** `sluice dlq ls`: which letters there are, oldest first. */
export function lsCommand(invocation: Invocation): Command {
  return addLetterOptions(new Command('ls'))
    .summary('list dead letters')
    .description('Lists dead letters, oldest first. It locks nothing: a pipeline may be at work.')
    .option('--parked', 'those that are parked, in place of those that are open')
    .option('--limit <n>', 'no more than so many', integer(1))
    .option('--json', 'NDJSON: one object a letter, with itemCount in place of its items')
    .action(async (options: LsOptions) => {
      const folder = await letterFolder(invocation, options);
      if (folder !== undefined) await list(invocation, folder, options);
    });
}

async function list(invocation: Invocation, folder: string, options: LsOptions): Promise<void> {
  const { limit = Number.POSITIVE_INFINITY, json } = options;
  const table = new Table(COLUMNS, invocation.terminal.stdout.columns);
  const unread = new UnreadLines(invocation);
  let rows: string[][] = [];
  let letters = 0;
  let items = 0;
  const reasons = new Map<string, number>();
  let hasMore = false;
  const flush = async () => {
    if (rows.length > 0) await invocation.print(table.lines(rows));
    rows = [];
  };
  for await (const letter of readDeadLetters<unknown>(folder, filterOf(options), { onProblem: unread.add })) {
    if (letters >= limit) {
      hasMore = true;
      break;
    }
    letters += 1;
    items += letter.items.length;
    reasons.set(letter.reason, (reasons.get(letter.reason) ?? 0) + 1);
    if (json) await invocation.print(JSON.stringify(letterJson(letter, false)));
    else rows.push(rowOf(letter));
    if (rows.length >= ROWS_AT_ONCE) await flush();
  }
  await flush();
  await unread.tell();
  if (json) return;
  const state = options.parked ? 'parked' : 'open';
  const more = hasMore ? `; there are more than --limit ${limit}` : '';
  const byReason = [...reasons].map(([reason, count]) => `${oneLine(reason)} ${count}`).join(', ');
  await invocation.tell(`${state}: ${tallyText({ letters, items })}${byReason && ` (${byReason})`}${more}`);
  const quarantined = await countQuarantined(folder);
  const parts = quarantined === 1 ? 'one damaged part of a segment is' : `${quarantined} damaged parts of segments are`;
  if (quarantined > 0) await invocation.tell(`quarantined: ${parts} kept in ${join(folder, 'quarantine')}`);
}

function rowOf(letter: StoredLetter<unknown>): string[] {
  const { id, at, pipeline, stage, reason, kind, items, attempts, replays, error } = letter;
  const counts = [items.length, attempts, replays].map(String);
  return [id, timeOf(at), pipeline, stage, reason, kind ?? '-', ...counts, errorSummary(error)];
}

/** The first is told, the others are counted: a damaged file may have any number of them. */
export class UnreadLines {
  readonly #invocation: Invocation;
  #first: UnreadLine | undefined;
  #count = 0;

  constructor(invocation: Invocation) {
    this.#invocation = invocation;
  }

  readonly add = (line: UnreadLine): void => {
    this.#first ??= line;
    this.#count += 1;
  };

  async tell(): Promise<void> {
    if (!this.#first) return;
    const { segment, offset, reason } = this.#first;
    const others = this.#count === 1 ? '' : `, and ${this.#count - 1} more`;
    await this.#invocation.tell(
      `warning: ${segment} has a line at byte ${offset} that was not read: ${reason}${others}`,
    );
  }
}
