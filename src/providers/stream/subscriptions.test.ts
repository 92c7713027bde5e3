import { Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type ToyStreamConfig, toyStream, trade } from '../../../test/support/toyVendor.js';
import { describeSeries } from './seriesTable.js';

function refusing(config: ToyStreamConfig = {}) {
  const refused: string[] = [];
  const stream = toyStream({
    ...config,
    onRefused: ({ series, error }) => void refused.push(`${describeSeries(series)}: ${error.message}`),
  });
  return Object.assign(stream, { refused });
}

describe('a subscription', () => {
  it('that the vendor refuses is reported, and the others go on', () => {
    const stream = refusing();
    stream.login();
    stream.say({ ok: ['trade A'], no: ['trade B'] });
    stream.say({ data: [trade('A', 1)] });
    expect(stream.refused).toEqual(['trade B: toy: trade B is refused']);
    expect(stream.feed).toMatchObject({ asked: 2, confirmed: 1, refused: 1, lastNotice: 'toy: trade B is refused' });
    expect(stream.take()).toEqual(['trade A 1']);
    stream.vendor.last.lose();
    stream.pass(1_000);
    stream.login('trade A');
    expect(stream.vendor.last.sent).toEqual(['login', 'sub trade A']);
  });

  it('that is not confirmed in time is refused by its name, and the others go on', () => {
    const stream = refusing({ confirmAfterMs: 5_000 });
    stream.login('trade A');
    stream.pass(4_999);
    expect(stream.refused).toEqual([]);
    stream.pass(1);
    expect(stream.refused).toEqual(['trade B: toy: did not confirm within 5000 ms: trade B']);
    expect(stream.vendor.last.isClosed).toBe(false);
  });

  it('has more time while others are answered', () => {
    const stream = refusing({ confirmAfterMs: 5_000 });
    stream.login();
    stream.pass(4_000);
    stream.say({ ok: ['trade A'] });
    stream.pass(4_999);
    expect(stream.refused).toEqual([]);
    stream.pass(1);
    expect(stream.refused).toHaveLength(1);
  });

  it('that was confirmed before and is not any more makes a new connection', () => {
    const stream = refusing({ confirmAfterMs: 5_000 });
    stream.login('trade A', 'trade B');
    stream.vendor.last.lose();
    stream.pass(1_000);
    stream.login('trade A');
    stream.pass(5_000);
    expect(stream.refused).toEqual([]);
    expect(stream.feed.lastError).toBe('toy: did not confirm within 5000 ms: trade B');
    expect(stream.vendor.last.isClosed).toBe(true);
  });

  it('that is not confirmed on the next connection either is given up there, and the others go on', () => {
    const stream = refusing({ confirmAfterMs: 5_000 });
    const again = (waitMs: number) => {
      stream.pass(waitMs);
      stream.login('trade A');
      stream.say({ data: [trade('A', stream.scheduler.now())] });
    };
    stream.login('trade A', 'trade B');
    stream.say({ data: [trade('A', 0), trade('B', 0)] });
    stream.vendor.last.lose();
    again(1_000);
    stream.pass(5_000);
    expect([stream.vendor.last.isClosed, stream.refused]).toEqual([true, []]);
    again(2_000);
    expect(stream.scheduler.now()).toBe(8_000);
    stream.pass(5_000);
    expect(stream.refused).toEqual(['trade B: toy: did not confirm within 5000 ms: trade B']);
    expect(stream.take().filter((line) => line.startsWith('gap B'))).toEqual(['gap B 0-13000 reconnect']);
    stream.pass(20_000);
    expect([stream.vendor.connections.length, stream.vendor.last.isClosed]).toEqual([3, false]);
    // It is asked again on the next one, which is not ended because of it.
    stream.vendor.last.lose();
    again(1_000);
    expect(stream.vendor.last.sent).toEqual(['login', 'sub trade A,trade B']);
    stream.pass(5_000);
    expect([stream.vendor.last.isClosed, stream.refused.length]).toEqual([false, 2]);
    stream.say({ ok: ['trade B'] });
    expect(stream.feed).toMatchObject({ confirmed: 2, refused: 0 });
    expect(stream.take().filter((line) => line.startsWith('gap B'))).toEqual([
      'gap B 13000-39000 reconnect',
      'gap B 39000-39000 reconnect',
    ]);
  });

  it('that is not confirmed makes the connection a failure, though it carried data for long', () => {
    const waits: number[] = [];
    const onRetry = ({ delayMs }: { delayMs: number }) => void waits.push(delayMs);
    const stream = toyStream({ confirmAfterMs: 20_000, deadAfterMs: 1e9, onRetry });
    stream.login('trade A', 'trade B');
    stream.vendor.last.lose();
    stream.pass(1_000);
    stream.login('trade A');
    stream.say({ data: [trade('A', 1_000)] });
    stream.pass(20_000);
    expect(waits).toEqual([1_000, 2_000]);
  });

  it('that all are refused fails the stream with the error of the refusal', () => {
    const stream = refusing();
    stream.login();
    stream.say({ no: ['trade A', 'trade B'] });
    expect(stream.take()).toEqual(['error SLUICE_UNKNOWN_INSTRUMENT']);
    expect(stream.error).toMatchObject({ message: 'toy: trade B is refused' });
    expect(stream.vendor.last.isClosed).toBe(true);
    expect(stream.scheduler.actions).toEqual([]);
  });

  it('that all are refused for now is tried again after the cooldown', () => {
    const stream = refusing();
    stream.login();
    stream.say({ busy: ['trade A', 'trade B'] });
    expect(stream.vendor.last.isClosed).toBe(true);
    stream.pass(59_999);
    expect(stream.vendor.connections).toHaveLength(1);
    stream.pass(1);
    stream.login('trade A', 'trade B');
    expect(stream.feed).toMatchObject({ confirmed: 2, refused: 0, state: 'live' });
  });

  it('is counted from when it is sent, where the limits of the vendor make it wait', () => {
    const windows = [{ limit: 1, perMs: 60_000 }];
    const stream = refusing({ parts: { pacing: { messages: { windows } } }, deadAfterMs: 1e9 });
    stream.login();
    expect(stream.vendor.last.sent).toEqual(['login']);
    stream.pass(60_000);
    expect(stream.vendor.last.sent).toEqual(['login', 'sub trade A,trade B']);
    stream.pass(9_999);
    expect(stream.refused).toEqual([]);
    stream.pass(1);
    expect(stream.refused).toHaveLength(2);
  });
});

describe('symbols that change', () => {
  const changing = () => {
    const symbols = new Subject<readonly string[]>();
    const stream = toyStream({ request: { symbols } });
    return Object.assign(stream, { symbols });
  };

  it('are waited for before the first connection', () => {
    const stream = changing();
    stream.pass(100_000);
    expect(stream.vendor.connections).toEqual([]);
    stream.symbols.next(['A']);
    stream.login('trade A');
    expect(stream.vendor.last.sent).toEqual(['login', 'sub trade A']);
  });

  it('are added and removed without touching the others, and without a gap', () => {
    const stream = changing();
    stream.symbols.next(['A', 'B']);
    stream.login('trade A', 'trade B');
    stream.symbols.next(['B', 'C']);
    stream.say({ ok: ['trade C'], data: [trade('C', 1), trade('B', 2)] });
    expect(stream.vendor.last.sent.slice(2)).toEqual(['unsub trade A', 'sub trade C']);
    expect(stream.feed).toMatchObject({ asked: 2, confirmed: 2 });
    stream.symbols.next(['A', 'B', 'C']);
    stream.say({ ok: ['trade A'], data: [trade('A', 3)] });
    expect(stream.take()).toEqual(['trade C 1', 'trade B 2', 'trade A 3']);
    expect(stream.vendor.connections).toHaveLength(1);
  });

  it('are asked again after a reconnect as they are then', () => {
    const stream = changing();
    stream.symbols.next(['A', 'B']);
    stream.login('trade A', 'trade B');
    stream.vendor.last.lose();
    stream.symbols.next(['B', 'C']);
    stream.pass(1_000);
    stream.login('trade B', 'trade C');
    expect(stream.vendor.last.sent).toEqual(['login', 'sub trade B,trade C']);
    expect(stream.take()).toEqual(['gap B 0-1000 reconnect']);
  });

  it('wait, the latest of them, until what was said before is sent', () => {
    const symbols = new Subject<readonly string[]>();
    const windows = [{ limit: 2, perMs: 1_000 }];
    const stream = toyStream({ request: { symbols }, parts: { pacing: { messages: { windows } } } });
    symbols.next(['A']);
    stream.login('trade A');
    symbols.next(['A', 'B']);
    symbols.next(['A', 'C']);
    symbols.next(['A', 'D']);
    stream.pass(10_000);
    expect(stream.vendor.last.sent).toEqual(['login', 'sub trade A', 'sub trade B', 'unsub trade B', 'sub trade D']);
  });

  it('stay when their Observable completes', () => {
    const stream = changing();
    stream.symbols.next(['A']);
    stream.symbols.complete();
    stream.login('trade A');
    stream.say({ data: [trade('A', 1)] });
    expect(stream.take()).toEqual(['trade A 1']);
  });

  it('that never come complete the stream', () => {
    const stream = changing();
    stream.symbols.complete();
    expect(stream.take()).toEqual(['complete']);
  });

  it('fail the stream when their Observable fails, or when they are no symbols', () => {
    const failing = toyStream({ request: { symbols: throwError(() => new Error('no list')) } });
    expect(failing.error).toEqual(new Error('no list'));
    const stream = changing();
    stream.symbols.next(['A']);
    stream.login('trade A');
    stream.symbols.next([7] as never);
    expect(stream.error).toEqual(new RangeError('toy: stream: symbols[0] must be a string that is not empty, got 7'));
    expect(stream.vendor.last.isClosed).toBe(true);
  });

  it('may be none for a while', () => {
    const stream = changing();
    stream.symbols.next(['A']);
    stream.login('trade A');
    stream.symbols.next([]);
    expect(stream.vendor.last.sent.at(-1)).toBe('unsub trade A');
    stream.vendor.last.lose();
    stream.pass(100_000);
    expect(stream.vendor.connections).toHaveLength(1);
    stream.symbols.next(['B']);
    stream.login('trade B');
    expect(stream.take()).toEqual([]);
    expect(stream.feed.state).toBe('live');
  });

  it('that are taken from the stream release their Observable', () => {
    const stream = changing();
    stream.symbols.next(['A']);
    stream.login();
    stream.subscription.unsubscribe();
    expect([stream.symbols.observed, stream.vendor.last.isClosed, stream.scheduler.actions]).toEqual([false, true, []]);
  });
});
