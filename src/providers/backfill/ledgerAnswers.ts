import type { ObservableInput } from 'rxjs';
import type { GapLedger, GapSpan } from '../../contracts/gapLedger.js';
import type { Gap } from '../../market/gap.js';
import { messageOf } from '../../primitives/messageOf.js';
import type { Answer } from './answer.js';
import type { RepairSettings } from './repairSettings.js';
import { answerOf, Cancelled, type Rim, sleep } from './rim.js';
import { DEFAULT_TIMEFRAME } from './spans.js';

/** How long a store may take to answer. */
const TIMEOUT_MS = 120_000;
/** How many closed gaps of a series are looked at. */
const MAX_CLOSED = 100_000;
/** How many records a store is asked about at a time. */
const HAS_SIZE = 5_000;

/** A failure of the store, which says nothing of the gap. */
export class LedgerFailed extends Error {
  override readonly name = 'LedgerFailed';
  readonly code = 'SLUICE_LEDGER_FAILED';
}

async function ask<T>(what: () => ObservableInput<T>, max: number, rim: Rim): Promise<readonly T[]> {
  try {
    return await answerOf(what, max, TIMEOUT_MS, rim);
  } catch (error) {
    if (error instanceof Cancelled) throw error;
    throw new LedgerFailed(`the store could not be asked: ${messageOf(error)}`, { cause: error });
  }
}

/** What the store knows of a gap, or the gap itself where that is newer. */
export async function latestOf(gap: Gap, ledger: GapLedger, rim: Rim): Promise<Gap> {
  const [known] = await ask(() => ledger.find(gap), 1, rim);
  return known !== undefined && known.seq >= gap.seq ? known : gap;
}

const FIRST_LOOK_MS = 100;
const MAX_LOOK_MS = 5_000;

/** The times at which to look whether something has reached the store: at once, then after waits that grow, the last one at the limit. */
export async function* looks(limitMs: number, rim: Rim): AsyncGenerator<void> {
  const until = rim.scheduler.now() + limitMs;
  for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(lookMs * 2, MAX_LOOK_MS)) {
    yield;
    const leftMs = until - rim.scheduler.now();
    if (leftMs <= 0) return;
    await sleep(Math.min(lookMs, leftMs), rim);
  }
}

/**
 * A gap as it is in the store, once it is there. What was received before it is then there too, or refused: it goes down the same
 * pipeline.
 */
export async function arrivedOf(
  gap: Gap,
  { ledger, proofTimeoutMs }: Pick<RepairSettings, 'ledger' | 'proofTimeoutMs'>,
  rim: Rim,
): Promise<Gap> {
  for await (const _ of looks(proofTimeoutMs, rim)) {
    const [known] = await ask(() => ledger.find(gap), 1, rim);
    if (known !== undefined) return known.seq >= gap.seq ? known : gap;
  }
  throw new LedgerFailed(`the gap itself is not in the store after ${proofTimeoutMs / 1_000} s`);
}

export function closedGapsOf(span: GapSpan, ledger: GapLedger, rim: Rim): Promise<readonly Gap[]> {
  return ask(() => ledger.closed(span), MAX_CLOSED, rim);
}

export async function countOf(span: GapSpan, ledger: GapLedger, rim: Rim): Promise<number> {
  // A store would count the bars of every timeframe for a gap that does not say which it is of.
  const counted = span.of === 'bar' ? { ...span, timeframe: span.timeframe ?? DEFAULT_TIMEFRAME } : span;
  return numberOf(await ask(() => ledger.count(counted), 1, rim), 'count');
}

/** How many of the records of an answer the store has; `undefined` where it cannot say. */
export async function presentOf(answer: Answer, ledger: GapLedger, rim: Rim): Promise<number | undefined> {
  if (!ledger.has) return undefined;
  let present = 0;
  for (const group of answer.groups(HAS_SIZE)) {
    present += numberOf(await ask(() => ledger.has!(group), 1, rim), 'has');
  }
  return present;
}

function numberOf([answer]: readonly number[], question: string): number {
  if (Number.isSafeInteger(answer) && answer! >= 0) return answer!;
  throw new LedgerFailed(`the store answered ${String(answer)} to ${question}, which is no number of records`);
}
