import type { LetterCount, LetterFilter } from '../../../dead-letters/deadLetter.js';
import { readDeadLetters, type UnreadLine } from '../../../dead-letters/readDeadLetters.js';
import type { ReplayProgress } from '../../../dead-letters/replayConfig.js';
import type { RunOutcome } from '../../../operators/running/runReport.js';
import { oneLine } from '../../../primitives/oneLine.js';
import { EXIT, type ExitCode } from '../../commandContext.js';
import {
  type Destination,
  type DestinationChoice,
  destinationOf,
  destinationText,
  WHY_LEFT,
  type WhyLeft,
} from './destination.js';
import { NONE, tallyText } from './letterText.js';

/** Letters that are not replayed, and why. */
export interface Left extends LetterCount {
  readonly kind: string | null;
  readonly why: WhyLeft;
  /** The sink that gave them up, and its table, as far as they say. */
  readonly sink?: string;
  readonly table?: string;
}

/** One pass over the folder: the letters of one destination. */
export interface Pass extends LetterCount {
  readonly into: Destination;
}

/** What a replay will do. */
export type Census = Awaited<ReturnType<typeof censusOf>>;

export type ReplayCounts = Pick<ReplayProgress, 'letters' | 'items' | 'written' | 'failedAgain' | 'parked'>;
export const NO_REPLAYS: ReplayCounts = { letters: 0, items: 0, written: 0, failedAgain: 0, parked: 0 };

export interface ReplayResult extends ReplayCounts {
  readonly outcome: RunOutcome;
  readonly dryRun: boolean;
  readonly census: Census;
}

/**
 * Counts the letters that a filter selects: `meant` is the sum of the passes, up to the limit. Takes no lock. Calls `onLetter`
 * with the number of letters so far.
 */
export async function censusOf(
  folder: string | undefined,
  filter: LetterFilter,
  choice: DestinationChoice,
  limit?: number,
  onLetter: (count: number) => void = () => {},
) {
  const passes = new Map<string, Pass>();
  const left = new Map<string, Left>();
  const kinds: (string | null)[] = [];
  let found = 0;
  let unknown = 0;
  const onProblem = ({ is }: UnreadLine) => {
    if (is === 'unknownVersion') unknown += 1;
  };
  if (folder !== undefined) {
    for await (const letter of readDeadLetters<unknown>(folder, filter, { onProblem })) {
      const { kind, sink } = letter;
      const items = letter.items.length;
      const destination = destinationOf(letter, choice);
      onLetter(++found);
      if (!kinds.includes(kind)) kinds.push(kind);
      if (typeof destination === 'object') {
        addTo(passes, destination, { into: destination, ...NONE }, items);
      } else {
        const group = {
          kind,
          why: destination,
          ...(sink && { sink: sink.name, ...(sink.table && { table: sink.table }) }),
        };
        addTo(left, group, { ...group, ...NONE }, items);
      }
    }
  }
  const all = [...passes.values()];
  const meant = sum(all, limit);
  const stays: Left[] = [...left.values()].sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
  // Only a later program can read them, so whether the filter selects them is unknown.
  if (unknown > 0) stays.push({ kind: null, why: 'unknown version', letters: unknown, items: 0 });
  return { passes: all, meant, left: stays, found: found + unknown, beyondLimit: sum(all).letters - meant.letters };
}

function addTo<G extends LetterCount>(groups: Map<string, G>, key: object, empty: G, items: number): void {
  const name = JSON.stringify(key);
  const before = groups.get(name) ?? empty;
  groups.set(name, { ...before, letters: before.letters + 1, items: before.items + items });
}

/** Items are counted per group, so with a limit their number is an estimate. */
function sum(counts: readonly LetterCount[], limit = Number.POSITIVE_INFINITY): LetterCount {
  let letters = 0;
  let items = 0;
  for (const count of counts) {
    const taken = Math.min(count.letters, limit - letters);
    letters += taken;
    items += Math.round((count.items * taken) / count.letters);
  }
  return { letters, items };
}

/** 0 only if no selected letter is left. */
export function exitCodeOf({ dryRun, failedAgain, parked, letters, census }: ReplayResult): ExitCode {
  if (dryRun) return EXIT.OK;
  const isComplete = failedAgain === 0 && parked === 0 && letters >= census.meant.letters;
  return isComplete && census.left.length === 0 && census.beyondLimit === 0 ? EXIT.OK : EXIT.LETTERS_LEFT;
}

const OUTCOMES: Readonly<Record<RunOutcome, string>> = {
  completed: '',
  drained: ', stopped on request',
  deadline: ', stopped at the deadline: unfinished letters are kept',
  failed: ', failed',
  unsubscribed: '',
};

export function resultText(result: ReplayResult, choice: DestinationChoice): string {
  const { dryRun, outcome, written, failedAgain, parked, census } = result;
  const head = dryRun
    ? `would replay ${tallyText(result)}`
    : `replayed ${tallyText(result)}: ${written} written, ${failedAgain} failed again${OUTCOMES[outcome]}`;
  const lines = [head];
  if (dryRun) {
    for (const pass of census.passes) lines.push(`  into ${destinationText(pass.into, choice)}: ${tallyText(pass)}`);
  }
  if (parked > 0)
    lines.push(`parked ${parked}: list them with "sluice dlq ls --parked", reopen them with "sluice dlq unpark"`);
  for (const one of census.left) lines.push(`left ${leftText(one)}: ${WHY_LEFT[one.why]}`);
  if (census.beyondLimit > 0) lines.push(`left ${census.beyondLimit} letters beyond --limit`);
  return lines.join('\n');
}

function leftText({ kind, why, sink, table, ...tally }: Left): string {
  if (why === 'unknown version')
    return `${tally.letters} ${tally.letters === 1 ? 'letter' : 'letters'} of an unknown version`;
  const of = kind === null ? 'no kind' : `kind ${kind}`;
  const from = sink === undefined ? '' : ` from the sink ${sink}${table === undefined ? '' : ` (table ${table})`}`;
  return `${tallyText(tally)} of ${oneLine(`${of}${from}`)}`;
}
