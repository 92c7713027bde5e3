import type { LetterCount, LetterFilter } from '../../../dead-letters/deadLetter.js';
import { readDeadLetters, type UnreadLine } from '../../../dead-letters/readDeadLetters.js';
import type { ReplayProgress } from '../../../dead-letters/replayRun.js';
import { isRecordKind, KINDS, type RecordKind } from '../../../market/recordKinds.js';
import type { RunOutcome } from '../../../operators/running/runReport.js';
import { EXIT, type ExitCode } from '../../commandContext.js';
import { oneLine } from '../../table.js';
import { NONE, tallyText } from './letterText.js';

/** Letters that are not replayed, and why. */
export interface Left extends LetterCount {
  readonly kind: string | null;
  readonly why: 'no table' | 'not decoded' | 'unknown version';
}

/** One pass over the folder: the letters of one kind, and of one reason if others must be skipped. */
export interface Pass extends LetterCount {
  readonly kind: RecordKind;
  readonly reason?: string;
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

interface Group extends LetterCount {
  readonly kind: string | null;
  readonly reason: string;
}

/** Counts the letters that a filter selects: `meant` is the sum of the passes, up to the limit. Takes no lock. */
export async function censusOf(folder: string | undefined, filter: LetterFilter, limit?: number) {
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
  const meant = sum(passes, limit);
  const left = leftOf(all);
  // Only a later program can read them, so whether the filter selects them is unknown.
  if (unknown > 0) left.push({ kind: null, why: 'unknown version', letters: unknown, items: 0 });
  return { passes, meant, left, beyondLimit: sum(passes).letters - meant.letters };
}

/** Input that a codec rejected is not an item yet. If there is any, the passes select the other reasons one by one. */
function passesOf(kind: RecordKind, all: readonly Group[]): Pass[] {
  const ours = all.filter((group) => group.kind === kind);
  const decoded = ours.filter(({ reason }) => reason !== 'decode');
  if (decoded.length === 0) return [];
  if (decoded.length === ours.length) return [{ kind, ...sum(decoded) }];
  // An item that fails again usually becomes poison; with that pass first, it is not tried twice.
  const poisonFirst = decoded.sort((a, b) => Number(b.reason === 'poison') - Number(a.reason === 'poison'));
  return poisonFirst.map(({ reason, letters, items }) => ({ kind, reason, letters, items }));
}

function leftOf(all: readonly Group[]): Left[] {
  return [...new Set(all.map(({ kind }) => kind))].flatMap((kind): Left[] => {
    const why = isRecordKind(kind) ? 'not decoded' : 'no table';
    const left = all.filter((group) => group.kind === kind && (why === 'no table' || group.reason === 'decode'));
    return left.length === 0 ? [] : [{ kind, why, ...sum(left) }];
  });
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

const WHY: Readonly<Record<Left['why'], string>> = {
  'no table': 'no table for this kind',
  'not decoded': 'not decoded yet; replay it through the pipeline that decodes it',
  'unknown version': 'written by a later version of this program, which can replay them',
};

export function resultText(result: ReplayResult): string {
  const { dryRun, outcome, written, failedAgain, parked, census } = result;
  const head = dryRun
    ? `would replay ${tallyText(result)}`
    : `replayed ${tallyText(result)}: ${written} written, ${failedAgain} failed again${OUTCOMES[outcome]}`;
  const lines = [head];
  if (dryRun) for (const pass of census.passes) lines.push(`  ${pass.kind}: ${tallyText(pass)}`);
  if (parked > 0)
    lines.push(`parked ${parked}: list them with "sluice dlq ls --parked", reopen them with "sluice dlq unpark"`);
  for (const { kind, why, ...tally } of census.left) {
    const what =
      why === 'unknown version'
        ? `${tally.letters} ${tally.letters === 1 ? 'letter' : 'letters'} of an unknown version`
        : `${tallyText(tally)} of ${kind === null ? 'no kind' : `kind ${oneLine(kind)}`}`;
    lines.push(`left ${what}: ${WHY[why]}`);
  }
  if (census.beyondLimit > 0) lines.push(`left ${census.beyondLimit} letters beyond --limit`);
  return lines.join('\n');
}
