import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Gap } from '../../src/market/gap.js';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import { GapStamper } from '../../src/providers/stream/gapStamper.js';
import { Intake } from '../../src/providers/stream/intake.js';
import { brief, toyNormalise } from '../support/toyVendor.js';
import { holds } from './holds.js';

type Of = 'trade' | 'quote' | 'bar';
type Action =
  | {
      readonly do: 'trade' | 'quote' | 'forming' | 'final' | 'gap' | 'gapOfAll';
      readonly symbol: string;
      readonly of: Of;
    }
  | { readonly do: 'take'; readonly count: number };

const kinds = fc.constantFrom<Of>('trade', 'quote', 'bar');
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('trade' as const, 'quote' as const, 'forming' as const, 'final' as const),
      symbol: fc.constantFrom('A', 'B', 'C'),
      of: kinds,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('gap' as const, 'gapOfAll' as const),
      symbol: fc.constantFrom('A', 'B'),
      of: kinds,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('take' as const), count: fc.integer({ min: 1, max: 5 }) }) },
);

const stamper = new GapStamper('toy', () => 0);
const gapOf = (of: Of, symbol: string, from: number, to: number, cause: Gap['cause']) =>
  stamper.gap({ series: { of, symbol }, from, to, cause });

/** A record of the `n`th action; the time of a bar repeats, so that states of one bar meet. */
function recordOf({ do: what, symbol, of }: Exclude<Action, { do: 'take' }>, n: number): MarketEvent {
  if (what === 'gap') return gapOf(of, symbol, n, n, 'reconnect');
  if (what === 'gapOfAll') return gapOf(of, '*', n, n, 'reconnect');
  if (what === 'trade' || what === 'quote') return toyNormalise([what, symbol, n, n]) as MarketEvent;
  return toyNormalise(['bar', symbol, Math.floor(n / 8) * 60, n, what === 'final']) as MarketEvent;
}

interface Waiting {
  record: MarketEvent;
  /** It may be replaced. */
  isOpen: boolean;
}

/** What waits for a slow reader, in the plainest words: lists that are searched from end to end. */
class Model {
  queue: Waiting[] = [];
  dropped: string[] = [];
  losses: { of: Of; symbol: string; from: number; to: number }[] = [];
  isLosing = false;
  readonly capacity: number;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  offer(record: MarketEvent): void {
    if (record.kind === 'gap') {
      this.gap(record);
      return;
    }
    const { kind, symbol, ts } = record as Extract<MarketEvent, { ts: number }>;
    const waiting = this.queue.find(
      ({ record: one, isOpen }) =>
        isOpen &&
        one.kind === kind &&
        'symbol' in one &&
        one.symbol === symbol &&
        (kind !== 'bar' || ('ts' in one && one.ts === ts)),
    );
    const isFinal = record.kind === 'bar' && record.isFinal !== false;
    if (waiting) {
      this.dropped.push(`${brief(waiting.record)} ${kind === 'quote' ? 'conflated' : 'replaced'}`);
      waiting.record = record;
      waiting.isOpen = !isFinal;
    } else if (!this.isLosing && this.queue.length < this.capacity) {
      this.queue.push({ record, isOpen: kind === 'quote' || (kind === 'bar' && !isFinal) });
    } else {
      this.dropped.push(`${brief(record)} overflow`);
      this.lose(kind as Of, symbol, ts, ts);
    }
  }

  gap(gap: Gap): void {
    for (const one of this.queue) {
      const { kind } = one.record;
      if (kind === gap.of && 'symbol' in one.record && (gap.symbol === '*' || one.record.symbol === gap.symbol)) {
        one.isOpen = false;
      }
    }
    if (!this.isLosing && this.queue.length < this.capacity) this.queue.push({ record: gap, isOpen: false });
    else this.lose(gap.of as Of, gap.symbol, gap.from, gap.to);
  }

  lose(of: Of, symbol: string, from: number, to: number): void {
    this.isLosing = true;
    const loss = this.losses.find((one) => one.of === of && one.symbol === symbol);
    if (loss) {
      loss.from = Math.min(loss.from, from);
      loss.to = Math.max(loss.to, to);
    } else {
      this.losses.push({ of, symbol, from, to });
    }
  }

  take(): MarketEvent | undefined {
    const first = this.queue.shift();
    if (this.isLosing && this.queue.length <= Math.floor(this.capacity / 2)) {
      this.isLosing = false;
      for (const one of this.queue) one.isOpen = false;
      // By kind, in the order in which each was lost first.
      const order = [...new Set(this.losses.map(({ of }) => of))];
      for (const of of order) {
        for (const { symbol, from, to } of this.losses.filter((one) => one.of === of)) {
          this.queue.push({ record: gapOf(of, symbol, from, to, 'overflow'), isOpen: false });
        }
      }
      this.losses = [];
    }
    return first?.record;
  }
}

const detail = (record: MarketEvent | undefined) =>
  record && `${brief(record)} ${'open' in record ? `${record.open} ${record.isFinal}` : ''}`;

describe('the intake of a stream', () => {
  it('does what a list that is searched from end to end does, and loses nothing that no gap covers', () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.array(action, { maxLength: 200, size: 'max' }),
      (capacity, actions) => {
        const dropped: string[] = [];
        const intake = new Intake({
          capacity,
          onDrop: (record, reason) => dropped.push(`${brief(record)} ${reason}`),
          gapOf: ({ of, symbol, from, to }) => gapOf(of as Of, symbol, from, to, 'overflow'),
        });
        const model = new Model(capacity);
        const offered: MarketEvent[] = [];
        const out: MarketEvent[] = [];
        const take = () => {
          const taken = intake.shift();
          expect(detail(taken)).toBe(detail(model.take()));
          if (taken) out.push(taken);
        };
        for (const [n, one] of actions.entries()) {
          if (one.do === 'take') {
            for (let i = 0; i < one.count; i += 1) take();
          } else {
            const record = recordOf(one, n);
            offered.push(record);
            intake.offer(record);
            model.offer(record);
          }
          expect(intake.size).toBe(model.queue.length);
        }
        while (intake.size > 0) take();
        expect(dropped).toEqual(model.dropped);
        expectNothingSilent(offered, out);
      },
    );
    holds('intake', property, { seed: 10, numRuns: 120 });
  });
});

/** Each trade and each final bar is there, or in a gap of its series; what is there has the order in which it came. */
function expectNothingSilent(offered: readonly MarketEvent[], out: readonly MarketEvent[]): void {
  const there = new Set(out);
  const gaps = out.filter((one): one is Gap => one.kind === 'gap');
  for (const record of offered) {
    if (there.has(record) || !('ts' in record) || record.kind === 'quote') continue;
    if (record.kind === 'bar' && record.isFinal === false) continue;
    const isCovered = gaps.some(
      ({ of, symbol, from, to }) =>
        of === record.kind && symbol === record.symbol && from <= record.ts && to >= record.ts,
    );
    expect(isCovered, brief(record)).toBe(true);
  }
  const places = new Map(offered.map((record, place) => [record, place]));
  for (const key of ['trade A', 'trade B', 'quote A', 'quote B', 'bar A']) {
    const series = out.filter((one) => one.kind !== 'gap' && 'symbol' in one && `${one.kind} ${one.symbol}` === key);
    const order = series.filter((one) => one.kind !== 'bar').map((one) => places.get(one)!);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  }
}
