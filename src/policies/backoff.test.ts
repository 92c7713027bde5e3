import { describe, expect, it } from 'vitest';
import { Backoff, type BackoffConfig, type Jitter } from './backoff.js';

const LOWEST = () => 0;
const MIDDLE = () => 0.5;
const HIGHEST = () => 1 - 2 ** -53;

function waits(config: Partial<BackoffConfig>, random: () => number, count = 6): number[] {
  const backoff = new Backoff({ initialMs: 100, maxMs: 1_000, random, ...config });
  return Array.from({ length: count }, () => backoff.nextMs());
}

describe('Backoff', () => {
  it.each<[Jitter, random: () => number, expected: number[]]>([
    ['none', MIDDLE, [100, 200, 400, 800, 1_000, 1_000]],
    ['full', LOWEST, [0, 0, 0, 0, 0, 0]],
    ['full', MIDDLE, [50, 100, 200, 400, 500, 500]],
    ['equal', LOWEST, [50, 100, 200, 400, 500, 500]],
    ['equal', MIDDLE, [75, 150, 300, 600, 750, 750]],
    // Drawn from 100 to three times the last: 100, 200, 350, 575, 912.5, and then cut to 1,000 from 1,418.75.
    ['decorrelated', MIDDLE, [200, 350, 575, 912.5, 1_000, 1_000]],
    ['decorrelated', LOWEST, [100, 100, 100, 100, 100, 100]],
  ])('spreads by jitter %s', (jitter, random, expected) => {
    expect(waits({ jitter }, random)).toEqual(expected);
  });

  it('comes as near to the limit as chance does', () => {
    expect(waits({ jitter: 'full' }, HIGHEST)[2]).toBeCloseTo(400, 6);
    expect(waits({ jitter: 'equal' }, HIGHEST)[2]).toBeCloseTo(400, 6);
    expect(waits({ jitter: 'decorrelated' }, HIGHEST).slice(0, 3)).toEqual([
      expect.closeTo(300, 6),
      expect.closeTo(900, 6),
      1_000,
    ]);
  });

  it.each<[string, Partial<BackoffConfig>, expected: number[]]>([
    ['multiplier', { multiplier: 3 }, [100, 300, 900, 1_000]],
    ['multiplier of 1', { multiplier: 1 }, [100, 100, 100, 100]],
    ['multiplier that is no whole number', { multiplier: 1.5 }, [100, 150, 225, 337.5]],
    ['initialMs', { initialMs: 7 }, [7, 14, 28, 56]],
    ['initialMs of 0', { initialMs: 0 }, [0, 0, 0, 0]],
    ['maxMs', { maxMs: 150 }, [100, 150, 150, 150]],
    ['maxMs that is initialMs', { maxMs: 100 }, [100, 100, 100, 100]],
  ])('obeys %s', (_, config, expected) => {
    expect(waits({ jitter: 'none', ...config }, MIDDLE, 4)).toEqual(expected);
  });

  it('takes its defaults', () => {
    const of = (config: Partial<BackoffConfig>) => {
      const backoff = new Backoff({ random: MIDDLE, ...config });
      return Array.from({ length: 7 }, () => backoff.nextMs());
    };
    expect(of({ jitter: 'none' })).toEqual([50, 100, 200, 400, 800, 1_600, 2_000]);
    expect(of({})).toEqual([25, 50, 100, 200, 400, 800, 1_000]);
    // The middle of 50 to 150, of 50 to 300, and so on.
    expect(of({ jitter: 'decorrelated' }).slice(0, 2)).toEqual([100, 175]);
    expect(of({ jitter: 'none', initialMs: 5_000 }).slice(0, 2)).toEqual([5_000, 5_000]);
  });

  it.each<Jitter>(['full', 'equal', 'decorrelated', 'none'])('begins anew after reset, with jitter %s', (jitter) => {
    const backoff = new Backoff({ initialMs: 100, maxMs: 1_000, jitter, random: MIDDLE });
    const first = [backoff.nextMs(), backoff.nextMs(), backoff.nextMs()];
    backoff.reset();
    expect([backoff.nextMs(), backoff.nextMs(), backoff.nextMs()]).toEqual(first);
  });

  it.each<Jitter>(['full', 'equal', 'decorrelated', 'none'])(
    'is a number up to maxMs after ten thousand attempts, with jitter %s',
    (jitter) => {
      for (const random of [LOWEST, MIDDLE, HIGHEST, () => Number.NaN, () => 7, () => -1]) {
        for (const initialMs of [0, 1e-300, 100]) {
          const config = { initialMs, maxMs: 1_000, multiplier: Number.MAX_VALUE, jitter };
          for (const ms of waits(config, random, 10_000)) if (!(ms >= 0 && ms <= 1_000)) expect(ms).toBe('in range');
        }
      }
    },
  );

  it.each<[string, object, message: RegExp]>([
    [
      'initialMs',
      { initialMs: -1 },
      /^Backoff: initialMs must be a finite number of milliseconds of at least 0, got -1/,
    ],
    ['initialMs', { initialMs: Number.NaN }, /initialMs/],
    ['maxMs below initialMs', { initialMs: 100, maxMs: 99 }, /maxMs must be .* at least 100, got 99/],
    ['maxMs', { maxMs: Number.POSITIVE_INFINITY }, /maxMs/],
    ['multiplier', { multiplier: 0.9 }, /multiplier must be a number of at least 1/],
    ['multiplier without end', { multiplier: Number.POSITIVE_INFINITY }, /multiplier/],
    ['jitter', { jitter: 'half' }, /jitter must be one of "full", "equal", "decorrelated", "none", got "half"/],
    ['random', { random: 0.5 }, /random must be a function, got 0.5/],
    ['a misspelt option', { initialMS: 5 }, /unknown option "initialMS"/],
  ])('refuses a bad %s', (_, config, message) => {
    expect(() => new Backoff({ random: MIDDLE, ...config })).toThrow(RangeError);
    expect(() => new Backoff({ random: MIDDLE, ...config })).toThrow(message);
  });

  it('names its owner when it refuses', () => {
    expect(() => new Backoff({ random: MIDDLE, initialMs: -1 }, 'writeTo: retry')).toThrow(
      /^writeTo: retry: initialMs/,
    );
  });
});
