import { isRight } from 'fp-ts/lib/Either.js';
import { marketEventCodec } from '../../src/market/codecs.js';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import { ProviderError } from '../../src/providers/providerErrors.js';
import type { Frame, Normalise, ProviderSession } from '../../src/providers/session.js';
import { Unreadable } from '../../src/providers/session.js';

const NOW = 1_767_623_460_250;

/** A million before a release: FUZZ_FRAMES=1000000. */
export const FUZZ_FRAMES = Number(process.env.FUZZ_FRAMES ?? 20_000);

/** What has become of frames and of the elements in them. */
export interface FuzzCounts {
  frames: number;
  failed: number;
  elements: number;
  records: number;
  /** Elements that are known to make no record. */
  silent: number;
  unreadable: number;
  holes: number;
}

/**
 * Feeds frames to a session and its elements to the normaliser; a session that fails is followed by a new one, as on a new
 * connection. Throws at a record that the codec refuses, and at an error that is none of a provider.
 */
export function fuzzProvider(frames: Iterable<Frame>, begin: () => ProviderSession, normalise: Normalise): FuzzCounts {
  const counts: FuzzCounts = { frames: 0, failed: 0, elements: 0, records: 0, silent: 0, unreadable: 0, holes: 0 };
  let session = begin();
  for (const frame of frames) {
    counts.frames += 1;
    const step = session.frame(frame, NOW);
    for (const element of step.elements ?? []) {
      counts.elements += 1;
      const found = normalise(element, NOW);
      if (found instanceof Unreadable) {
        counts.unreadable += 1;
        continue;
      }
      if (Array.isArray(found) && found.length === 0) {
        counts.silent += 1;
        continue;
      }
      counts.records += 1;
      if (!isRight(marketEventCodec.decode(found as MarketEvent))) {
        throw new Error(`a record that the codec refuses: ${JSON.stringify(found)}`);
      }
    }
    for (const { from, to } of step.holes ?? []) {
      counts.holes += 1;
      if (!(from <= to)) throw new Error(`a hole from ${from} to ${to}`);
    }
    for (const { error } of step.refused ?? []) if (!(error instanceof ProviderError)) throw error;
    if (!step.fail) continue;
    if (!(step.fail instanceof ProviderError)) throw step.fail;
    counts.failed += 1;
    session = begin();
  }
  return counts;
}

export function* take<T>(items: Iterable<T>, count: number): Generator<T> {
  let taken = 0;
  for (const item of items) {
    if (taken++ >= count) return;
    yield item;
  }
}
