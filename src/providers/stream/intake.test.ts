import { describe, expect, it } from 'vitest';
import { brief, toyNormalise } from '../../../test/support/toyVendor.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { GapStamper } from './gapStamper.js';
import { Intake } from './intake.js';
import { LossLedger } from './lossLedger.js';

const record = (...element: readonly unknown[]) => toyNormalise(element) as MarketEvent;
const stamper = new GapStamper('toy', () => 0);
const gap = (symbol: string, from: number, to: number, of: 'quote' | 'bar' | 'trade' = 'quote') =>
  stamper.gap({ series: { of, symbol }, from, to, cause: 'reconnect' });

function intakeOf(capacity: number) {
  const dropped: string[] = [];
  const intake = new Intake({
    capacity,
    onDrop: (lost, reason) => dropped.push(`${brief(lost)} ${reason}`),
    gapOf: ({ of, symbol, from, to, count }) =>
      stamper.gap({ series: { of, symbol }, from, to, cause: 'overflow', reason: `${count}` }),
  });
  const offer = (...records: readonly MarketEvent[]) => {
    for (const one of records) intake.offer(one);
  };
  const drain = (max = Number.POSITIVE_INFINITY) => {
    const taken: string[] = [];
    while (taken.length < max && intake.size > 0) taken.push(brief(intake.shift()!));
    return taken;
  };
  return { intake, dropped, offer, drain };
}

describe('what waits', () => {
  it('is the newest quote per symbol, in the place of the first', () => {
    const { offer, drain, dropped } = intakeOf(10);
    offer(record('quote', 'A', 1), record('quote', 'B', 2), record('quote', 'A', 3), record('trade', 'A', 4));
    offer(record('quote', 'A', 5));
    expect(drain()).toEqual(['quote A 5', 'quote B 2', 'trade A 4']);
    expect(dropped).toEqual(['quote A 1 conflated', 'quote A 3 conflated']);
  });

  it('is the newest state of a forming bar, and every final bar', () => {
    const { offer, drain, dropped } = intakeOf(10);
    offer(record('bar', 'A', 60, 1, false), record('bar', 'A', 60, 2, false), record('bar', 'A', 60, 3, true));
    // A revision of a final bar, and the next one, which forms.
    offer(record('bar', 'A', 60, 4, true), record('bar', 'A', 120, 5, false), record('bar', 'A', 120, 6));
    expect(drain()).toEqual(['bar A 60', 'bar A 60', 'bar A 120']);
    expect(dropped).toEqual(['bar A 60 replaced', 'bar A 60 replaced', 'bar A 120 replaced']);
  });

  it('is everything else', () => {
    const { offer, drain, dropped } = intakeOf(10);
    offer(record('trade', 'A', 1), record('trade', 'A', 1), record('bar', 'A', 60), record('bar', 'A', 60));
    expect(drain()).toEqual(['trade A 1', 'trade A 1', 'bar A 60', 'bar A 60']);
    expect(dropped).toEqual([]);
  });

  it('does not move across a gap of its series', () => {
    const { offer, drain } = intakeOf(20);
    offer(record('quote', 'A', 1), record('quote', 'B', 1), record('bar', 'A', 60, 1, false));
    offer(gap('A', 1, 2), record('quote', 'A', 3), record('quote', 'A', 4), record('quote', 'B', 5));
    offer(gap('*', 5, 6), record('quote', 'B', 7), gap('A', 60, 70, 'bar'), record('bar', 'A', 60, 2, false));
    const after = ['gap A 1-2 reconnect', 'quote A 4', 'gap * 5-6 reconnect', 'quote B 7'];
    expect(drain()).toEqual(['quote A 1', 'quote B 5', 'bar A 60', ...after, 'gap A 60-70 reconnect', 'bar A 60']);
  });

  it('may be replaced again once it was taken', () => {
    const { offer, drain } = intakeOf(10);
    for (let i = 0; i < 3; i += 1) {
      offer(record('quote', 'A', i), record('quote', 'A', i + 10), record('bar', 'A', 60, i, false));
      expect(drain()).toEqual([`quote A ${i + 10}`, 'bar A 60']);
    }
  });
});

describe('when even the intake is full', () => {
  it('what is lost is a gap per series, with its bounds, before the next record of that series', () => {
    const { intake, offer, drain, dropped } = intakeOf(4);
    offer(...[1, 2, 3, 4].map((ts) => record('trade', 'A', ts)));
    offer(record('trade', 'B', 7), record('trade', 'A', 6), record('trade', 'B', 5), record('quote', 'A', 8));
    expect(dropped).toEqual(['trade B 7 overflow', 'trade A 6 overflow', 'trade B 5 overflow', 'quote A 8 overflow']);
    // Room for one is no room yet: a gap per record would be the rest of the stream.
    expect(drain(1)).toEqual(['trade A 1']);
    offer(record('trade', 'A', 9));
    expect(drain(1)).toEqual(['trade A 2']);
    offer(record('trade', 'A', 10), record('quote', 'A', 11));
    const gaps = ['gap B 5-7 overflow', 'gap A 6-9 overflow', 'gap A 8-8 overflow'];
    expect(drain()).toEqual(['trade A 3', 'trade A 4', ...gaps, 'gap A 10-10 overflow', 'gap A 11-11 overflow']);
    expect(intake.size).toBe(0);
  });

  it('quotes that wait are still replaced', () => {
    const { offer, drain, dropped } = intakeOf(2);
    offer(record('quote', 'A', 1), record('trade', 'A', 2), record('trade', 'A', 3), record('quote', 'A', 4));
    expect(drain()).toEqual(['quote A 4', 'trade A 2', 'gap A 3-3 overflow']);
    expect(dropped).toEqual(['trade A 3 overflow', 'quote A 1 conflated']);
  });

  it('a gap record becomes part of the gap, and is never lost', () => {
    const { offer, drain, dropped } = intakeOf(2);
    offer(record('trade', 'A', 1), record('trade', 'A', 2), gap('A', 2, 50, 'trade'), record('trade', 'A', 51));
    offer(gap('B', 3, 4, 'trade'));
    expect(drain()).toEqual(['trade A 1', 'trade A 2', 'gap A 2-51 overflow', 'gap B 3-4 overflow']);
    expect(dropped).toEqual(['trade A 51 overflow']);
  });

  it.each([1, 2, 3])('holds no more than its %i and the gaps', (capacity) => {
    const { intake, offer, drain } = intakeOf(capacity);
    for (let i = 0; i < 1_000; i += 1) offer(record('trade', `S${i}`, i), record('quote', `S${i}`, i));
    expect(intake.size).toBe(capacity);
    expect(drain().length).toBeLessThanOrEqual(capacity + 20);
  });
});

describe('the ledger of losses', () => {
  it('keeps a limited number of series apart, and one span per kind for all others', () => {
    const ledger = new LossLedger(2);
    ledger.add('trade', 'A', undefined, 5, 5, 1, 1);
    ledger.add('trade', 'B', undefined, 6, 6, 1, 1);
    ledger.add('trade', 'C', undefined, 9, 9, 1, 1);
    ledger.add('trade', 'D', undefined, 7, 7, 1, 1);
    ledger.add('trade', 'A', undefined, 8, 8, 1, 1);
    ledger.add('quote', 'A', undefined, 1, 1, 1, 1);
    expect(ledger.take().map(({ of, symbol, from, to, count }) => `${of} ${symbol} ${from}-${to} ${count}`)).toEqual([
      'trade A 5-8 2',
      'trade B 6-6 1',
      'trade * 7-9 2',
      'quote * 1-1 1',
    ]);
    expect(ledger.take()).toEqual([]);
  });

  it('counts rows, at least: not what may be a repetition, and what gaps within it are known to lack', () => {
    const ledger = new LossLedger();
    for (const at of [5, 6, 6]) ledger.add('trade', 'A', undefined, at, at, 1, 1);
    // After a reconnect the vendor repeats its last trades.
    ledger.add('trade', 'A', undefined, 6, 20, 0, 0);
    for (const at of [5, 6, 21]) ledger.add('trade', 'A', undefined, at, at, 1, 1);
    ledger.add('trade', 'A', undefined, 21, 30, 0, 7);
    ledger.add('bar', 'A', '1m', 5, 5, 1, 0);
    expect(ledger.take().map(({ of, count, rows }) => `${of} ${count} ${rows}`)).toEqual(['trade 6 10', 'bar 1 0']);
  });
});
