import { isRight } from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { marketEventCodec } from '../../src/market/codecs.js';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import { Xoshiro128 } from '../../src/primitives/xoshiro128.js';
import { normalise } from '../../src/providers/alpaca/normalise.js';
import { AlpacaSession } from '../../src/providers/alpaca/session.js';
import { ProviderError } from '../../src/providers/providerErrors.js';
import { type Frame, type Series, Unreadable } from '../../src/providers/session.js';
import { alpacaCorpus } from '../../src/testing/venues/alpaca/corpus.js';
import { mutateFrame } from '../support/mutateFrame.js';

const NOW = 1_767_623_460_250;
/** A million before a release: FUZZ_FRAMES=1000000. */
const FRAMES = Number(process.env.FUZZ_FRAMES ?? 20_000);
const SERIES: readonly Series[] = [
  { of: 'trade', symbol: 'AAPL' },
  { of: 'trade', symbol: 'BRK.B' },
  { of: 'bar', symbol: '*' },
];

function* take<T>(items: Iterable<T>, count: number): Generator<T> {
  let taken = 0;
  for (const item of items) {
    if (taken++ >= count) return;
    yield item;
  }
}

describe.each(['json', 'msgpack'] as const)('frames of alpaca in %s', (encoding) => {
  const begin = (random: Xoshiro128) => {
    const session = new AlpacaSession({ key: 'key', secret: 'secret', feed: 'sip', encoding });
    const greeting = JSON.stringify([{ T: 'success', msg: 'connected' }]);
    const welcome = JSON.stringify([{ T: 'success', msg: 'authenticated' }]);
    // In each state of the dialogue.
    const states = [() => {}, () => session.frame(greeting, NOW), () => session.frame(welcome, NOW)];
    for (const step of states.slice(0, 1 + random.below(3))) step();
    if (random.below(2) === 0) session.subscribe(SERIES, NOW);
    return session;
  };

  /** Counts what becomes of the elements of frames. */
  const count = (frames: Iterable<Frame>, random: Xoshiro128) => {
    const counts = { frames: 0, failed: 0, elements: 0, records: 0, silent: 0, unreadable: 0 };
    let session = begin(random);
    for (const frame of frames) {
      counts.frames += 1;
      const step = session.frame(frame, NOW);
      for (const element of step.elements ?? []) {
        counts.elements += 1;
        const found = normalise(element, NOW);
        if (found instanceof Unreadable) counts.unreadable += 1;
        else if (Array.isArray(found)) counts.silent += 1;
        else {
          counts.records += 1;
          const decoded = marketEventCodec.decode(found as MarketEvent);
          if (!isRight(decoded)) throw new Error(`a record that the codec refuses: ${JSON.stringify(found)}`);
        }
      }
      for (const { error } of step.refused ?? []) expect(error).toBeInstanceOf(ProviderError);
      if (!step.fail) continue;
      counts.failed += 1;
      expect(step.fail).toBeInstanceOf(ProviderError);
      session = begin(random);
    }
    return counts;
  };

  it('give records, each element one or none, when they are as Alpaca sends them', () => {
    const frames = take(alpacaCorpus({ encoding, seed: 3 }), 2_000);
    const counts = count(frames, Xoshiro128.fromSeed(3));
    expect(counts.unreadable).toBe(0);
    expect(counts.records).toBeGreaterThan(2_000);
    expect(counts.silent).toBeGreaterThan(50);
    expect(counts.records + counts.silent).toBe(counts.elements);
  });

  it('never crash a session or a normaliser when they are damaged, and each element is counted', {
    timeout: 600_000,
  }, () => {
    const random = Xoshiro128.fromSeed(20_260_105);
    function* damaged(): Generator<Frame> {
      for (const frame of take(alpacaCorpus({ encoding, seed: 5 }), FRAMES / 2)) yield mutateFrame(frame, random);
    }
    const counts = count(damaged(), random);
    expect(counts.frames).toBe(FRAMES / 2);
    expect(counts.failed).toBeGreaterThan(FRAMES / 50);
    expect(counts.unreadable).toBeGreaterThan(FRAMES / 50);
    expect(counts.records + counts.silent + counts.unreadable).toBe(counts.elements);
  });
});
