import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { MarketEvent } from '../../market/recordKinds.js';
import { DayPlayer } from './dayPlayer.js';
import { type PlayDayConfig, playDay } from './playDay.js';
import { simulatedDay } from './simulatedDay.js';
import type { SimulatedEvent, SimulatedStatus } from './simulatedEvent.js';

const status = (at: number): SimulatedStatus => ({ what: 'session', at, session: 'regular' });
const times = (events: readonly SimulatedEvent[]) => events.map(({ at }) => at);

describe('DayPlayer', () => {
  const play = (config: { readonly speed?: number; readonly atMost?: number } = {}) =>
    new DayPlayer([100, 110, 110, 140].map(status), { startsAt: 5_000, from: 100, ...config });

  it('says what is due when, and when something will be', () => {
    const player = play();
    expect(player.nextAt).toBe(5_000);
    expect(times(player.due(4_999))).toEqual([]);
    expect(times(player.due(5_009))).toEqual([100]);
    expect([player.nextAt, times(player.due(5_009))]).toEqual([5_010, []]);
    expect(times(player.due(5_030))).toEqual([110, 110]);
    expect(times(player.due(9_999))).toEqual([140]);
    expect([player.nextAt, times(player.due(99_999))]).toEqual([Number.POSITIVE_INFINITY, []]);
  });

  it('goes faster or slower than the clock', () => {
    const fast = play({ speed: 10 });
    expect(times(fast.due(5_001))).toEqual([100, 110, 110]);
    expect(fast.nextAt).toBe(5_004);
    const slow = play({ speed: 0.5 });
    slow.due(5_000);
    expect(slow.nextAt).toBe(5_020);
  });

  it('tells no more at a time than it may, and the rest stays due', () => {
    const player = play({ atMost: 2 });
    expect(times(player.due(9_999))).toEqual([100, 110]);
    expect(player.nextAt).toBeLessThan(9_999);
    expect(times(player.due(9_999))).toEqual([110, 140]);
  });

  it('reads the day as far as its options say', () => {
    let read = 0;
    function* endless(): Generator<SimulatedEvent> {
      for (;;) yield status(read++);
    }
    const player = new DayPlayer(endless(), { startsAt: 0, from: 0, atMost: 10 });
    player.due(1_000_000);
    expect(read).toBe(11);
  });
});

describe('playDay', () => {
  const day = simulatedDay({ symbols: ['AAPL'], crypto: ['BTC-USD'], from: '23:58' });
  const recordsOf = (events: Iterable<SimulatedEvent>) =>
    [...events].flatMap((one) => ('record' in one ? [one.record] : []));
  const listener = () => {
    const published: MarketEvent[] = [];
    const batches: number[] = [];
    const publish = (records: readonly MarketEvent[]) => {
      published.push(...records);
      batches.push(records.length);
    };
    return { venue: { publish }, published, batches };
  };
  const play = (config: Omit<PlayDayConfig, 'scheduler'>, maxFrames = Number.POSITIVE_INFINITY) => {
    const scheduler = new VirtualTimeScheduler(undefined, maxFrames);
    let ended = Number.NaN;
    const onEnd = () => {
      ended = scheduler.now();
    };
    const played = playDay(day, { onEnd, ...config, scheduler });
    scheduler.flush();
    return { played, ended };
  };

  it('publishes the whole day to each venue, in its time and order', () => {
    const [one, other] = [listener(), listener()];
    const { played, ended } = play({ venues: [one, other] });
    const all = [...day];
    expect(one.published).toEqual(recordsOf(all));
    expect(other.published).toEqual(one.published);
    expect(played.told).toBe(all.length);
    expect(Math.abs(ended - (all.at(-1)!.at - day.span.from))).toBeLessThan(10);
  });

  it('goes faster on request, in larger batches', () => {
    const [slow, fast] = [listener(), listener()];
    play({ venues: [slow] });
    const { ended } = play({ venues: [fast], speed: 600 });
    expect(fast.published).toEqual(slow.published);
    expect(Math.abs(ended - ([...day].at(-1)!.at - day.span.from) / 600)).toBeLessThan(10);
    expect(Math.max(...fast.batches)).toBeGreaterThan(Math.max(...slow.batches));
  });

  it('spells symbols as a venue does, and leaves out what it does not have', () => {
    const venue = listener();
    play({ venues: [{ ...venue, spell: (symbol) => (symbol === 'BTC-USD' ? 'BTCUSDT' : undefined) }] });
    const expected = recordsOf(day).filter((record) => 'symbol' in record && record.symbol === 'BTC-USD');
    expect(venue.published).toEqual(expected.map((record) => ({ ...record, symbol: 'BTCUSDT' })));
  });

  it('leaves out corrections for a venue that has none', () => {
    const busy = simulatedDay({ symbols: ['AAPL'], crypto: [], from: '09:30', corrected: 0.5 });
    const [one, other] = [listener(), listener()];
    const scheduler = new VirtualTimeScheduler(undefined, 120_000);
    playDay(busy, { venues: [one, { ...other, corrects: false }], scheduler });
    scheduler.flush();
    const ids = (all: readonly MarketEvent[]) => all.flatMap((record) => (record.kind === 'trade' ? [record.id] : []));
    expect(new Set(ids(one.published)).size).toBeLessThan(ids(one.published).length);
    expect(new Set(ids(other.published)).size).toBe(ids(other.published).length);
    expect(new Set(ids(other.published))).toEqual(new Set(ids(one.published)));
  });

  it('shifts all times, by whole minutes', () => {
    const venue = listener();
    play({ venues: [venue], shiftMs: 86_400_000 * 30 + 60_000 });
    const expected = recordsOf(day).map((record) =>
      'ts' in record ? record.ts + 86_400_000 * 30 + 60_000 : Number.NaN,
    );
    const ts = venue.published.map((record) => ('ts' in record ? record.ts : Number.NaN));
    for (const [i, at] of ts.entries()) expect(at).toBeCloseTo(expected[i]!, 2);
    expect(
      venue.published.filter(({ kind }) => kind === 'bar').every((bar) => 'ts' in bar && bar.ts % 60_000 === 0),
    ).toBe(true);
    expect(() => play({ venues: [venue], shiftMs: 1_000 })).toThrow('shiftMs must be a multiple of 60000, got 1000');
  });

  it('tells no more once it is stopped', () => {
    const venue = listener();
    const scheduler = new VirtualTimeScheduler(undefined, 20_000);
    const played = playDay(day, { venues: [venue], scheduler, onEnd: () => expect.unreachable() });
    scheduler.flush();
    const { told } = played;
    expect(told).toBeGreaterThan(5);
    played.stop();
    scheduler.maxFrames = Number.POSITIVE_INFINITY;
    scheduler.flush();
    expect(played.told).toBe(told);
  });
});
