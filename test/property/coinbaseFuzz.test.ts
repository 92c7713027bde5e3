import { expect, it } from 'vitest';
import { normaliseCoinbase } from '../../src/providers/coinbase/normalise.js';
import { coinbaseSession } from '../../src/providers/coinbase/session.js';
import { fuzzFrames } from '../../src/testing/index.js';
import { coinbaseCorpus } from '../../src/testing/venues/coinbase/corpus.js';
import { FUZZ_FRAMES, FUZZ_TIMEOUT_MS, tellFuzz } from '../support/fuzzCount.js';
import { readFrames, take } from '../support/readFrames.js';

function session() {
  const begun = coinbaseSession();
  begun.opened(0);
  const symbols = ['BTC-USD', 'ETH-USD', 'SOL-USD'];
  begun.subscribe(
    symbols.flatMap((symbol) => [{ of: 'trade', symbol } as const, { of: 'bar', symbol } as const]),
    0,
  );
  return begun;
}

it('frames as Coinbase sends them give a record per element', () => {
  const counts = readFrames(take(coinbaseCorpus({ seed: 3 }), 5_000), session(), normaliseCoinbase);
  expect(counts).toMatchObject({ failed: 0, unreadable: 0, holes: 0 });
  expect(counts.records).toBe(counts.elements);
  expect(counts.records).toBeGreaterThan(10_000);
});

it('damaged frames of Coinbase do no harm, and each element is counted', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const corpus = coinbaseCorpus({ seed: 5 });
  const report = fuzzFrames({ session, normalise: normaliseCoinbase, corpus, seed: 20_260_105, count: FUZZ_FRAMES });
  tellFuzz(`coinbase`, report);
  expect(report.frames).toBe(FUZZ_FRAMES);
  for (const count of [report.failed, report.unreadable, report.recorded]) {
    expect(count).toBeGreaterThan(FUZZ_FRAMES / 100);
  }
  expect(report.holes).toBeGreaterThan(0);
  expect(report.recorded + report.silent + report.unreadable).toBe(report.elements);
});
