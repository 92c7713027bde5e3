import { classifyFailure } from '../../failures/classifyFailure.js';
import { retryAfterMsOf } from '../../failures/failureHints.js';
import type { Gap } from '../../market/gap.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { Answer } from './answer.js';
import type { Candidate } from './candidates.js';
import { countOf, looks, presentOf } from './ledgerAnswers.js';
import { type Fault, fault, wordsOf } from './outcome.js';
import type { RepairSettings } from './repairSettings.js';
import { Cancelled, type Rim, stepOf, TooLate } from './rim.js';
import { barMsOf, countedSpan, type Span } from './spans.js';

/** What leaves a repair at a time: rows in their order, and what is given up of the page that they came in. */
export interface RepairStep {
  readonly rows: readonly MarketEvent[];
  readonly strays: readonly unknown[];
}

/** What is proven of a chunk. */
export interface Proof {
  readonly rows: number;
  /** Of one without rows, who says so. */
  readonly empty?: string;
}

/** A chunk that has more rows than are held at a time: it is to be asked for in halves. */
export const TOO_LONG = 'too long';

/** Pages in a row of which no row is new. */
const MAX_IDLE_PAGES = 100;

/**
 * Asks the candidates in turn for a chunk, until the answer is proven. Gives its proof, or why nobody's answer is proof.
 */
export async function* repairChunk(
  gap: Gap,
  chunk: Span,
  /** So many rows at least it must have, where that is known. */
  atLeast: number,
  candidates: readonly Candidate[],
  settings: RepairSettings,
  rim: Rim,
): AsyncGenerator<RepairStep, Proof | Fault | typeof TOO_LONG> {
  const answer = new Answer(chunk);
  const faults: Fault[] = [];
  const names: string[] = [];
  for (const candidate of candidates) {
    const before = answer.size;
    const failed = yield* askHistory(gap, chunk, candidate, answer, settings, rim);
    if (failed === TOO_LONG) return failed;
    if (failed) {
      faults.push(failed);
    } else {
      names.push(candidate.series.provider);
      const unproven = await prove(
        gap,
        chunk,
        atLeast,
        answer,
        names.join(' and '),
        hasOwnIds(candidate),
        settings,
        rim,
      );
      if (unproven) faults.push(unproven);
      else if (answer.size > 0) return { rows: answer.size };
      // Of several, one that has nothing does not speak for the others.
      else continue;
    }
    // Two vendors have no ids in common: what one has given would be there twice.
    if (hasOwnIds(candidate) && answer.size > before) break;
  }
  if (names.length === 0 || answer.size > 0 || !faults.every(({ isFinal }) => isFinal)) return joined(faults);
  const empty = `${names.join(' and ')} answered that there are no records of this span`;
  return { rows: 0, empty: [empty, ...faults.map(({ reason }) => reason)].join('; ') };
}

/** Whether a record of one of several vendors is never the same as one of another. */
function hasOwnIds({ series: { ranker, of } }: Candidate): boolean {
  return ranker !== undefined && (of === 'trade' || of === 'quote' || of === 'news');
}

/** Several faults as one: asking again makes sense if it does for one of them. */
export function joined(faults: readonly Fault[]): Fault {
  const [first = fault('failed', 'nobody was asked')] = faults;
  return fault(first.why, [...new Set(faults.map(({ reason }) => reason))].join('; '), {
    isFinal: faults.every(({ isFinal }) => isFinal),
    retryAfterMs: Math.max(0, ...faults.map(({ retryAfterMs }) => retryAfterMs)),
  });
}

/** Reads the pages of one provider into the answer. `undefined` where they came to their end, and all of them could be used. */
async function* askHistory(
  { of, timeframe }: Gap,
  { from, to }: Span,
  { history, series }: Candidate,
  answer: Answer,
  { maxChunkRows, pageTimeoutMs }: RepairSettings,
  rim: Rim,
): AsyncGenerator<RepairStep, Fault | typeof TOO_LONG | undefined> {
  const { provider, spelled } = series;
  let iterator: AsyncIterator<unknown> | undefined;
  let idle = 0;
  const before = answer.strays?.count ?? 0;
  try {
    const range = { of: series.of, symbol: spelled, ...(timeframe !== undefined && { timeframe }), from, to };
    iterator = (history(range) as AsyncIterable<unknown>)[Symbol.asyncIterator]();
    for (;;) {
      const page = await stepOf(iterator, pageTimeoutMs, rim);
      if (page.done) {
        iterator = undefined;
        break;
      }
      const { rows, strays } = answer.take(page.value, series);
      idle = rows.length > 0 ? 0 : idle + 1;
      if (rows.length > 0 || strays.length > 0) yield { rows, strays };
      if (answer.size > maxChunkRows) return TOO_LONG;
      if (idle >= MAX_IDLE_PAGES) {
        return fault(
          'endless',
          `${provider} answers page after page without a new record: given up after ${idle} pages`,
        );
      }
    }
  } catch (error) {
    if (error instanceof Cancelled) throw error;
    return failureOf(provider, error);
  } finally {
    release(iterator);
  }
  const strays = (answer.strays?.count ?? 0) - before;
  if (strays === 0) return undefined;
  const are =
    strays === 1
      ? 'a row that was not asked for, or that cannot be read'
      : `${strays} rows that were not asked for, or that cannot be read`;
  return fault(
    'foreign',
    `${provider} answered ${of} of ${spelled} with ${are}; the first was ${answer.strays!.first}`,
  );
}

function failureOf(provider: string, error: unknown): Fault {
  if (error instanceof TooLate) return fault('failed', `${provider} does not answer: ${error.message}`);
  const words = wordsOf(error);
  const reason = words.startsWith(provider) ? words : `${provider}: ${words}`;
  // What a provider cannot be asked at all is a RangeError.
  if (error instanceof RangeError || classifyFailure(error) === 'fatal')
    return fault('refused', reason, { isFinal: true });
  return fault('failed', reason, { retryAfterMs: retryAfterMsOf(error) });
}

/** Cancels the request under way. Not awaited: one that never answers would not answer this either. */
function release(iterator: AsyncIterator<unknown> | undefined): void {
  try {
    void Promise.resolve(iterator?.return?.()).then(undefined, () => {});
  } catch {
    // It has said what it had to say.
  }
}

/** Waits until the store has what was answered, and nothing else; or says what differs. */
async function prove(
  gap: Gap,
  chunk: Span,
  atLeast: number,
  answer: Answer,
  names: string,
  /** The store may have records of other vendors in this series: they say nothing of the answer. */
  hasOthers: boolean,
  { ledger, proofTimeoutMs, emptyAfterMs, live }: RepairSettings,
  rim: Rim,
): Promise<Fault | undefined> {
  const { size } = answer;
  const now = () => rim.scheduler.now();
  let wasEqual = size === 0;
  let present = 0;
  for await (const _ of looks(proofTimeoutMs, rim)) {
    const lacking = hasOthers ? 0 : (live?.lacking(answer, chunk) ?? 0);
    if (lacking > 0) return incomplete(gap, chunk, lacking, names, now());
    const stored = await countOf(countedSpan(gap, chunk), ledger, rim);
    if (stored > size && !hasOthers) return incomplete(gap, chunk, stored - size, names, now());
    present = stored;
    const isEqual = hasOthers ? stored >= size : stored === size;
    if (isEqual) {
      present = size === 0 ? 0 : ((await presentOf(answer, ledger, rim)) ?? (wasEqual ? size : 0));
      if (present === size)
        return stored < atLeast ? tooFew(atLeast - stored, names) : earlyOf(chunk, answer, names, emptyAfterMs, now());
    }
    wasEqual = isEqual;
  }
  return missing(size, size - present, names, proofTimeoutMs);
}

function missing(size: number, absent: number, names: string, ms: number): Fault {
  const reason =
    `${absent} of the ${size} records that ${names} answered are not in the store after ${ms / 1_000} s: ` +
    'they are in the dead letters, or still on their way';
  return fault('missing', reason);
}

function incomplete(gap: Gap, chunk: Span, extra: number, names: string, now: number): Fault {
  const records = extra === 1 ? '1 record' : `${extra} records`;
  const are = extra === 1 ? 'is' : 'are';
  const barMs = barMsOf(gap);
  const overAt = chunk.to - 1 + barMs;
  if (barMs > 0 && now < overAt) {
    const reason = `the answer of ${names} is without a bar that is still forming, and the store has ${records} more`;
    return fault('incomplete', reason, { retryAfterMs: overAt - now });
  }
  return fault(
    'incomplete',
    `the answer of ${names} is said to be complete, but ${records} of the store ${are} missing from it`,
  );
}

/** Why an answer that the store agrees with is no proof yet. */
function earlyOf(
  chunk: Span,
  { size, formingUntil }: Answer,
  names: string,
  emptyAfterMs: number,
  now: number,
): Fault | undefined {
  if (formingUntil > Number.NEGATIVE_INFINITY) {
    const reason = `${names} answered with a bar that is still forming`;
    return fault('early', reason, { retryAfterMs: Math.max(0, formingUntil - now) });
  }
  const waitMs = chunk.to + emptyAfterMs - now;
  if (size > 0 || waitMs <= 0) return undefined;
  return fault('early', `no records of this span from ${names} yet: asked again when no history can lag any more`, {
    retryAfterMs: waitMs,
  });
}

export function tooFew(lacking: number, names: string): Fault {
  const records = lacking === 1 ? '1 record' : `${lacking} records`;
  return fault(
    'incomplete',
    `the answer of ${names} is said to be complete, but at least ${records} more ${lacking === 1 ? 'is' : 'are'} known to be missing`,
  );
}
