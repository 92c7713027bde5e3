import { expect, it } from 'vitest';
import { Xoshiro128 } from '../../src/primitives/xoshiro128.js';
import { normaliseBinance } from '../../src/providers/binance/normalise.js';
import { binanceSession } from '../../src/providers/binance/session.js';
import { binanceCorpus } from '../../src/testing/venues/binance/corpus.js';
import { FUZZ_FRAMES, fuzzProvider, take } from '../support/fuzzProvider.js';
import { mutateFrame } from '../support/mutateFrame.js';

function begin() {
  const session = binanceSession({ trades: 'raw', handOverAfterMs: 86_400_000 });
  session.opened(0);
  const symbols = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
  session.subscribe(
    symbols.flatMap((symbol) => [{ of: 'trade', symbol } as const, { of: 'quote', symbol } as const]),
    0,
  );
  return session;
}

it('frames as Binance sends them give a record per element', () => {
  const counts = fuzzProvider(take(binanceCorpus({ seed: 3 }), 5_000), begin, normaliseBinance);
  expect(counts).toMatchObject({ frames: 5_000, failed: 0, unreadable: 0 });
  expect(counts.records).toBe(counts.elements);
  expect(counts.records).toBeGreaterThan(4_500);
});

it('damaged frames crash neither session nor normaliser, and each element is counted', { timeout: 600_000 }, () => {
  const random = Xoshiro128.fromSeed(20_260_105);
  function* damaged() {
    for (const frame of take(binanceCorpus({ seed: 5 }), FUZZ_FRAMES)) yield mutateFrame(frame, random);
  }
  const counts = fuzzProvider(damaged(), begin, normaliseBinance);
  expect(counts.frames).toBe(FUZZ_FRAMES);
  expect(counts.failed).toBeGreaterThan(FUZZ_FRAMES / 50);
  expect(counts.unreadable).toBeGreaterThan(FUZZ_FRAMES / 50);
  expect(counts.records).toBeGreaterThan(FUZZ_FRAMES / 50);
  expect(counts.records + counts.unreadable).toBe(counts.elements);
});
