import type { GapLedger } from '../../contracts/gapLedger.js';
import { retryAfterMsOf } from '../../failures/failureHints.js';
import { type Gap, gapKey, gapSeq } from '../../market/gap.js';
import { type Candidate, candidatesOf } from './candidates.js';
import { arrivedOf, closedGapsOf, countOf, LedgerFailed, latestOf } from './ledgerAnswers.js';
import { type Fault, fault, type RepairOutcome } from './outcome.js';
import { joined, type RepairStep, repairChunk, TOO_LONG, tooFew } from './repairChunk.js';
import { lagMsOf, type RepairMemory, type RepairSettings } from './repairSettings.js';
import { Cancelled, type Rim } from './rim.js';
import {
  askedSpan,
  chunkMsOf,
  chunksOf,
  compact,
  countedSpan,
  endsOf,
  halvesOf,
  provenBy,
  type Span,
  settledUntil,
  without,
} from './spans.js';

/** How often the chunks of one repair may be halved. */
const MAX_HALVINGS = 10_000;
/** Chunks in a row that the vendor refuses for good, after which the others are not asked. */
const MAX_REFUSED = 3;
/** How many faults are told in one reason. */
const MAX_TOLD = 3;

/**
 * Repairs one gap: asks for what of it is not proven yet, chunk by chunk, page by page, and proves each chunk by the store before the
 * next. The next page is asked for when the rows of the last one were taken. What it yields ends with the closing record, or with the
 * open one where its reason is new. Whatever a provider or a store does, it does not throw; what a callback throws, it does.
 */
export async function* repairPages(
  gap: Gap,
  settings: RepairSettings,
  rim: Rim,
  memory: RepairMemory = { proven: [] },
): AsyncGenerator<RepairStep, RepairOutcome> {
  const { ledger } = settings;
  let known = gap;
  let found: Fault;
  try {
    known = settings.isOnItsWay ? await arrivedOf(gap, settings, rim) : await latestOf(gap, ledger, rim);
    if (known.state !== 'open') return { state: 'closedElsewhere', gap: known };
    const candidates = candidatesOf(known, settings.providers, settings.as, settings.canAskAll, () =>
      rim.scheduler.now(),
    );
    const unproven = 'why' in candidates ? candidates : yield* repairChunks(known, candidates, settings, rim, memory);
    if (unproven) {
      found = unproven;
    } else {
      // Somebody may have closed it meanwhile: it is closed once.
      known = await latestOf(known, ledger, rim);
      if (known.state !== 'open') return { state: 'closedElsewhere', gap: known };
      const rows = await countOf(countedSpan(known, askedSpan(known)), ledger, rim);
      const names = (candidates as readonly Candidate[]).map(({ series }) => series.provider).join(' and ');
      const least = leastOf(memory);
      if (rows >= least) {
        const closed = closedGap(
          known,
          known,
          rows,
          memory.empty ?? `${names} answered that there are no records of this span`,
          rim,
        );
        yield { rows: [closed], strays: [] };
        return { state: rows > 0 ? 'filled' : 'empty', gap: closed, rows };
      }
      found = tooFew(least - rows, names);
    }
  } catch (error) {
    if (error instanceof Cancelled) found = fault('cancelled', 'the repair was ended before its time');
    else if (error instanceof LedgerFailed)
      found = fault('ledger', error.message, { retryAfterMs: retryAfterMsOf(error) });
    else throw error;
  }
  // A store that does not answer, and a pipeline that ends, are no reasons of the gap.
  if (found.why === 'ledger' || found.why === 'cancelled') return { state: 'open', gap: known, ...found };
  const rows = await stillMissing(known, memory, ledger, rim);
  if (known.reason === found.reason && known.rows === rows) return { state: 'open', gap: known, ...found };
  const seq = Math.max(known.seq + 1, gapSeq('open', rim.scheduler.now()));
  const left: Gap = { ...known, ...(rows !== known.rows && { rows }), reason: found.reason, seq };
  yield { rows: [left], strays: [] };
  return { state: 'open', gap: left, ...found };
}

/** What is wrong with the chunks of a gap that could not be proven; `undefined` if all are. */
async function* repairChunks(
  gap: Gap,
  candidates: readonly Candidate[],
  settings: RepairSettings,
  rim: Rim,
  memory: RepairMemory,
): AsyncGenerator<RepairStep, Fault | undefined> {
  const { proven } = memory;
  const { ledger, chunkMs = chunkMsOf(gap.of), onChunk } = settings;
  const whole = askedSpan(gap);
  for (const one of await closedGapsOf(countedSpan(gap, whole), ledger, rim)) {
    if (one.state === 'filled' || one.state === 'empty') proven.push(provenBy(one));
  }
  compact(proven);
  const names = candidates.map(({ series }) => series.provider).join(' and ');
  if (memory.before === undefined && gap.rows) {
    memory.before = { count: await countOf(countedSpan(gap, whole), ledger, rim), missing: gap.rows };
  }
  const lagMs = lagMsOf(settings, gap);
  const until = settledUntil(gap, rim.scheduler.now(), lagMs);
  const chunks = chunksOf(without({ from: whole.from, to: Math.min(whole.to, until) }, proven), chunkMs);
  // Where it is known how many are missing, a part proves nothing before the whole does: its records may be those that are missing.
  const isCounted = (gap.rows ?? 0) > 0;
  const own: Span[] = isCounted ? [] : proven;
  const halves: Span[] = [];
  const faults: Fault[] = [];
  let halvings = 0;
  let refused = 0;
  const take = () => halves.pop() ?? (chunks.next().value as Span | undefined);
  for (let chunk = take(); chunk; chunk = take()) {
    const isWhole = chunk.from === whole.from && chunk.to === whole.to;
    const atLeast = isWhole ? leastOf(memory) : 0;
    let result = yield* repairChunk(gap, chunk, atLeast, candidates, settings, rim);
    if (result === TOO_LONG) {
      const both = halvings++ < MAX_HALVINGS ? halvesOf(chunk) : undefined;
      if (both) {
        halves.push(both[1], both[0]);
        continue;
      }
      const { maxChunkRows } = settings;
      result = fault(
        'endless',
        `${names} answers with more than ${maxChunkRows} records of one span that cannot be halved`,
      );
    }
    if ('rows' in result) {
      refused = 0;
      own.push(chunk);
      const { rows, empty } = result;
      if (empty !== undefined) memory.empty = empty;
      onChunk?.({ gap, ...chunk, rows });
      const part = closedGap(gap, endsOf(chunk), rows, empty, rim);
      // The whole gap closes after all of its parts.
      if (!isWhole && !isCounted && gapKey(part) !== gapKey(gap)) yield { rows: [part], strays: [] };
      continue;
    }
    faults.push(
      isWhole ? result : { ...result, reason: `from ${new Date(chunk.from).toISOString()}: ${result.reason}` },
    );
    // One that fails now would fail for the next chunk too.
    if (result.why === 'failed' || result.why === 'endless') break;
    refused = result.why === 'refused' ? refused + 1 : 0;
    if (refused >= MAX_REFUSED) break;
  }
  if (until < whole.to) {
    const retryAfterMs = whole.to - until;
    faults.push(fault('early', `${names} may not have the end of this span yet`, { retryAfterMs }));
  }
  if (faults.length === 0) return undefined;
  const { isFinal, retryAfterMs } = joined(faults);
  return { ...joined(faults.slice(0, MAX_TOLD)), isFinal, retryAfterMs };
}

/** A gap, or a part of one, that is proven. */
function closedGap(
  gap: Gap,
  ends: Pick<Gap, 'from' | 'to'>,
  rows: number,
  empty: string | undefined,
  { scheduler }: Rim,
): Gap {
  const { kind, vendor, symbol, of, timeframe, cause } = gap;
  const state = rows > 0 ? 'filled' : 'empty';
  return {
    ...{ kind, vendor, symbol, of },
    ...(timeframe !== undefined && { timeframe }),
    ...{ from: ends.from, to: ends.to, cause, state, rows },
    ...(state === 'empty' && { reason: empty }),
    seq: gapSeq(state, scheduler.now()),
  };
}

/** How many records the span must have, where it is known how many were missing. */
function leastOf({ before }: RepairMemory): number {
  return before ? before.count + before.missing : 0;
}

/** How many records are still known to be missing, for whoever tries next. */
async function stillMissing(gap: Gap, { before }: RepairMemory, ledger: GapLedger, rim: Rim): Promise<Gap['rows']> {
  if (!before) return gap.rows;
  try {
    const arrived = (await countOf(countedSpan(gap, askedSpan(gap)), ledger, rim)) - before.count;
    return arrived > 0 ? Math.max(0, before.missing - arrived) : gap.rows;
  } catch {
    // Fewer would be a guess.
    return gap.rows;
  }
}
