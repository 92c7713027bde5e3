import type { MarketEvent } from '../../market/recordKinds.js';

/** The most providers that can be one series: their ranks are a part of the version, which is a safe integer. */
export const MAX_RANKS = 3;

/** Versions of providers lie below: as microseconds, until the year 2041. */
const RANK_STEP = 2 ** 51;

/**
 * The record of a provider as one of the series `vendor`, which several providers make. `rank` is 0 for the provider that is
 * preferred. Of two records with one key the one of the higher-ranked provider has the higher version, in whatever order both
 * arrive and whichever process wrote them; of one provider, the newer one. A bar that is still forming (`isFinal: false`) is below
 * every final one, whoever sends it: a provider that dies in the middle of a bar must not keep half of it for ever. Throws a
 * `RangeError` at a version that cannot be ranked; a record without one counts as version 0, so number it first ({@link Ranker}).
 *
 * A gap record keeps its version: which of its states is the last does not depend on who found it.
 */
export function rankedRecord<R extends MarketEvent>(record: R, rank: number, vendor: string): R {
  if (record.kind === 'gap') return { ...record, vendor };
  const { seq = 0, vendor: own } = record as { readonly seq?: number; readonly vendor: string };
  if (seq >= RANK_STEP || seq < 0) {
    throw new RangeError(
      `providerRouter: a record of ${own} has the seq ${seq}: one series of several providers needs it from 0 to ${RANK_STEP - 1}`,
    );
  }
  const isForming = record.kind === 'bar' && record.isFinal === false;
  return { ...record, vendor, seq: seq + (isForming ? 0 : MAX_RANKS - rank) * RANK_STEP };
}

/** Ranks the records of one provider, and numbers those that have no version by the time of their receipt in microseconds. */
export class Ranker {
  readonly #rank: number;
  readonly #vendor: string;
  readonly #now: () => number;
  #last = 0;

  /** `now` in epoch milliseconds. */
  constructor(rank: number, vendor: string, now: () => number) {
    this.#rank = rank;
    this.#vendor = vendor;
    this.#now = now;
  }

  record<R extends MarketEvent>(record: R): R {
    if (record.seq !== undefined) return rankedRecord(record, this.#rank, this.#vendor);
    this.#last = Math.max(this.#last + 1, Math.floor(this.#now() * 1_000));
    return rankedRecord({ ...record, seq: this.#last }, this.#rank, this.#vendor);
  }
}
