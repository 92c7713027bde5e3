import { describe, expect, it } from 'vitest';
import { toyStream, trade } from '../../test/support/toyVendor.js';
import { defineProvider } from './defineProvider.js';

describe('a stream', () => {
  it('connects, logs in, subscribes, and emits the records', () => {
    const { vendor, say, take, feed } = toyStream();
    expect(feed).toMatchObject({ name: 'toy', state: 'connecting', asked: 2, confirmed: 0 });
    vendor.last.open();
    expect(vendor.last.sent).toEqual(['login']);
    say({ welcome: true });
    expect(vendor.last.sent).toEqual(['login', 'sub trade A,trade B']);
    say({ ok: ['trade A', 'trade B'] });
    say({ data: [trade('A', 1), trade('B', 2)] });
    expect(take()).toEqual(['trade A 1', 'trade B 2']);
  });

  it('shows its state and counts as a feed of the monitor', () => {
    const stream = toyStream();
    stream.login('trade A');
    stream.pass(50);
    stream.say({ data: [trade('A', 1), ['none'], 7], notice: 'be kind' });
    expect(stream.feed).toMatchObject({
      state: 'live',
      messages: 3,
      records: 1,
      unreadable: 1,
      ignored: 1,
      lastMessageAt: 50,
      asked: 2,
      confirmed: 1,
      refused: 0,
      reconnects: 0,
      lastNotice: 'be kind',
    });
    stream.subscription.unsubscribe();
    expect(stream.feed).toMatchObject({ state: 'down', isLive: false, messages: 3 });
  });

  it('ends a connection that is not open in time, and one whose login is not answered', () => {
    const stream = toyStream({ connectTimeoutMs: 100 });
    stream.pass(100);
    expect(stream.vendor.last.isClosed).toBe(true);
    expect(stream.feed).toMatchObject({ state: 'down', lastError: 'toy: the connection was not open within 100 ms' });
    stream.pass(1_000);
    stream.vendor.last.open();
    stream.pass(100);
    expect(stream.vendor.connections.map(({ isClosed }) => isClosed)).toEqual([true, true]);
    expect(stream.feed.lastError).toBe('toy: the login was not answered within 100 ms');
  });
});

describe('options and requests that are wrong', () => {
  const parts = {
    name: 'toy',
    kinds: ['trade', 'bar'] as const,
    timeframes: ['5m'],
    pacing: {},
    session: () => {
      throw new Error('never');
    },
    normalise: () => [],
    connect: () => {
      throw new Error('never');
    },
  };

  it.each([
    [{ capacity: 0 }, 'toy: capacity must be an integer of at least 1, got 0'],
    [{ initialMs: 10, maxMs: 5 }, 'toy: maxMs must be a finite number of milliseconds of at least 10, got 5'],
    [{ deadAfterMs: Number.NaN }, 'toy: deadAfterMs must be a finite number of milliseconds of at least 1, got NaN'],
    [{ stale: 1 }, 'toy: unknown option "stale"'],
  ])('fail when the provider is made: %j', (config, message) => {
    expect(() => defineProvider(parts, config as object)).toThrow(message);
  });

  it('fail when messages have a limit of what is open: none is ever over', () => {
    const pacing = { messages: { windows: [], maxOpen: 5 } };
    expect(() => defineProvider({ ...parts, pacing })).toThrow('toy: pacing.messages must have no maxOpen');
  });

  it.each([
    [{ kinds: ['quote'], symbols: ['A'] }, 'toy: stream: kinds[0] must be one of "trade", "bar", got "quote"'],
    [{ kinds: ['trade'], symbols: [] }, 'toy: stream: symbols must be an array that is not empty'],
    [{ kinds: ['trade'], symbols: [''] }, 'toy: stream: symbols[0] must be a string that is not empty, got ""'],
    [{ kinds: ['bar'], symbols: ['A'], timeframe: '1m' }, 'toy: stream: timeframe must be one of "5m", got "1m"'],
  ])('fail when the stream is made: %j', (request, message) => {
    expect(() => defineProvider(parts).stream(request as never)).toThrow(message);
  });
});
