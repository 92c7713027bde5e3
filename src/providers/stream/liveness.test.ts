import { describe, expect, it } from 'vitest';
import { toyStream, trade } from '../../../test/support/toyVendor.js';

const ALL = ['trade A', 'trade B'] as const;

describe('a connection', () => {
  it('is pinged, and closed when it gives no sign of life', () => {
    const stream = toyStream({ pingEveryMs: 20_000, deadAfterMs: 40_000 });
    stream.login(...ALL);
    stream.pass(39_999);
    expect(stream.vendor.last).toMatchObject({ pings: 1, isClosed: false });
    stream.pass(2_001);
    expect(stream.vendor.last).toMatchObject({ isClosed: true });
    expect(stream.feed).toMatchObject({
      state: 'down',
      lastError: 'toy: the connection gave no sign of life for 40000 ms',
    });
  });

  it.each(['pong', 'frame'])('lives by each %s', (sign) => {
    const stream = toyStream({ deadAfterMs: 40_000 });
    stream.login(...ALL);
    for (let i = 0; i < 10; i += 1) {
      stream.pass(30_000);
      if (sign === 'pong') stream.vendor.last.pong();
      else stream.say({});
    }
    expect(stream.vendor.connections).toHaveLength(1);
    expect(stream.vendor.last.isClosed).toBe(false);
  });

  it('is kept alive while the gate downstream is closed for long', () => {
    const stream = toyStream();
    stream.login(...ALL);
    stream.gate.close();
    for (let i = 0; i < 100; i += 1) {
      stream.pass(30_000);
      stream.say({ data: [trade('A', i)] });
    }
    expect(stream.vendor.connections).toHaveLength(1);
    expect(stream.vendor.last.pings).toBeGreaterThan(100);
    expect(stream.take()).toEqual([]);
    stream.gate.open();
    stream.pass(1);
    expect(stream.take()).toHaveLength(100);
  });

  it('that is alive and carries no data is stale, and another is tried', () => {
    const stream = toyStream({ staleAfterMs: 60_000 });
    stream.login(...ALL);
    stream.say({ data: [trade('A', 7)] });
    for (let i = 0; i < 7; i += 1) {
      stream.pass(10_000);
      stream.say({ data: [['none']] });
    }
    expect(stream.vendor.connections[0]?.isClosed).toBe(true);
    expect(stream.feed.lastError).toBe('toy: the connection carried no data for 60000 ms');
    expect(stream.feed.state).toBe('stale');
  });

  it('that is stale again and again leaves one gap, once data come', () => {
    const stream = toyStream({ staleAfterMs: 20_000, request: { symbols: ['A'] } });
    stream.login('trade A');
    stream.say({ data: [trade('A', 7)] });
    stream.pass(22_000);
    for (let i = 0; i < 3; i += 1) {
      stream.pass(8_000);
      stream.login('trade A');
      expect(stream.feed.state).toBe('stale');
      stream.pass(20_000);
    }
    stream.pass(9_000);
    stream.take();
    const at = stream.scheduler.now();
    stream.login('trade A');
    stream.pass(50);
    expect(stream.take()).toEqual([]);
    stream.say({ data: [trade('A', at)] });
    expect(stream.take()).toEqual([`gap A 0-${at} stale`, `trade A ${at}`]);
    expect(stream.feed).toMatchObject({ state: 'live', gaps: 1 });
  });

  it('may be silent while the market is closed', () => {
    const calendar = { isOpen: (at: number) => at >= 1e6, nextChange: (at: number) => (at < 1e6 ? 1e6 : Infinity) };
    const stream = toyStream({ staleAfterMs: 60_000, deadAfterMs: 1e9, calendar });
    stream.login(...ALL);
    stream.pass(1e6 + 59_000);
    expect(stream.vendor.connections.map(({ isClosed }) => isClosed)).toEqual([false]);
    stream.pass(5_000);
    expect(stream.vendor.connections[0]?.isClosed).toBe(true);
  });
});
