import { describe, expect, it } from 'vitest';
import { syntheticEvents } from '../sources/syntheticEvents.js';
import { isRecordKind, KINDS, type MarketEvent, RECORD_KINDS } from './recordKinds.js';
import { issuesOf, type RecordDescription } from './recordShape.js';

const describedAs = (event: MarketEvent) => RECORD_KINDS[event.kind] as RecordDescription<MarketEvent>;

describe.each(KINDS)('the kind %s', (kind) => {
  const made = [...syntheticEvents({ kinds: [kind], count: 200, symbols: 3, revisions: 0.2, seed: 5 })];

  it('describes what its maker makes', () => {
    for (const event of made) expect(issuesOf(describedAs(event), event)).toEqual([]);
  });

  it('has a key that tells records apart, but not the versions of one', () => {
    const keys = new Set(made.map((event) => describedAs(event).key(event)));
    expect(keys.size).toBe(200);
    expect(made.length).toBeGreaterThan(200);
  });

  it('has an event time around the start of the walk', () => {
    for (const event of made) {
      const { eventTime } = describedAs(event);
      expect(eventTime(event)).toBeGreaterThan(Date.UTC(2023, 0));
      expect(eventTime(event)).toBeLessThan(Date.UTC(2030, 0));
    }
  });
});

describe('isRecordKind', () => {
  it('knows the kinds of the registry, and no property that every object has', () => {
    expect(KINDS.every(isRecordKind)).toBe(true);
    expect(['dividend', 'toString', '', undefined, 5].some(isRecordKind)).toBe(false);
  });
});
