import { describe, expect, it } from 'vitest';
import { type ToyFrame, type ToyStreamConfig, toyStream } from '../../../test/support/toyVendor.js';

/** A stream whose first connection has said that it will be closed. */
function handingOver(config: ToyStreamConfig = {}) {
  const stream = toyStream(config);
  stream.login('trade A', 'trade B');
  stream.say({ data: [numbered('A', 1)] });
  stream.say({ handOver: true });
  const [old, next] = stream.vendor.connections;
  const { say } = stream;
  return Object.assign(stream, {
    old: (frame: ToyFrame) => say(frame, old),
    next: (frame: ToyFrame) => say(frame, next),
    connections: [old!, next!] as const,
  });
}

/** A trade with the number of the vendor. */
const numbered = (symbol: string, seq: number) => ['trade', symbol, seq, 1, undefined, seq];

describe('a connection that the vendor will close', () => {
  it('is replaced by one that is opened beside it, 5 s after that has confirmed everything, without a gap', () => {
    const stream = handingOver();
    const [old, next] = stream.connections;
    next.open();
    stream.next({ welcome: true });
    expect(next.sent).toEqual(['login', 'sub trade A,trade B']);
    stream.next({ ok: ['trade A'] });
    stream.old({ data: [numbered('B', 2)] });
    expect([old.isClosed, stream.feed.confirmed]).toEqual([false, 2]);
    stream.next({ ok: ['trade B'] });
    stream.pass(4_999);
    expect([old.isClosed, next.isClosed]).toEqual([false, false]);
    stream.pass(1);
    expect([old.isClosed, next.isClosed]).toEqual([true, false]);
    stream.next({ data: [numbered('A', 3)] });
    expect(stream.take()).toEqual(['trade A 1', 'trade B 2', 'trade A 3']);
    expect(stream.feed).toMatchObject({ state: 'live', confirmed: 2, reconnects: 0, gaps: 0 });
  });

  it('and its successor deliver each record once, in order', () => {
    const stream = handingOver();
    stream.connections[1].open();
    stream.next({ welcome: true, ok: [] });
    stream.next({ ok: ['trade A'] });
    stream.next({ data: [numbered('A', 2), numbered('A', 3)] });
    stream.old({ data: [numbered('A', 2), numbered('A', 3), numbered('A', 4)] });
    stream.next({ ok: ['trade B'] });
    stream.next({ data: [numbered('A', 4), numbered('A', 5)] });
    expect(stream.take()).toEqual(['trade A 1', 'trade A 2', 'trade A 3', 'trade A 4', 'trade A 5']);
    expect(stream.feed.duplicates).toBe(3);
    expect(stream.monitor.account()).toMatchObject({ received: 8, delivered: 5, dropped: { duplicate: 3 } });
  });

  it('may be behind its successor, which lacks what was sent before it was asked', () => {
    const stream = handingOver();
    stream.connections[1].open();
    stream.next({ welcome: true, ok: [] });
    stream.next({ data: [numbered('A', 4), numbered('A', 5)] });
    stream.old({ data: [numbered('A', 2)] });
    stream.next({ ok: ['trade A', 'trade B'] });
    // It is read on: what it had sent may still be on its way.
    stream.old({ data: [numbered('A', 3), numbered('A', 4), numbered('A', 5), numbered('A', 6)] });
    stream.next({ data: [numbered('A', 6), numbered('A', 7)] });
    const emitted = ['trade A 1', 'trade A 4', 'trade A 5', 'trade A 2', 'trade A 3', 'trade A 6', 'trade A 7'];
    expect(stream.take()).toEqual(emitted);
    expect(stream.feed.duplicates).toBe(3);
  });

  it('may be ahead of its successor, also when that has taken over', () => {
    const stream = handingOver();
    stream.connections[1].open();
    stream.next({ welcome: true, ok: ['trade A', 'trade B'] });
    stream.old({ data: [numbered('A', 2), numbered('A', 3)] });
    stream.pass(5_000);
    stream.next({ data: [numbered('A', 2), numbered('A', 3), numbered('A', 4)] });
    expect(stream.take()).toEqual(['trade A 1', 'trade A 2', 'trade A 3', 'trade A 4']);
  });

  it('is followed by one that is closed soon as well, and is replaced in turn', () => {
    const stream = handingOver();
    stream.connections[1].open();
    stream.next({ welcome: true });
    stream.next({ ok: ['trade A', 'trade B'], handOver: true });
    expect(stream.vendor.connections).toHaveLength(2);
    stream.pass(5_000);
    expect(stream.vendor.connections).toHaveLength(3);
    expect(stream.connections.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    stream.login('trade A', 'trade B');
    stream.pass(5_000);
    expect(stream.vendor.connections.map(({ isClosed }) => isClosed)).toEqual([true, true, false]);
  });

  it('is followed by a record of each series that counts as its confirmation', () => {
    const stream = handingOver();
    stream.connections[1].open();
    stream.next({ welcome: true });
    stream.next({ data: [numbered('A', 2), numbered('B', 2)] });
    stream.pass(5_000);
    expect(stream.connections[0].isClosed).toBe(true);
    expect(stream.take()).toEqual(['trade A 1', 'trade A 2', 'trade B 2']);
  });

  it('and breaks before its successor is through leaves gaps up to when that has taken over and confirmed', () => {
    const stream = handingOver();
    stream.connections[1].open();
    stream.next({ welcome: true });
    stream.next({ ok: ['trade A'] });
    stream.connections[0].lose();
    expect(stream.feed).toMatchObject({ state: 'live', confirmed: 1, reconnects: 0 });
    stream.pass(500);
    stream.next({ ok: ['trade B'], data: [numbered('A', 2)] });
    expect(stream.take()).toEqual(['trade A 1', 'gap A 0-0 reconnect', 'gap B 0-500 reconnect', 'trade A 2']);
    expect(stream.vendor.connections).toHaveLength(2);
  });

  it('delivers what falls into a hole of its successor, which is none then', () => {
    const stream = handingOver();
    stream.login('trade A', 'trade B');
    stream.next({ data: [numbered('A', 2)] });
    stream.next({ hole: ['trade A', 2, 4], data: [numbered('A', 4)] });
    stream.next({ data: [numbered('A', 5)] });
    stream.old({ data: [numbered('A', 2), numbered('A', 3), numbered('A', 4), numbered('A', 5)] });
    stream.pass(20_000);
    expect(stream.take()).toEqual(['trade A 1', 'trade A 2', 'trade A 4', 'trade A 5', 'trade A 3']);
    expect(stream.feed).toMatchObject({ duplicates: 3, gaps: 0 });
  });

  it('has a gap where it does not deliver what its successor has lost', () => {
    const stream = handingOver();
    stream.login('trade A', 'trade B');
    stream.next({ data: [numbered('A', 2)] });
    stream.next({ hole: ['trade A', 2, 4, 1], data: [numbered('A', 4)] });
    stream.old({ data: [numbered('A', 3)] });
    expect(stream.take()).toEqual(['trade A 1', 'trade A 2', 'trade A 4', 'trade A 3']);
    stream.pass(5_000);
    expect(stream.take()).toEqual(['gap A 2-4 sequence']);
    // The first connection had the record that is counted.
    expect(stream.seen.find(({ kind }) => kind === 'gap')).not.toHaveProperty('rows');
  });

  it('and breaks after its successor has answered leaves a gap of what that came too late for', () => {
    const stream = handingOver();
    stream.pass(100);
    stream.login('trade A', 'trade B');
    stream.old({ data: [numbered('A', 50)] });
    stream.next({ data: [numbered('A', 80)] });
    stream.pass(200);
    stream.connections[0].lose();
    expect(stream.take()).toEqual([
      'trade A 1',
      'trade A 50',
      'trade A 80',
      'gap A 50-80 reconnect',
      'gap B 0-300 reconnect',
    ]);
    // Nothing is missing twice.
    stream.pass(100);
    stream.connections[1].lose();
    stream.pass(1_000);
    stream.login('trade A', 'trade B');
    expect(stream.take()).toEqual(['gap A 80-1400 reconnect', 'gap B 300-1400 reconnect']);
  });

  it('and breaks leaves no gap where the numbers of its successor follow its own', () => {
    const stream = handingOver();
    stream.login('trade A', 'trade B');
    stream.old({ data: [numbered('A', 2), numbered('B', 2)] });
    stream.next({ data: [numbered('A', 3), numbered('B', 2)] });
    stream.connections[0].lose();
    expect(stream.take()).toEqual(['trade A 1', 'trade A 2', 'trade B 2', 'trade A 3']);
  });

  it('delivers what a successor that failed has not, and no more', () => {
    const stream = handingOver();
    stream.connections[1].open();
    stream.next({ welcome: true });
    stream.next({ data: [numbered('A', 3)] });
    stream.connections[1].lose();
    stream.pass(1_000);
    stream.login('trade A', 'trade B');
    stream.say({ data: [numbered('A', 6)] });
    stream.old({ data: [2, 3, 4, 5, 6].map((seq) => numbered('A', seq)) });
    expect(stream.take().join()).toBe('trade A 1,trade A 3,trade A 6,trade A 2,trade A 4,trade A 5');
  });

  it('and breaks while there is no successor leaves a gap from its own last record', () => {
    const stream = handingOver();
    stream.pass(100);
    stream.connections[1].open();
    stream.next({ welcome: true });
    stream.next({ data: [numbered('A', 90)] });
    stream.connections[1].lose();
    stream.connections[0].lose();
    stream.pass(1_000);
    stream.login('trade A');
    expect(stream.take()).toEqual(['trade A 1', 'trade A 90', 'gap A 0-1100 reconnect']);
  });

  it('and breaks before its successor is ready leaves gaps', () => {
    const stream = handingOver();
    stream.connections[0].lose();
    stream.connections[1].open();
    stream.next({ welcome: true });
    stream.next({ ok: ['trade A', 'trade B'] });
    expect(stream.take()).toEqual(['trade A 1', 'gap A 0-0 reconnect', 'gap B 0-0 reconnect']);
    expect(stream.vendor.connections).toHaveLength(2);
  });

  it('goes on while its successor fails, which is tried again', () => {
    const stream = handingOver();
    stream.connections[1].lose();
    stream.old({ data: [numbered('A', 2)] });
    stream.pass(1_000);
    expect(stream.vendor.connections).toHaveLength(3);
    stream.login('trade A', 'trade B');
    stream.pass(5_000);
    expect(stream.connections[0].isClosed).toBe(true);
    expect(stream.take()).toEqual(['trade A 1', 'trade A 2']);
  });

  it('goes on while its successor does not answer, and gets another', () => {
    const stream = handingOver({ deadAfterMs: 1e9 });
    stream.connections[1].open();
    stream.next({ welcome: true });
    stream.pass(60_000);
    expect(stream.connections.map(({ isClosed }) => isClosed)).toEqual([false, true]);
    stream.pass(60_000);
    expect(stream.vendor.connections).toHaveLength(3);
  });

  it('may be replaced again and again', () => {
    const stream = handingOver();
    for (let i = 2; i < 6; i += 1) {
      stream.login('trade A', 'trade B');
      stream.pass(5_000);
      stream.say({ data: [numbered('A', i)] });
      stream.say({ handOver: true });
      expect(stream.vendor.connections).toHaveLength(i + 1);
    }
    expect(stream.take()).toEqual(['trade A 1', 'trade A 2', 'trade A 3', 'trade A 4', 'trade A 5']);
  });

  it('closes with its successor, and leaves no timer', () => {
    const stream = handingOver();
    stream.subscription.unsubscribe();
    expect(stream.connections.map(({ isClosed }) => isClosed)).toEqual([true, true]);
    expect(stream.scheduler.actions).toEqual([]);
  });
});
