import { describe, expect, it } from 'vitest';
import { Xoshiro128 } from '../../src/primitives/xoshiro128.js';
import { normalise } from '../../src/providers/alpaca/normalise.js';
import { AlpacaSession } from '../../src/providers/alpaca/session.js';
import type { Series } from '../../src/providers/session.js';
import { fuzzFrames } from '../../src/testing/index.js';
import { alpacaCorpus } from '../../src/testing/venues/alpaca/corpus.js';
import { FUZZ_FRAMES, FUZZ_TIMEOUT_MS, tellFuzz } from '../support/fuzzCount.js';
import { readFrames, take } from '../support/readFrames.js';

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

  it('give records, each element one or none, when they are as Alpaca sends them', () => {
    const frames = take(alpacaCorpus({ encoding, seed: 3 }), 2_000);
    const counts = readFrames(frames, beginAnywhere(Xoshiro128.fromSeed(3))(), normalise);
    expect(counts.unreadable).toBe(0);
    expect(counts.records).toBeGreaterThan(2_000);
    expect(counts.silent).toBeGreaterThan(50);
    expect(counts.records + counts.silent).toBe(counts.elements);
  });

  it('do no harm when they are damaged, and each element is counted', { timeout: FUZZ_TIMEOUT_MS }, () => {
    const count = FUZZ_FRAMES / 2;
    const session = beginAnywhere(Xoshiro128.fromSeed(20_260_105));
    const corpus = alpacaCorpus({ encoding, seed: 5 });
    const report = fuzzFrames({ session, normalise, corpus, seed: 20_260_105, count });
    tellFuzz(`alpaca, ${encoding}`, report);
    expect(report.frames).toBe(count);
    for (const what of [report.failed, report.unreadable, report.recorded]) expect(what).toBeGreaterThan(count / 100);
    expect(report.recorded + report.silent + report.unreadable).toBe(report.elements);
  });
});
