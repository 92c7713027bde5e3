import { expect, it } from 'vitest';
import { normaliseBinance } from '../../src/providers/binance/normalise.js';
import { binanceSession } from '../../src/providers/binance/session.js';
import { fuzzFrames } from '../../src/testing/index.js';
import { binanceCorpus } from '../../src/testing/venues/binance/corpus.js';
import { FUZZ_FRAMES, FUZZ_TIMEOUT_MS, tellFuzz } from '../support/fuzzCount.js';
import { readFrames, take } from '../support/readFrames.js';

function session() {
  const begun = binanceSession({ trades: 'raw', handOverAfterMs: 86_400_000 });
  begun.opened(0);
  const symbols = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
  begun.subscribe(
    symbols.flatMap((symbol) => [{ of: 'trade', symbol } as const, { of: 'quote', symbol } as const]),
    0,
  );
  return begun;
}

it('frames as Binance sends them give a record per element', () => {
  const counts = readFrames(take(binanceCorpus({ seed: 3 }), 5_000), session(), normaliseBinance);
  expect(counts).toMatchObject({ failed: 0, unreadable: 0 });
  expect(counts.records).toBe(counts.elements);
  expect(counts.records).toBeGreaterThan(4_500);
});

it('damaged frames of Binance do no harm, and each element is counted', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const corpus = binanceCorpus({ seed: 5 });
  const report = fuzzFrames({ session, normalise: normaliseBinance, corpus, seed: 20_260_105, count: FUZZ_FRAMES });
  tellFuzz(`binance`, report);
  expect(report.frames).toBe(FUZZ_FRAMES);
  for (const count of [report.failed, report.unreadable, report.recorded]) {
    expect(count).toBeGreaterThan(FUZZ_FRAMES / 100);
  }
  expect(report.recorded + report.silent + report.unreadable).toBe(report.elements);
});
