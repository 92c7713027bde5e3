import { describe, expect, it } from 'vitest';
import { Xoshiro128 } from '../../src/primitives/xoshiro128.js';
import { normalise } from '../../src/providers/alpaca/normalise.js';
import { AlpacaSession } from '../../src/providers/alpaca/session.js';
import type { Frame, Series } from '../../src/providers/session.js';
import { alpacaCorpus } from '../../src/testing/venues/alpaca/corpus.js';
import { FUZZ_FRAMES, fuzzProvider, take } from '../support/fuzzProvider.js';
import { mutateFrame } from '../support/mutateFrame.js';

const NOW = 1_767_623_460_250;
const SERIES: readonly Series[] = [
  { of: 'trade', symbol: 'AAPL' },
  { of: 'trade', symbol: 'BRK.B' },
  { of: 'bar', symbol: '*' },
];
const GREETING = JSON.stringify([{ T: 'success', msg: 'connected' }]);
const WELCOME = JSON.stringify([{ T: 'success', msg: 'authenticated' }]);

describe.each(['json', 'msgpack'] as const)('frames of Alpaca in %s', (encoding) => {
  /** In any state of the dialogue. */
  const beginAnywhere = (random: Xoshiro128) => () => {
    const session = new AlpacaSession({ key: 'key', secret: 'secret', feed: 'sip', encoding });
    const heard = [GREETING, WELCOME].slice(0, random.below(3));
    for (const frame of heard) session.frame(frame, NOW);
    if (random.below(2) === 0) session.subscribe(SERIES, NOW);
    return session;
  };

  it('give a record per element, or are known to make none, as Alpaca sends them', () => {
    const begin = beginAnywhere(Xoshiro128.fromSeed(3));
    const counts = fuzzProvider(take(alpacaCorpus({ encoding, seed: 3 }), 2_000), begin, normalise);
    expect(counts.unreadable).toBe(0);
    expect(counts.records).toBeGreaterThan(2_000);
    expect(counts.silent).toBeGreaterThan(50);
    expect(counts.records + counts.silent).toBe(counts.elements);
  });

  it('crash neither session nor normaliser when they are damaged, and each element is counted', {
    timeout: 900_000,
  }, () => {
    const random = Xoshiro128.fromSeed(20_260_105);
    // Half of them in each encoding.
    const wanted = FUZZ_FRAMES / 2;
    function* damaged(): Generator<Frame> {
      for (const frame of take(alpacaCorpus({ encoding, seed: 5 }), wanted)) yield mutateFrame(frame, random);
    }
    const counts = fuzzProvider(damaged(), beginAnywhere(random), normalise);
    expect(counts.frames).toBe(wanted);
    expect(counts.failed).toBeGreaterThan(wanted / 50);
    expect(counts.unreadable).toBeGreaterThan(wanted / 50);
    expect(counts.records).toBeGreaterThan(wanted / 4);
    expect(counts.records + counts.silent + counts.unreadable).toBe(counts.elements);
  });
});
