import { describe, expect, it } from 'vitest';
import { quote, type ToyStreamConfig, toyStream, trade } from '../../../test/support/toyVendor.js';
import type { Connect, ConnectionEvents } from '../provider.js';

/** A stream whose transport can wait, and the list of what it is asked. */
function patientStream(config: ToyStreamConfig = {}) {
  const asked: string[] = [];
  let events: ConnectionEvents | undefined;
  const wrapConnect = (connect: Connect): Connect => {
    return (inner) => {
      events = inner;
      return { ...connect(inner), pause: () => asked.push('pause'), resume: () => asked.push('resume') };
    };
  };
  return { ...toyStream({ wrapConnect, ...config }), asked, finished: () => events?.finished?.() };
}

describe('a transport that can wait', () => {
  it('is paused while the gate is closed, and the rest of its frame is held whole', () => {
    const stream = patientStream({ capacity: 1, request: { kinds: ['quote'], symbols: ['A'] } });
    stream.login('quote A');
    stream.gate.close();
    const quotes = [quote('A', 1), quote('A', 2), quote('A', 3)];
    stream.say({ data: quotes });
    expect(stream.asked).toEqual(['pause']);
    expect(stream.take()).toEqual([]);
    stream.gate.open();
    expect(stream.take()).toEqual(['quote A 1', 'quote A 2', 'quote A 3']);
    expect(stream.asked).toEqual(['pause', 'resume']);
    expect(stream.monitor.feeds[0]).toMatchObject({ conflated: 0, overflowed: 0 });
  });

  it('is paused again on a new connection while records of the one before wait', () => {
    const stream = patientStream();
    stream.login('trade A');
    stream.gate.close();
    stream.say({ data: [trade('A', 1)] });
    stream.vendor.last.lose();
    stream.pass(1_000);
    expect(stream.vendor.connections).toHaveLength(2);
    expect(stream.asked).toEqual(['pause', 'pause']);
  });
});

describe('a transport whose recording ends', () => {
  it('completes the stream once what waits is emitted', () => {
    const stream = patientStream();
    stream.login('trade A');
    stream.gate.close();
    stream.say({ data: [trade('A', 1), trade('A', 2)] });
    stream.finished();
    expect(stream.take()).toEqual([]);
    stream.gate.open();
    expect(stream.take()).toEqual(['trade A 1', 'trade A 2', 'complete']);
    expect(stream.vendor.connections).toHaveLength(1);
  });
});

describe('a transport that knows when a frame was received', () => {
  it('decides the time of the step, and of the gap records in it', () => {
    let events: ConnectionEvents | undefined;
    const wrapConnect = (connect: Connect): Connect => {
      return (inner) => {
        events = inner;
        return connect(inner);
      };
    };
    const stream = toyStream({ wrapConnect });
    stream.login('trade A');
    events?.frame(JSON.stringify({ hole: ['trade A', 5, 9] }), 77_000.5);
    expect(stream.seen).toMatchObject([{ kind: 'gap', from: 5, to: 9, seq: 77_000_500 }]);
    expect(stream.monitor.feeds[0]?.lastMessageAt).toBe(77_000.5);
  });
});
