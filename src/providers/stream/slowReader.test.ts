import { Observable, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { brief, quote, type ToyStreamConfig, toyStream, trade } from '../../../test/support/toyVendor.js';
import type { Diversion } from '../../contracts/diversion.js';
import { DeadLetterError } from '../../dead-letters/deadLetterError.js';

const ALL = ['trade A', 'trade B'] as const;

function ready(config: ToyStreamConfig = {}) {
  const stream = toyStream(config);
  stream.login(...ALL);
  return stream;
}

describe('while the gate downstream is closed', () => {
  it('the socket is read on: quotes are conflated, trades wait, and each is in the account', () => {
    const { gate, say, take, pass, monitor, feed } = ready();
    say({ data: [trade('A', 1)] });
    gate.close();
    say({ data: [quote('A', 2), trade('A', 3), quote('A', 4)] });
    say({ data: [trade('B', 5), ['bar', 'A', 60, 1, false], ['bar', 'A', 60, 2, false]] });
    expect(take()).toEqual(['trade A 1']);
    expect(monitor.account()).toMatchObject({
      received: 7,
      delivered: 1,
      held: 4,
      dropped: { conflated: 1, replaced: 1 },
      conservation: 0,
    });
    expect(monitor.feeds[0]).toMatchObject({ waiting: 4, conflated: 1, replaced: 1, records: 7 });
    gate.open();
    pass(1);
    expect(take()).toEqual(['quote A 4', 'trade A 3', 'trade B 5', 'bar A 60']);
    expect(monitor.account()).toMatchObject({ received: 7, delivered: 5, held: 0 });
    expect(feed.waiting).toBe(0);
  });

  it('what is lost because the intake is full is in gap records, and in the account', () => {
    const { gate, say, take, pass, monitor, seen } = ready({ capacity: 4 });
    gate.close();
    for (let ts = 1; ts <= 9; ts += 1) say({ data: [trade('A', ts)] });
    expect(monitor.account()).toMatchObject({ received: 9, held: 4, dropped: { overflow: 5 } });
    gate.open();
    pass(1);
    const rest = ['gap A 5-9 overflow'];
    expect(take()).toEqual(['trade A 1', 'trade A 2', 'trade A 3', 'trade A 4', ...rest]);
    expect(seen.at(-1)).toMatchObject({ rows: 5, reason: '5 records were lost because the intake was full' });
    expect(monitor.feeds[0]).toMatchObject({ overflowed: 5, gaps: 1 });
    say({ data: [trade('A', 10)] });
    expect(take()).toEqual(['trade A 10']);
    expect(monitor.account()).toMatchObject({ received: 11, delivered: 6, held: 0 });
  });

  it('what comes after what waits does not overtake it, though the gate is open again', () => {
    const stream = ready();
    stream.gate.close();
    stream.say({ data: Array.from({ length: 100 }, (_, ts) => trade('A', ts)) });
    stream.gate.open();
    // The source yields half-way.
    stream.say({ data: [trade('A', 100)] });
    stream.pass(10);
    expect(stream.take()).toEqual(Array.from({ length: 101 }, (_, ts) => `trade A ${ts}`));
  });

  it('a gate that closes within a record stops there', () => {
    const stream = toyStream();
    stream.login(...ALL);
    const original = stream.log.push.bind(stream.log);
    stream.log.push = (...all) => {
      stream.gate.close();
      return original(...all);
    };
    stream.say({ data: [trade('A', 1), trade('A', 2), trade('A', 3)] });
    expect([...stream.log]).toEqual(['trade A 1']);
    expect(stream.feed.waiting).toBe(2);
  });
});

describe('a stream that is asked to drain', () => {
  it('closes the socket at once, emits what waits, and completes', () => {
    const stream = ready();
    stream.gate.close();
    stream.say({ data: [trade('A', 1), trade('A', 2)] });
    stream.stopping.next();
    expect(stream.vendor.last.isClosed).toBe(true);
    expect(stream.take()).toEqual([]);
    stream.gate.open();
    expect(stream.take()).toEqual(['trade A 1', 'trade A 2', 'complete']);
    expect(stream.scheduler.actions).toEqual([]);
    expect(stream.feed).toMatchObject({ state: 'down', isLive: false });
  });

  it.each(['open', 'closed'])('completes at once when nothing waits, with an %s gate', (state) => {
    const stream = ready();
    if (state === 'closed') stream.gate.close();
    stream.stopping.next();
    expect(stream.take()).toEqual(['complete']);
  });

  it('completes during a wait for the next attempt', () => {
    const stream = ready();
    stream.vendor.last.lose();
    stream.stopping.next();
    expect(stream.take()).toEqual(['complete']);
    expect(stream.scheduler.actions).toEqual([]);
  });

  it('emits the gap records that are due before it completes', () => {
    const stream = ready({ capacity: 1 });
    stream.gate.close();
    stream.say({ data: [trade('A', 1), trade('A', 2)] });
    stream.stopping.next();
    stream.gate.open();
    expect(stream.take()).toEqual(['trade A 1', 'gap A 2-2 overflow', 'complete']);
  });
});

describe('an end', () => {
  it('in failure waits behind what waits', () => {
    const stream = ready();
    stream.gate.close();
    stream.say({ data: [trade('A', 1)] });
    stream.say({ fail: 'key' });
    expect([stream.take(), stream.vendor.last.isClosed]).toEqual([[], true]);
    stream.gate.open();
    expect(stream.take()).toEqual(['trade A 1', 'error SLUICE_BAD_CREDENTIALS']);
  });

  it('by unsubscribing releases everything, and counts what waited as held', () => {
    const stream = ready({ staleAfterMs: 1_000 });
    stream.gate.close();
    stream.say({ data: [trade('A', 1), trade('A', 2)] });
    stream.subscription.unsubscribe();
    expect([stream.vendor.last.isClosed, stream.scheduler.actions]).toEqual([true, []]);
    expect(stream.monitor.account()).toMatchObject({ received: 2, held: 2, conservation: 0 });
    stream.gate.open();
    expect(stream.take()).toEqual([]);
  });

  it('by unsubscribing within a record stops there', () => {
    const stream = ready();
    stream.log.push = () => {
      stream.subscription.unsubscribe();
      return 0;
    };
    stream.say({ data: [trade('A', 1), trade('A', 2)] });
    expect(stream.seen.map(brief)).toEqual(['trade A 1']);
    expect([stream.vendor.last.isClosed, stream.scheduler.actions]).toEqual([true, []]);
  });
});

describe('an element that cannot be read', () => {
  const letters = () => {
    const all: Diversion<unknown>[] = [];
    const pending: Subject<void>[] = [];
    return {
      all,
      pending,
      append(diversion: Diversion<unknown>) {
        all.push(diversion);
        const durable = new Subject<void>();
        pending.push(durable);
        return durable;
      },
    };
  };

  it('is dropped and reported, and its neighbours pass', () => {
    const rejected: unknown[] = [];
    const { say, take, monitor } = ready({ onRejected: (one) => void rejected.push(one) });
    say({ data: [trade('A', 1), 'boom', { odd: 1 }, trade('A', 2)] });
    expect(take()).toEqual(['trade A 1', 'trade A 2']);
    expect(rejected).toEqual([
      { element: 'boom', reason: 'boom' },
      { element: { odd: 1 }, reason: 'not an array' },
    ]);
    expect(monitor.account()).toMatchObject({ received: 4, delivered: 2, dropped: { unreadable: 2 } });
  });

  it('goes to the dead letters as it came, and counts as diverted when it is durable', () => {
    const deadLetters = letters();
    const { say, monitor, take } = ready({ deadLetters });
    say({ data: [{ odd: 1 }, trade('A', 1)] });
    expect(take()).toEqual(['trade A 1']);
    expect(deadLetters.all).toMatchObject([{ items: [{ odd: 1 }], stage: 'toy', reason: 'decode', attempts: 0 }]);
    expect(deadLetters.all[0]?.error).toEqual(new Error('not an array'));
    expect(monitor.account()).toMatchObject({ received: 2, held: 1, diverted: 0 });
    deadLetters.pending[0]!.complete();
    expect(monitor.account()).toMatchObject({ received: 2, held: 0, divertedBy: { decode: 1 } });
  });

  it('whose letter is under way holds up the end of the stream', () => {
    const deadLetters = letters();
    const { say, take, stopping } = ready({ deadLetters });
    say({ data: [7] });
    stopping.next();
    expect(take()).toEqual([]);
    deadLetters.pending[0]!.complete();
    expect(take()).toEqual(['complete']);
  });

  it('fails the stream when its letter cannot be written', () => {
    const deadLetters = letters();
    const { say, take, vendor } = ready({ deadLetters });
    say({ data: [7] });
    deadLetters.pending[0]!.error(new Error('no disk'));
    expect(take()).toEqual(['error Error: no disk']);
    expect(vendor.last.isClosed).toBe(true);
  });

  it('is dropped when it has no letter, and the stream goes on', () => {
    const append = () =>
      throwError(
        () => new DeadLetterError('SLUICE_DEAD_LETTERS_VALUE', 'items[0] is a function, which no letter holds'),
      );
    const { say, take, monitor } = ready({ deadLetters: { append } });
    say({ data: [7, trade('A', 1)] });
    expect(take()).toEqual(['trade A 1']);
    expect(monitor.account()).toMatchObject({ received: 2, held: 0, diverted: 0, dropped: { unreadable: 1 } });
  });

  it('is kept without what is nested too deeply for anybody to read', () => {
    const deadLetters = letters();
    const { say, take, vendor } = ready({ deadLetters });
    vendor.last.receive(`{"data":[{"odd":${'['.repeat(5_000)}${']'.repeat(5_000)}}]}`);
    say({ data: [trade('A', 1)] });
    expect(take()).toEqual(['trade A 1']);
    expect(JSON.stringify(deadLetters.all[0]?.items)).toBe(`[{"odd":${'['.repeat(32)}"***"${']'.repeat(32)}}]`);
  });

  it('is only counted while too many letters are under way', () => {
    const deadLetters = letters();
    const { say, monitor } = ready({ deadLetters });
    say({ data: Array.from({ length: 1_100 }, (_, i) => i) });
    expect(deadLetters.all).toHaveLength(1_024);
    expect(monitor.account()).toMatchObject({ held: 1_024, dropped: { unreadable: 76 } });
  });

  it('releases the letters under way on unsubscribe', () => {
    let released = 0;
    const append = () =>
      new Observable<never>(() => () => {
        released += 1;
      });
    const { say, subscription, monitor } = ready({ deadLetters: { append } });
    say({ data: [7] });
    subscription.unsubscribe();
    expect(released).toBe(1);
    expect(monitor.account()).toMatchObject({ received: 1, held: 1 });
  });

  it('that a callback throws at fails the stream', () => {
    const { say, take } = ready({
      onRejected: () => {
        throw new Error('mine');
      },
    });
    say({ data: [7] });
    expect(take()).toEqual(['error Error: mine']);
  });
});
