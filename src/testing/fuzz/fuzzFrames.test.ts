import { describe, expect, it } from 'vitest';
import { ReferenceSession, referenceNormaliser } from '../../../test/support/reference/referenceSession.js';
import { Xoshiro128 } from '../../primitives/xoshiro128.js';
import type { Normalise } from '../../providers/session.js';
import { damageFrame } from './damageFrame.js';
import { type FuzzFramesConfig, fuzzFrames } from './fuzzFrames.js';

const trade = {
  kind: 'trade',
  vendor: 'reference',
  symbol: 'AAPL',
  ts: 1_767_623_400_000,
  price: 227.1,
  size: 100,
  id: '7',
};
const quote = {
  kind: 'quote',
  vendor: 'reference',
  symbol: 'AAPL',
  ts: 1,
  bid: 1,
  bidSize: 2,
  ask: 3,
  askSize: 4,
  id: '8',
};
const CORPUS = [
  JSON.stringify({ op: 'data', records: [trade, quote] }),
  JSON.stringify({ op: 'data', records: [quote] }),
];

const CONFIG: FuzzFramesConfig = {
  session: () => new ReferenceSession('key'),
  normalise: referenceNormaliser(),
  corpus: CORPUS,
  seed: 7,
  count: 5_000,
};

describe('fuzzFrames', () => {
  it('counts each element once, and meets all that can become of one', () => {
    const report = fuzzFrames(CONFIG);
    expect(report.frames).toBe(5_000);
    expect(report.recorded + report.silent + report.unreadable).toBe(report.elements);
    for (const count of [report.failed, report.recorded, report.unreadable]) expect(count).toBeGreaterThan(500);
  });

  it('does the same with the same seed, and something else with another', () => {
    const run = (seed: number) => fuzzFrames({ ...CONFIG, normalise: referenceNormaliser(), seed });
    expect(run(7)).toEqual(run(7));
    expect(run(8)).not.toEqual(run(7));
  });

  const broken = (normalise: (made: ReturnType<Normalise>) => unknown): FuzzFramesConfig => {
    const make = referenceNormaliser();
    return { ...CONFIG, normalise: ((element, now) => normalise(make(element, now))) as Normalise };
  };

  it.each<[string, Partial<FuzzFramesConfig>, RegExp]>([
    ['a normaliser that throws', { normalise: () => JSON.parse('{') }, /^frame \d+ of seed 7: .*JSON.*op.*data/],
    ['a normaliser that makes nothing', broken(() => null), /frame \d+ of seed 7/],
    ['a normaliser that makes something else', broken(() => ({ price: 1 })), /made \{"price":1\} of an element/],
    ['a normaliser that returns a promise', broken(async (made) => made), /returned a promise/],
    [
      'records that are none',
      broken((made) => ({ ...made, kind: 'trade', ts: Number.NaN })),
      /a record that its codec refuses/,
    ],
    [
      'a session that throws',
      { session: () => Object.assign(new ReferenceSession('key'), { frame: () => JSON.parse('}') }) },
      /frame 1 of/,
    ],
    [
      'an error that is not a ProviderError',
      {
        session: () =>
          Object.assign(new ReferenceSession('key'), { frame: () => ({ fail: new TypeError('x is null') }) }),
      },
      /x is null/,
    ],
    [
      'a hole that ends before it begins',
      {
        session: () =>
          Object.assign(new ReferenceSession('key'), { frame: () => ({ holes: [{ series: {}, from: 2, to: 1 }] }) }),
      },
      /a hole from 2 to 1/,
    ],
  ])('throws at %s, and names the frame', (_, fault, message) => {
    expect(() => fuzzFrames({ ...CONFIG, ...fault })).toThrow(message);
  });

  it('refuses a corpus without frames, and counts that are none', () => {
    expect(() => fuzzFrames({ ...CONFIG, corpus: [] })).toThrow(RangeError);
    expect(() => fuzzFrames({ ...CONFIG, count: 0 })).toThrow(/count .* got 0/);
  });
});

describe('damageFrame', () => {
  it('meets every kind of damage, and most of it leaves JSON', () => {
    const random = Xoshiro128.fromSeed(3);
    const damaged = Array.from({ length: 20_000 }, (_, i) => damageFrame(CORPUS[i % 2]!, random));
    const texts = damaged.filter((frame) => typeof frame === 'string');
    const isJson = (text: string) => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    expect(texts.filter(isJson).length).toBeGreaterThan(4_000);
    expect(damaged.length - texts.length).toBeGreaterThan(10);
    const whole = texts.join('\n');
    for (const trace of [
      '9223372036854775807',
      '"price":"227.1"',
      '7'.repeat(40_000),
      '['.repeat(4_000),
      '"removed":0',
    ]) {
      expect(whole.includes(trace), trace.slice(0, 20)).toBe(true);
    }
  });
});
