import fc from 'fast-check';
import { isRight } from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { barKey } from '../../src/market/bar.js';
import { barCodec, marketEventCodec } from '../../src/market/codecs.js';
import { foldBars } from '../../src/market/foldByKey.js';
import { type SyntheticBarsConfig, syntheticBars } from '../../src/sources/syntheticBars.js';
import { syntheticEvents } from '../../src/sources/syntheticEvents.js';

type Config = Required<Pick<SyntheticBarsConfig, 'count' | 'seed'>> & SyntheticBarsConfig;

const configs: fc.Arbitrary<Config> = fc.record({
  symbols: fc.integer({ min: 1, max: 20 }),
  count: fc.integer({ min: 0, max: 400 }),
  seed: fc.maxSafeInteger(),
  revisions: fc.double({ min: 0, max: 1, noNaN: true }),
  duplicates: fc.double({ min: 0, max: 1, noNaN: true }),
  lateness: fc.integer({ min: 1, max: 50 }),
});

const check = (property: (config: Config) => void) =>
  fc.assert(fc.property(configs, property), { seed: 20_240_102, numRuns: 150 });

describe('syntheticBars', () => {
  it('gives the same bars for the same configuration', () => {
    check((config) => {
      expect([...syntheticBars(config)]).toEqual([...syntheticBars(config)]);
    });
  });

  it('gives other prices for another seed', () => {
    check((config) => {
      const enough = { ...config, count: 50 };
      const other = { ...enough, seed: (config.seed + 1) % Number.MAX_SAFE_INTEGER };
      expect([...syntheticBars(other)]).not.toEqual([...syntheticBars(enough)]);
    });
  });

  it('gives bars that the codec takes, with open and close between low and high and positive prices', () => {
    check((config) => {
      for (const bar of syntheticBars(config)) {
        expect(isRight(barCodec.decode(bar))).toBe(true);
        expect(bar.low).toBeGreaterThan(0);
        expect(bar.low).toBeLessThanOrEqual(Math.min(bar.open, bar.close));
        expect(bar.high).toBeGreaterThanOrEqual(Math.max(bar.open, bar.close));
      }
    });
  });

  it('folds to as many bars as it counts, each in its newest version, in the end', () => {
    check((config) => {
      const bars = [...syntheticBars(config)];
      const folded = foldBars(bars);
      expect(folded.size).toBe(config.count);
      for (const bar of bars) expect(folded.get(barKey(bar))!.seq).toBeGreaterThanOrEqual(bar.seq!);
    });
  });

  it('numbers versions from 1 without a gap', () => {
    check((config) => {
      const versions = [...new Set(Array.from(syntheticBars(config), ({ seq }) => seq!))];
      expect(versions).toEqual(versions.map((_, i) => i + 1));
    });
  });
});

describe('syntheticEvents', () => {
  it('gives records that the codec takes as they are', () => {
    check((config) => {
      for (const event of syntheticEvents({ ...config, count: Math.floor(config.count / 4) })) {
        expect(marketEventCodec.decode(event)).toEqual({ _tag: 'Right', right: event });
      }
    });
  });

  it('numbers the versions of each kind from 1 without a gap', () => {
    check((config) => {
      const versions = new Map<string, Set<number>>();
      for (const { kind, seq } of syntheticEvents(config)) {
        versions.set(kind, (versions.get(kind) ?? new Set<number>()).add(seq!));
      }
      for (const seqs of versions.values()) expect([...seqs]).toEqual([...seqs].map((_, i) => i + 1));
    });
  });

  it('has the bars of syntheticBars', () => {
    check((config) => {
      const bars = [...syntheticEvents(config)].filter(({ kind }) => kind === 'bar');
      expect(bars).toEqual([...syntheticBars(config)]);
    });
  });
});
