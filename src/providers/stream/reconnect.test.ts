import { describe, expect, it } from 'vitest';
import { type ToyStreamConfig, toyStream, trade } from '../../../test/support/toyVendor.js';
import { ConnectionLost } from '../providerErrors.js';

/** A stream that notes each wait before a new attempt. */
function retried(config: ToyStreamConfig = {}) {
  const delays: number[] = [];
  const stream = toyStream({ ...config, onRetry: ({ delayMs }) => void delays.push(delayMs) });
  return Object.assign(stream, { delays });
}

const ALL = ['trade A', 'trade B'] as const;

describe('after a connection is lost', () => {
  it('the next one logs in and subscribes to everything again', () => {
    const stream = retried();
    stream.login(...ALL);
    stream.vendor.last.lose(new ConnectionLost('toy', 'gone'));
    expect(stream.vendor.connections[0]?.isClosed).toBe(true);
    expect(stream.feed).toMatchObject({ state: 'down', confirmed: 0, lastError: 'toy: gone' });
    stream.pass(999);
    expect(stream.vendor.connections).toHaveLength(1);
    stream.pass(1);
    expect(stream.feed).toMatchObject({ state: 'connecting', reconnects: 1 });
    stream.login(...ALL);
    expect(stream.vendor.last.sent).toEqual(['login', 'sub trade A,trade B']);
    expect(stream.feed.state).toBe('live');
  });

  it('waits longer each time, even if each logs in, is confirmed and carries data before it is kicked', () => {
    const stream = retried({ maxMs: 4_000 });
    for (let i = 0; i < 4; i += 1) {
      stream.login(...ALL);
      stream.say({ data: [trade('A', i)] });
      stream.pass(9_000);
      stream.vendor.last.lose();
      stream.pass(4_000);
    }
    expect(stream.delays).toEqual([1_000, 2_000, 4_000, 4_000]);
  });

  it('begins anew only after a connection that lived long enough and carried data', () => {
    const stream = retried();
    stream.login(...ALL);
    stream.vendor.last.lose();
    stream.pass(1_000);
    stream.login(...ALL);
    stream.pass(20_000);
    stream.vendor.last.lose();
    stream.pass(2_000);
    stream.login(...ALL);
    stream.say({ data: [trade('A', 1)] });
    stream.pass(10_000);
    stream.vendor.last.lose();
    expect(stream.delays).toEqual([1_000, 2_000, 1_000]);
  });

  it('stays away for as long as the vendor says, and for the cooldown where the quota is used up', () => {
    const stream = retried({ quotaCooldownMs: 70_000 });
    stream.login();
    stream.say({ fail: 'pace', retryAfterMs: 9_000 });
    stream.pass(9_000);
    stream.login();
    stream.say({ fail: 'quota' });
    stream.pass(70_000);
    stream.login();
    stream.say({ fail: 'quota', retryAfterMs: 5_000 });
    expect(stream.delays).toEqual([9_000, 70_000, 5_000]);
  });

  it('gives up after maxAttempts in a row, with the last error', () => {
    const stream = retried({ maxAttempts: 2 });
    stream.vendor.last.lose(new Error('ECONNREFUSED'));
    stream.pass(1_000);
    stream.vendor.last.lose(new Error('refused again'));
    expect(stream.take()).toEqual(['error SLUICE_CONNECTION_LOST']);
    expect(stream.error).toMatchObject({ message: 'toy: refused again', cause: new Error('refused again') });
    expect(stream.scheduler.actions).toEqual([]);
  });

  it('never, where another attempt makes no sense: the stream fails with the words of the vendor, without its secrets', () => {
    const stream = retried({ parts: { secrets: ['s3cret'] } });
    stream.vendor.last.open();
    stream.say({ fail: 'key' });
    expect(stream.take()).toEqual(['error SLUICE_BAD_CREDENTIALS']);
    expect(stream.error).toMatchObject({ message: 'toy: Unknown key: ***', cause: 'Unknown key: ***' });
    expect((stream.error as Error).stack).not.toContain('s3cret');
    expect(stream.feed).toMatchObject({ state: 'down', isLive: false, lastError: 'toy: Unknown key: ***' });
    stream.pass(1e9);
    expect(stream.vendor.connections).toHaveLength(1);
  });

  it.each([['a session that throws', { frame: 'not JSON' }, 'toy: Unexpected token']])(
    'counts %s as one that is lost',
    (_, { frame }, message) => {
      const stream = retried();
      stream.vendor.last.open();
      stream.vendor.last.receive(frame);
      expect(stream.feed.lastError).toContain(message);
      expect(stream.delays).toEqual([1_000]);
    },
  );

  it('that could not be made at all, because connect throws, another is tried', () => {
    let attempts = 0;
    const connect = () => {
      attempts += 1;
      throw new Error('no socket for s3cret');
    };
    const stream = retried({ parts: { connect, secrets: ['s3cret'] } });
    stream.pass(1_000);
    expect([attempts, stream.feed.lastError]).toEqual([2, 'toy: no socket for ***']);
  });

  it('fails with what a callback throws', () => {
    const stream = toyStream({
      onRetry: () => {
        throw new Error('mine');
      },
    });
    stream.vendor.last.lose();
    expect(stream.error).toEqual(new Error('mine'));
    expect(stream.scheduler.actions).toEqual([]);
  });
});

describe('gap records', () => {
  it('span what was missed of each series that was confirmed, before its first live record', () => {
    const stream = toyStream();
    stream.pass(100);
    stream.login(...ALL);
    stream.pass(50);
    stream.say({ data: [trade('A', 150)] });
    expect(stream.take()).toEqual(['trade A 150']);
    stream.pass(50);
    stream.vendor.last.lose();
    stream.pass(1_000);
    stream.login('trade A');
    expect(stream.take()).toEqual(['gap A 150-1200 reconnect']);
    stream.say({ data: [trade('A', 1_200)] });
    stream.pass(5);
    stream.say({ ok: ['trade B'], data: [trade('B', 1_205)] });
    // Nothing came of B before: it is missing since it was confirmed first.
    expect(stream.take()).toEqual(['trade A 1200', 'gap B 100-1205 reconnect', 'trade B 1205']);
    expect(stream.seen.find(({ kind }) => kind === 'gap')).toEqual({
      kind: 'gap',
      vendor: 'toy',
      symbol: 'A',
      of: 'trade',
      from: 150,
      to: 1_200,
      cause: 'reconnect',
      state: 'open',
      seq: 1_200_000,
    });
    expect(stream.feed.gapsBy).toEqual(new Map([['reconnect', 2]]));
  });

  it('have numbers that rise even within one microsecond', () => {
    const stream = toyStream();
    stream.login(...ALL);
    stream.vendor.last.lose();
    stream.pass(1_000);
    stream.login(...ALL);
    expect(stream.seen.map((gap) => 'seq' in gap && gap.seq)).toEqual([1_000_000, 1_000_001]);
  });

  it('begin where the one before has ended, of a series that is quiet', () => {
    const stream = toyStream({ request: { symbols: ['A'] } });
    for (let i = 0; i < 3; i += 1) {
      stream.login('trade A');
      stream.vendor.last.lose();
      stream.pass(10_000);
    }
    expect(stream.take()).toEqual(['gap A 0-10000 reconnect', 'gap A 10000-20000 reconnect']);
  });

  it('come with data of a series that the vendor has not confirmed', () => {
    const stream = toyStream();
    stream.login(...ALL);
    stream.vendor.last.lose();
    stream.pass(1_000);
    stream.login();
    stream.say({ data: [trade('B', 1_001)] });
    stream.say({ ok: ['trade B'] });
    expect(stream.take()).toEqual(['gap B 0-1000 reconnect', 'trade B 1001']);
  });

  it('of a delayed feed begin at its last record, which is older than its confirmation', () => {
    const stream = toyStream({ request: { symbols: ['A'] } });
    stream.pass(5_000);
    stream.login('trade A');
    stream.say({ data: [trade('A', 500)] });
    stream.vendor.last.lose();
    stream.pass(1_000);
    stream.login('trade A');
    expect(stream.take().at(-1)).toBe('gap A 500-6000 reconnect');
  });

  it('begin when its last record came, where the clock of the vendor is ahead', () => {
    const stream = toyStream({ request: { symbols: ['A'] } });
    stream.login('trade A');
    stream.say({ data: [trade('A', 5_000)] });
    stream.vendor.last.lose();
    stream.pass(1_000);
    stream.login('trade A');
    expect(stream.take().at(-1)).toBe('gap A 0-1000 reconnect');
  });

  it('of a subscription to all symbols are of all symbols', () => {
    const stream = toyStream({ request: { symbols: ['*'] } });
    stream.login('trade *');
    stream.say({ data: [trade('A', 5), trade('B', 9)] });
    stream.vendor.last.lose();
    stream.pass(1_000);
    stream.login();
    stream.say({ data: [trade('B', 1_001)] });
    expect(stream.take().slice(2)).toEqual(['gap * 0-1000 reconnect', 'trade B 1001']);
  });

  it('are made of holes that the session knows of, before what comes after them', () => {
    const stream = toyStream();
    stream.login(...ALL);
    stream.say({ hole: ['trade A', 10, 20, 3], data: [trade('A', 20)] });
    expect(stream.take()).toEqual(['gap A 10-20 sequence', 'trade A 20']);
    expect(stream.seen[0]).toMatchObject({ rows: 3 });
  });
});
