import { describe, expect, it } from 'vitest';
import { type VenueFault, VenueFaults, type VenueFaultsConfig } from './venueFaults.js';

/** All faults of ten minutes, by the times that the schedule asks for. */
function faultsOf(config: Omit<VenueFaultsConfig, 'venues' | 'startsAt'>): VenueFault[] {
  const faults = new VenueFaults({ venues: 3, startsAt: 1_000, ...config });
  const all: VenueFault[] = [];
  while (faults.nextAt < 601_000) all.push(...faults.due(faults.nextAt));
  return all;
}

const count = (faults: readonly VenueFault[], what: VenueFault['what']) =>
  faults.filter((one) => one.what === what).length;

describe('VenueFaults', () => {
  it('plans faults about as often as its options say, at all venues, and the same for the same seed', () => {
    const faults = faultsOf({ seed: 5, kickEveryMs: 10_000, muteEveryMs: 30_000, outageEveryMs: 60_000 });
    expect(faultsOf({ seed: 5, kickEveryMs: 10_000, muteEveryMs: 30_000, outageEveryMs: 60_000 })).toEqual(faults);
    expect(faultsOf({ seed: 6, kickEveryMs: 10_000, muteEveryMs: 30_000, outageEveryMs: 60_000 })).not.toEqual(faults);
    expect(count(faults, 'kick')).toBeGreaterThan(45);
    expect(count(faults, 'kick')).toBeLessThan(80);
    expect(count(faults, 'mute')).toBeGreaterThan(13);
    expect(count(faults, 'outage')).toBeGreaterThan(5);
    expect(new Set(faults.map(({ venue }) => venue))).toEqual(new Set([0, 1, 2]));
    expect(faults.map(({ at }) => at)).toEqual(faults.map(({ at }) => at).sort((one, other) => one - other));
  });

  it('ends each mute and each outage', () => {
    const faults = faultsOf({ muteEveryMs: 20_000, outageEveryMs: 20_000 });
    for (const [what, end, ms] of [
      ['mute', 'unmute', 1_000],
      ['outage', 'restore', 3_000],
    ] as const) {
      for (const fault of faults.filter((one) => one.what === what && one.at < 590_000)) {
        expect(faults).toContainEqual({ at: fault.at + ms, what: end, venue: fault.venue });
      }
    }
  });

  it('plans nothing by default', () => {
    const faults = new VenueFaults({ venues: 1, startsAt: 0 });
    expect([faults.nextAt, faults.due(1e12), faults.malformedAt(5)]).toEqual([Number.POSITIVE_INFINITY, [], undefined]);
  });

  it('damages about the share of messages that its options say, anywhere in them', () => {
    const faults = new VenueFaults({ venues: 1, startsAt: 0, malformed: 0.25 });
    const places = Array.from({ length: 4_000 }, () => faults.malformedAt(4)).filter((at) => at !== undefined);
    expect(places.length).toBeGreaterThan(850);
    expect(places.length).toBeLessThan(1_150);
    expect(new Set(places)).toEqual(new Set([0, 1, 2, 3]));
  });

  it.each<[Partial<VenueFaultsConfig>, RegExp]>([
    [{ venues: 0 }, /venues must be an integer of at least 1, got 0/],
    [{ kickEveryMs: 0 }, /kickEveryMs must be a finite number of milliseconds of at least 1, got 0/],
    [{ malformed: 2 }, /malformed must be a number of at least 0 and at most 1, got 2/],
  ])('rejects %j', (config, message) => {
    expect(() => new VenueFaults({ venues: 1, startsAt: 0, ...config })).toThrow(message);
  });
});
