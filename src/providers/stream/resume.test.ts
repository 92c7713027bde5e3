import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { quote, type ToyStreamConfig, toyStream, trade } from '../../../test/support/toyVendor.js';
import type { Series } from '../session.js';

/** A stream that begins at 1,000, of which series are known until the times given. */
function resumed(known: Readonly<Record<string, number>>, config: ToyStreamConfig = {}) {
  const asked: string[] = [];
  const resumeFrom = ({ of, symbol, timeframe }: Series) => {
    const name = timeframe === undefined ? `${of} ${symbol}` : `${of} ${symbol} ${timeframe}`;
    asked.push(name);
    return known[name];
  };
  const symbols = new Subject<readonly string[]>();
  const stream = toyStream({ ...config, request: { symbols, resumeFrom, ...config.request } });
  stream.pass(1_000);
  return Object.assign(stream, { asked, symbols });
}

describe('a series that is known from before', () => {
  it('has a gap from there until it is confirmed, before its first record', () => {
    const stream = resumed({ 'trade A': 400.125 });
    stream.symbols.next(['A', 'B']);
    stream.pass(50);
    stream.login();
    stream.say({ ok: ['trade B', 'trade A'], data: [trade('A', 1_049), trade('B', 1_050)] });
    expect(stream.take()).toEqual(['gap A 400.125-1050 restart', 'trade A 1049', 'trade B 1050']);
    expect(stream.seen[0]).toMatchObject({ of: 'trade', state: 'open', vendor: 'toy', seq: 1_050_000 });
    expect(stream.asked).toEqual(['trade A', 'trade B']);
    expect(stream.feed.gapsBy.get('restart')).toBe(1);
  });

  it('is confirmed by a record of it', () => {
    const stream = resumed({ 'trade A': 400 });
    stream.symbols.next(['A']);
    stream.login();
    stream.pass(7);
    stream.say({ data: [trade('A', 1_006)] });
    stream.say({ ok: ['trade A'] });
    expect(stream.take()).toEqual(['gap A 400-1007 restart', 'trade A 1006']);
  });

  it('has a gap of each kind, of bars with their timeframe', () => {
    const stream = resumed(
      { 'quote A': 500, 'bar A 5m': 600 },
      { request: { kinds: ['quote', 'bar'], timeframe: '5m' } },
    );
    stream.symbols.next(['A']);
    stream.login('quote A', 'bar A');
    expect(stream.take()).toEqual(['gap A 500-1000 restart', 'gap A 600-1000 restart']);
    expect(stream.seen[1]).toMatchObject({ of: 'bar', timeframe: '5m' });
  });

  it('may be that of all symbols', () => {
    const stream = resumed({ 'trade *': 500 });
    stream.symbols.next(['*']);
    stream.login();
    stream.say({ data: [trade('A', 1_000)] });
    expect(stream.take()).toEqual(['gap * 500-1000 restart', 'trade A 1000']);
  });

  it('may be added later, and is asked for once, even if it comes back', () => {
    const stream = resumed({ 'trade A': 400, 'trade B': 500 });
    stream.symbols.next(['A']);
    stream.login('trade A');
    stream.symbols.next(['A', 'B']);
    stream.pass(20);
    stream.say({ ok: ['trade B'] });
    stream.symbols.next(['A']);
    stream.symbols.next(['A', 'B']);
    stream.say({ ok: ['trade B'] });
    expect(stream.take()).toEqual(['gap A 400-1000 restart', 'gap B 500-1020 restart']);
    expect(stream.asked).toEqual(['trade A', 'trade B']);
  });

  it('is asked for again if it was removed before it was confirmed', () => {
    const stream = resumed({ 'trade A': 400, 'trade B': 500 });
    stream.symbols.next(['A', 'B']);
    stream.symbols.next(['A']);
    stream.login('trade A');
    stream.symbols.next(['A', 'B']);
    stream.say({ ok: ['trade B'] });
    expect(stream.take()).toEqual(['gap A 400-1000 restart', 'gap B 500-1000 restart']);
  });

  it('has one gap, however many connections come to nothing before it is confirmed, and those of reconnects after that', () => {
    const stream = resumed({ 'trade A': 400 });
    stream.symbols.next(['A']);
    stream.vendor.last.lose();
    stream.pass(1_000);
    stream.login();
    stream.vendor.last.lose();
    stream.pass(2_000);
    stream.login('trade A');
    stream.say({ data: [trade('A', 4_000)] });
    stream.vendor.last.lose();
    stream.pass(4_000);
    stream.login('trade A');
    expect(stream.take()).toEqual(['gap A 400-4000 restart', 'trade A 4000', 'gap A 4000-8000 reconnect']);
  });

  it('has a gap until it is refused, and from there until it is confirmed after all', () => {
    const stream = resumed({ 'trade A': 400 });
    stream.symbols.next(['A', 'B']);
    stream.login('trade B');
    stream.say({ busy: ['trade A'] });
    expect(stream.take()).toEqual(['gap A 400-1000 restart']);
    stream.pass(10_000);
    stream.vendor.last.lose();
    stream.pass(1_000);
    stream.login('trade A', 'trade B');
    expect(stream.take()).toEqual(['gap A 1000-12000 restart', 'gap B 1000-12000 reconnect']);
  });

  it('counts as unknown, rather than as lost, where the vendor never confirms it', () => {
    const refused: string[] = [];
    const stream = resumed(
      { 'trade A': 400 },
      { confirmAfterMs: 100, onRefused: ({ error }) => void refused.push(error.code) },
    );
    stream.symbols.next(['A', 'B']);
    stream.login('trade B');
    stream.pass(100);
    expect([refused, stream.vendor.connections.length]).toEqual([['SLUICE_UNKNOWN_INSTRUMENT'], 1]);
    expect(stream.take()).toEqual(['gap A 400-1100 restart']);
  });

  it('is known until now if it is said to be known for longer', () => {
    const stream = resumed({ 'trade A': 9e12 });
    stream.symbols.next(['A']);
    stream.pass(30);
    stream.login('trade A');
    expect(stream.take()).toEqual(['gap A 1000-1030 restart']);
  });

  it('has its gap though the stream is silent', () => {
    const stream = resumed({ 'trade B': 900 }, { staleAfterMs: 2_000 });
    stream.symbols.next(['A']);
    stream.login('trade A');
    stream.pass(2_000);
    expect(stream.feed.state).toBe('stale');
    stream.symbols.next(['A', 'B']);
    stream.pass(1_000);
    stream.login('trade A', 'trade B');
    expect(stream.take()).toEqual(['gap B 900-4000 restart']);
    stream.pass(10);
    stream.say({ data: [trade('A', 4_010)] });
    expect(stream.take()).toEqual(['gap A 1000-4000 stale', 'trade A 4010']);
  });

  it('may be confirmed first by a connection that takes over', () => {
    const stream = resumed({ 'trade B': 900 });
    stream.symbols.next(['A']);
    stream.login('trade A');
    stream.symbols.next(['A', 'B']);
    stream.say({ handOver: true });
    const next = stream.vendor.last;
    next.open();
    stream.say({ welcome: true }, next);
    stream.pass(10);
    stream.say({ ok: ['trade A', 'trade B'] }, next);
    expect(stream.take()).toEqual([]);
    stream.pass(5_000);
    expect(stream.take()).toEqual(['gap B 900-1010 restart']);
    expect(stream.vendor.connections[0]?.isClosed).toBe(true);
  });

  it('keeps the place of its gap before what waits for a slow reader', () => {
    const stream = resumed({ 'quote A': 500 }, { request: { kinds: ['quote'] } });
    stream.gate.close();
    stream.symbols.next(['A']);
    stream.login('quote A');
    stream.say({ data: [quote('A', 1_000), quote('A', 1_001)] });
    stream.gate.open();
    expect(stream.take()).toEqual(['gap A 500-1000 restart', 'quote A 1001']);
  });

  it.each(['static', 'changing'])('fails the stream with what the callback throws: symbols that are %s', (how) => {
    const symbols = new Subject<readonly string[]>();
    const request = {
      symbols: how === 'static' ? ['A'] : symbols,
      resumeFrom: () => {
        throw new Error('no table');
      },
    };
    const stream = toyStream({ request });
    symbols.next(['A']);
    expect(stream.error).toEqual(new Error('no table'));
    expect([stream.vendor.connections, stream.scheduler.actions]).toEqual([[], []]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, '2026-01-05'])('refuses %s as a time', (time) => {
    const stream = toyStream({ request: { resumeFrom: () => time as number } });
    expect(stream.error).toBeInstanceOf(RangeError);
    expect(String(stream.error)).toContain('toy: stream: what resumeFrom returns must be a number');
  });

  it('is not asked for after the end', () => {
    const stream = resumed({ 'trade A': 400 });
    stream.stopping.next();
    stream.symbols.next(['A']);
    expect([stream.asked, stream.take()]).toEqual([[], ['complete']]);
  });
});
