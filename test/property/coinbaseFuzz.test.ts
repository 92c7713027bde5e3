import { expect, it } from 'vitest';
import { Xoshiro128 } from '../../src/primitives/xoshiro128.js';
import { normaliseCoinbase } from '../../src/providers/coinbase/normalise.js';
import { coinbaseSession } from '../../src/providers/coinbase/session.js';
import { coinbaseCorpus } from '../../src/testing/venues/coinbase/corpus.js';
import { FUZZ_FRAMES, fuzzProvider, take } from '../support/fuzzProvider.js';
import { mutateFrame } from '../support/mutateFrame.js';

function begin() {
  const session = coinbaseSession();
  session.opened(0);
  const symbols = ['BTC-USD', 'ETH-USD', 'SOL-USD'];
  session.subscribe(
    symbols.flatMap((symbol) => [{ of: 'trade', symbol } as const, { of: 'bar', symbol } as const]),
    0,
  );
  return session;
}

it('frames as Coinbase sends them give a record per element', () => {
  const counts = fuzzProvider(take(coinbaseCorpus({ seed: 3 }), 5_000), begin, normaliseCoinbase);
  expect(counts).toMatchObject({ frames: 5_000, failed: 0, unreadable: 0, holes: 0 });
  expect(counts.records).toBe(counts.elements);
  expect(counts.records).toBeGreaterThan(10_000);
});

it('damaged frames crash neither session nor normaliser, and each element is counted', { timeout: 600_000 }, () => {
  const random = Xoshiro128.fromSeed(20_260_105);
  function* damaged() {
    for (const frame of take(coinbaseCorpus({ seed: 5 }), FUZZ_FRAMES)) yield mutateFrame(frame, random);
  }
  const counts = fuzzProvider(damaged(), begin, normaliseCoinbase);
  expect(counts.frames).toBe(FUZZ_FRAMES);
  expect(counts.failed).toBeGreaterThan(FUZZ_FRAMES / 50);
  expect(counts.unreadable).toBeGreaterThan(FUZZ_FRAMES / 50);
  expect(counts.records).toBeGreaterThan(FUZZ_FRAMES / 4);
  expect(counts.holes).toBeGreaterThan(0);
  expect(counts.records + counts.unreadable).toBe(counts.elements);
});
