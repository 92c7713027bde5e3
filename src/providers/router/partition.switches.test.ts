import { describe, expect, test } from 'vitest';
import { toyRouter } from '../../../test/support/toyRouter.js';
import { rendezvous } from './rendezvous.js';

/** `A` and `B` belong to x, `C` to y. */
const partition = (symbol: string, names: readonly string[]) => {
  const home = symbol === 'C' ? 'y' : 'x';
  return names.includes(home) ? home : names[0]!;
};
const config = { strategy: 'partition', symbols: ['A', 'B', 'C'], partition, failBackAfterMs: 3_000 } as const;
const subscribed = (vendor: { vendor: { last: { sent: readonly unknown[] } } }) =>
  vendor.vendor.last.sent.filter((frame) => String(frame).includes('sub'));

describe('partition', () => {
  test('each symbol is asked of one provider', () => {
    const { vendors, take } = toyRouter(config);
    const [x, y] = vendors;
    x!.login('trade A', 'trade B');
    y!.login('trade C');
    expect([subscribed(x!), subscribed(y!)]).toEqual([['sub trade A,trade B'], ['sub trade C']]);
    x!.trade('A', 1);
    y!.trade('C', 2);
    expect(take()).toEqual(['0 x trade A 1', '0 y trade C 2']);
  });

  test('the symbols of one that dies move, and no others; its gap records say what is missing', () => {
    const { vendors, take, pass } = toyRouter(config);
    const [x, y] = vendors;
    x!.login('trade A', 'trade B');
    y!.login('trade C');
    x!.trade('A', 0);
    y!.trade('C', 0);
    pass(100);
    take();
    x!.say({ fail: 'key' });
    expect(take()).toEqual(['100 x->y ended A,B']);
    expect(subscribed(y!)).toEqual(['sub trade C', 'sub trade A,trade B']);
    pass(20);
    y!.say({ ok: ['trade A', 'trade B'] });
    y!.trade('A', 110);
    expect(take()).toEqual(['120 y gap A 0-120 reconnect', '120 y gap B 0-120 reconnect', '120 y trade A 110']);
  });

  test('they come back once it has been well for long enough, and go a second time with gap records too', () => {
    const { vendors, take, pass, monitor } = toyRouter({ ...config, staleAfterMs: 1_000 });
    const [x, y] = vendors;
    const run = (ms: number, ...who: { trade(symbol: string, ts: number): void }[]) => {
      for (let i = 0; i < ms; i += 100) {
        for (const one of who) one.trade(one === x ? 'A' : 'C', i);
        pass(100);
      }
    };
    const moves = () => take().filter((line) => !line.includes('trade'));
    x!.login('trade A', 'trade B');
    y!.login('trade C');
    run(1_000, y!);
    expect(moves()).toEqual(['1000 x->y silent A,B']);
    y!.say({ ok: ['trade A', 'trade B'] });
    expect(moves()).toEqual(['1000 y gap A 0-1000 stale', '1000 y gap B 0-1000 stale']);
    run(5_000, y!);
    x!.login('trade A', 'trade B');
    run(3_000, x!, y!);
    expect(moves()).toEqual([
      '9000 y->x preferred A,B',
      '9000 x gap A 1000-9000 reconnect',
      '9000 x gap B 1000-9000 reconnect',
    ]);
    expect(subscribed(y!).at(-1)).toBe('unsub trade A,trade B');
    x!.trade('A', 9_000);
    run(1_100, y!);
    expect(moves()).toEqual(['10050 x->y silent A,B']);
    // The stream of y had both symbols before and makes no gap: the router does, at the first sign of each.
    y!.say({ ok: ['trade A', 'trade B'] });
    y!.trade('A', 10_050);
    expect(take()).toEqual(['10100 y gap A 9000-10050 stale', '10100 y trade A 10050']);
    run(1_000, y!);
    expect(moves()).toEqual(['11050 y gap B 9000-11050 stale']);
    expect(monitor.account().conservation).toBe(0);
  });

  test('a rule that names a stranger fails the router', () => {
    const router = toyRouter({ ...config, partition: () => 'z' });
    expect(String(router.error)).toMatch(/what partition returns for "A" must be one of x, y, got "z"/);
  });
});

describe('rendezvous', () => {
  const symbols = Array.from({ length: 3_000 }, (_, i) => `S${i}`);

  test('spreads symbols evenly', () => {
    const counts = new Map<string, number>();
    for (const symbol of symbols) {
      const name = rendezvous(symbol, ['x', 'y', 'z']);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(120);
  });

  test('moves only the symbols of a name that goes, to all others', () => {
    const taken = new Set<string>();
    for (const symbol of symbols) {
      const before = rendezvous(symbol, ['x', 'y', 'z']);
      const after = rendezvous(symbol, ['z', 'x']);
      if (before === 'y') taken.add(after);
      else expect(after).toBe(before);
    }
    expect([...taken].sort()).toEqual(['x', 'z']);
  });
});
