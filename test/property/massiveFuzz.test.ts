import { describe, expect, it } from 'vitest';
import type { MassiveMarket } from '../../src/providers/massive/markets.js';
import { massiveNormaliser } from '../../src/providers/massive/normalise/normaliser.js';
import { MassiveSession } from '../../src/providers/massive/session.js';
import type { Series } from '../../src/providers/session.js';
import { fuzzFrames } from '../../src/testing/index.js';
import { massiveCorpus } from '../../src/testing/venues/massive/corpus.js';
import { FUZZ_FRAMES, FUZZ_TIMEOUT_MS, tellFuzz } from '../support/fuzzCount.js';
import { framesOf } from '../support/massiveFrames.js';
import { readFrames, take } from '../support/readFrames.js';

const MARKETS: readonly MassiveMarket[] = ['stocks', 'options', 'forex', 'crypto', 'futures', 'indices'];
const CONNECTED = '[{"ev":"status","status":"connected","message":"Connected Successfully"}]';
const WELCOME = '[{"ev":"status","status":"auth_success","message":"authenticated"}]';
const SERIES: readonly Series[] = [
  { of: 'trade', symbol: 'AAPL' },
  { of: 'quote', symbol: 'AAPL' },
  { of: 'bar', symbol: '*', timeframe: '1m' },
];

function sessionOf(market: MassiveMarket): MassiveSession {
  const begun = new MassiveSession({ key: 'none', market, confirmAfterMs: 10_000 });
  begun.opened();
  begun.frame(CONNECTED, 0);
  begun.frame(WELCOME, 0);
  begun.subscribe(SERIES, 0);
  return begun;
}

it('frames as Massive sends them give a record per element', () => {
  const counts = readFrames(framesOf(2_000, 5), sessionOf('stocks'), massiveNormaliser('stocks'));
  expect(counts).toMatchObject({ failed: 0, unreadable: 0, elements: 10_000, records: 10_000 });
});

describe.each(MARKETS)('frames of Massive for %s', (market) => {
  it('give a record per element or none, and none that cannot be read', () => {
    const frames = take(massiveCorpus({ cluster: market, seed: 3 }), 300);
    const counts = readFrames(frames, sessionOf(market), massiveNormaliser(market));
    expect(counts).toMatchObject({ failed: 0, unreadable: 0 });
    expect(counts.records).toBeGreaterThan(250);
  });

  it('do no harm when they are damaged, and each element is counted', { timeout: FUZZ_TIMEOUT_MS }, () => {
    const count = Math.ceil(FUZZ_FRAMES / MARKETS.length);
    const corpus = [...take(massiveCorpus({ cluster: market, seed: 5 }), 2_000)];
    const session = () => sessionOf(market);
    const report = fuzzFrames({ session, normalise: massiveNormaliser(market), corpus, seed: 20_260_105, count });
    tellFuzz(`massive ${market}`, report);
    expect(report.frames).toBe(count);
    for (const some of [report.failed, report.unreadable, report.recorded]) expect(some).toBeGreaterThan(count / 100);
    expect(report.recorded + report.silent + report.unreadable).toBe(report.elements);
  });
});

it('blanks of any script around a ticker make it none', () => {
  const normalise = massiveNormaliser('stocks');
  for (const blank of ['\u3000', '\u00a0', '\u2028', ' ', '\ufeff']) {
    const element = { ev: 'T', sym: `S1${blank}`, x: 4, i: '1', z: 3, p: 1, s: 1, t: 1_767_623_400_000, q: 1 };
    expect(normalise(element, 1)).toMatchObject({ reason: expect.stringMatching(/^sym must be a /) });
  }
});
