import type { Gap, GapCause } from '../gap.js';
import type { MakerOf } from './walk.js';

const CAUSES: readonly GapCause[] = ['reconnect', 'sequence', 'stale', 'overflow', 'restart'];

/** Between the starts of two gaps, and how long one is at most. */
const MAX_PAUSE_MS = 600_000;
const MAX_SPAN_MS = 120_000;

/**
 * Gaps in order of time, each of the next symbol, and all open; a revision closes one. What is missing is one of `kinds`, of
 * which the first has a timeframe.
 */
export function gapMaker(...kinds: readonly string[]): MakerOf<Gap> {
  return ({ symbols, timeframe, vendor, epoch }, random) => {
    let made = 0;
    let micros = Math.round(epoch * 1_000);

    return {
      make(seq) {
        const bits = random.uint32();
        const from = micros / 1_000;
        const to = (micros + random.below(MAX_SPAN_MS * 1_000)) / 1_000;
        micros += 1 + random.below(MAX_PAUSE_MS * 1_000);
        const symbol = (bits & 0xf) === 0 ? '*' : symbols[made % symbols.length]!;
        made += 1;
        const of = kinds[(bits >>> 4) % kinds.length]!;
        return {
          kind: 'gap',
          vendor,
          symbol,
          of,
          ...(of === kinds[0] ? { timeframe } : {}),
          from,
          to,
          cause: CAUSES[(bits >>> 6) % CAUSES.length]!,
          state: 'open',
          ...((bits >>> 16) & 1 ? { reason: 'the vendor closed the connection: "slow reader"' } : {}),
          seq,
        };
      },
      /** Closes the gap, as a backfill does. */
      revise(gap, seq) {
        const rows = random.below(1_000);
        return { ...gap, state: rows === 0 ? 'empty' : 'filled', rows, reason: null, seq };
      },
    };
  };
}
