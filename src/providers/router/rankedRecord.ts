import type { MarketEvent } from '../../market/recordKinds.js';

/** The most providers that can be one series: their ranks are a part of the version, which is a safe integer. */
export const MAX_RANKS = 4;

/** Versions of providers lie below: as microseconds, until the year 2041. */
const RANK_STEP = 2 ** 51;

/**
 * The record of a provider as one of the series `vendor`, which several providers make. `rank` is 0 for the provider that is
 * preferred. Of two records with one key the one of the higher-ranked provider has the higher version, in whatever order both
 * arrive and whichever process wrote them; of one provider, the newer one. Throws a `RangeError` at a version that cannot be ranked.
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
  return { ...record, vendor, seq: seq + (MAX_RANKS - 1 - rank) * RANK_STEP };
}
