import { type Frame, type Normalise, type ProviderSession, Unreadable } from '../../src/providers/session.js';

/** What becomes of frames that are as the vendor sends them. */
export interface ReadFrames {
  failed: number;
  elements: number;
  records: number;
  /** Elements that make no record. */
  silent: number;
  unreadable: number;
  holes: number;
}

const NOW = 1_767_623_460_250;

export function readFrames(frames: Iterable<Frame>, session: ProviderSession, normalise: Normalise): ReadFrames {
  const counts: ReadFrames = { failed: 0, elements: 0, records: 0, silent: 0, unreadable: 0, holes: 0 };
  for (const frame of frames) {
    const step = session.frame(frame, NOW);
    if (step.fail) counts.failed += 1;
    counts.holes += step.holes?.length ?? 0;
    for (const element of step.elements ?? []) {
      counts.elements += 1;
      const made = normalise(element, NOW);
      if (made instanceof Unreadable) counts.unreadable += 1;
      else if (Array.isArray(made) && made.length === 0) counts.silent += 1;
      else counts.records += Array.isArray(made) ? made.length : 1;
    }
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
