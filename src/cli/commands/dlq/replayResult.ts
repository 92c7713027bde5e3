import type { LetterFilter, Tally } from '../../../dead-letters/deadLetter.js';
import { readDeadLetters, type UnreadLine } from '../../../dead-letters/readDeadLetters.js';
import type { RunOutcome } from '../../../operators/running/runReport.js';
import { EXIT, type ExitCode } from '../../exitCodes.js';
import { oneLine } from '../../table.js';
import { NONE, tallyText } from './letterText.js';

/** The kinds that have a table, in the order in which they are replayed. */
export const KINDS = ['bar', 'option', 'news', 'fundamental'] as const;
export type Kind = (typeof KINDS)[number];

/** Letters that are not replayed, and why. */
export interface Left extends Tally {
  readonly kind: string | null;
  readonly why: 'no table' | 'not decoded' | 'unknown version';
}

/** One pass over the folder: letters of one kind, and of one reason where not all of them are meant. */
export interface Pass extends Tally {
  readonly kind: Kind;
  readonly reason?: string;
}

/** What a replay has before it. */
export interface Census {
  readonly passes: readonly Pass[];
  /** What the passes come to, no more than the limit. */
  readonly meant: Tally;
  readonly left: readonly Left[];
  /** Letters that are beyond the limit. */
  readonly beyondLimit: number;
}

export interface ReplayCounts {
  readonly letters: number;
  readonly items: number;
  readonly written: number;
  readonly failedAgain: number;
  readonly parked: number;
}

export interface ReplayResult extends ReplayCounts {
  readonly outcome: RunOutcome;
  readonly dryRun: boolean;
  readonly census: Census;
}

interface Group extends Tally {
  readonly kind: string | null;
  readonly reason: string;
}

/** Looks at the letters that a filter means, without a lock. */
export async function censusOf(folder: string | undefined, filter: LetterFilter, limit?: number): Promise<Census> {
  const groups = new Map<string, Group>();
  let unknown = 0;
  const onProblem = ({ is }: UnreadLine) => {
    if (is === 'unknownVersion') unknown += 1;
  };
  if (folder !== undefined) {
    for await (const { kind, reason, items } of readDeadLetters<unknown>(folder, filter, { onProblem })) {
      const key = JSON.stringify([kind, reason]);
      const before = groups.get(key) ?? { kind, reason, ...NONE };
      groups.set(key, { kind, reason, letters: before.letters + 1, items: before.items + items.length });
    }
  }
  const all = [...groups.values()];
  const passes = KINDS.flatMap((kind) => passesOf(kind, all));
  const meant = within(passes, limit);
  return {
    passes,
    meant,
    left: [...leftOf(all), ...ofUnknownVersion(unknown)],
    beyondLimit: sum(passes).letters - meant.letters,
  };
}

/** What a codec refused is no item yet: it is passed over, reason by reason, where there is some. */
function passesOf(kind: Kind, all: readonly Group[]): Pass[] {
  const ours = all.filter((group) => group.kind === kind);
  const decoded = ours.filter(({ reason }) => reason !== 'decode');
  if (decoded.length === 0) return [];
  if (decoded.length === ours.length) return [{ kind, ...sum(decoded) }];
  // What fails again becomes poison, as a rule: this way it is not tried twice.
  const poisonFirst = decoded.sort((a, b) => Number(b.reason === 'poison') - Number(a.reason === 'poison'));
  return poisonFirst.map(({ reason, letters, items }) => ({ kind, reason, letters, items }));
}

function leftOf(all: readonly Group[]): Left[] {
  const isKnown = (kind: string | null) => (KINDS as readonly (string | null)[]).includes(kind);
  const kinds = [...new Set(all.map(({ kind }) => kind))];
  return kinds.flatMap((kind) => {
    const ours = all.filter((group) => group.kind === kind);
    const left = isKnown(kind) ? ours.filter(({ reason }) => reason === 'decode') : ours;
    return left.length === 0
      ? []
      : [{ kind, why: isKnown(kind) ? ('not decoded' as const) : ('no table' as const), ...sum(left) }];
  });
}

/** What is in them is for a later program to say: whether a filter means them too, nobody knows. */
function ofUnknownVersion(letters: number): Left[] {
  return letters === 0 ? [] : [{ kind: null, why: 'unknown version', letters, items: 0 }];
}

/** Items are known by groups only: beyond the limit they are a fair share. */
function within(passes: readonly Pass[], limit = Number.POSITIVE_INFINITY): Tally {
  let letters = 0;
  let items = 0;
  for (const pass of passes) {
    const taken = Math.min(pass.letters, limit - letters);
    letters += taken;
    items += Math.round((pass.items * taken) / pass.letters);
  }
  return { letters, items };
}

function sum(tallies: readonly Tally[]): Tally {
  return {
    letters: tallies.reduce((total, { letters }) => total + letters, 0),
    items: tallies.reduce((total, { items }) => total + items, 0),
  };
}

/** Done is done only when nothing that was meant is left behind. */
export function exitCodeOf({ dryRun, failedAgain, parked, letters, census }: ReplayResult): ExitCode {
  if (dryRun) return EXIT.OK;
  const isAllThere = failedAgain === 0 && parked === 0 && letters >= census.meant.letters;
  return isAllThere && census.left.length === 0 && census.beyondLimit === 0 ? EXIT.OK : EXIT.LETTERS_LEFT;
}

const OUTCOMES: Readonly<Record<RunOutcome, string>> = {
  completed: '',
  drained: ', stopped on request',
  deadline: ', stopped at the deadline: what was in hand is still in its letters',
  failed: ', failed',
  unsubscribed: '',
};

const WHY: Readonly<Record<Left['why'], string>> = {
  'no table': 'there is no table for it',
  'not decoded': 'no item yet, so only the pipeline that decodes it can take it',
  'unknown version': 'written by a later version of this program, which can replay them',
};

export function resultText(result: ReplayResult): string {
  const { dryRun, outcome, written, failedAgain, parked, census } = result;
  const head = dryRun
    ? `would replay ${tallyText(result)}`
    : `replayed ${tallyText(result)}: ${written} written, ${failedAgain} failed again${OUTCOMES[outcome]}`;
  const lines = [head];
  if (dryRun) for (const pass of census.passes) lines.push(`  ${pass.kind}: ${tallyText(pass)}`);
  if (parked > 0) lines.push(`parked ${parked}: see them with --parked, and open them again with unpark`);
  for (const { kind, why, ...tally } of census.left) {
    const what =
      why === 'unknown version'
        ? `${tally.letters === 1 ? 'a letter' : `${tally.letters} letters`} of an unknown version`
        : `${tallyText(tally)} of ${kind === null ? 'no kind' : `kind ${oneLine(kind)}`}`;
    lines.push(`left ${what}: ${WHY[why]}`);
  }
  if (census.beyondLimit > 0) lines.push(`left ${census.beyondLimit} letters beyond --limit`);
  return lines.join('\n');
}
