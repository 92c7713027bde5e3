import { BehaviorSubject } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { toyRouter } from '../../../test/support/toyRouter.js';
import type { MarketCalendar } from '../../policies/marketCalendar.js';

const inLowerCase = (symbol: string) => (symbol === 'B' ? undefined : symbol.toLowerCase());

describe('one series of several providers', () => {
  test('has one vendor and the spelling of the request, and the preferred record wins in whatever order both arrive', () => {
    const { vendors, take, seen } = toyRouter({ strategy: 'merge', as: 'all', spell: { y: inLowerCase } });
    const [x, y] = vendors;
    x!.login('trade A');
    y!.login('trade a');
    y!.trade('a', 5);
    x!.trade('A', 5);
    y!.trade('a', 5);
    expect(take()).toEqual(['0 all trade A 5', '0 all trade A 5', '0 all trade A 5']);
    const [before, preferred, after] = seen.map((record) => ('seq' in record ? record.seq! : 0));
    expect(preferred).toBeGreaterThan(before!);
    expect(preferred).toBeGreaterThan(after!);
  });

  test('records of a switch are of that vendor and spelling too', () => {
    const { vendors, take, pass } = toyRouter({ staleAfterMs: 1_000, as: 'all', spell: { y: inLowerCase } });
    const [x, y] = vendors;
    x!.login('trade A');
    x!.trade('A', 0);
    pass(1_050);
    y!.login('trade a');
    y!.trade('a', 1_050);
    expect(take()).toEqual([
      '0 all trade A 0',
      '1050 x->y silent',
      '1050 all gap A 0-1050 stale',
      '1050 all trade A 1050',
    ]);
  });
});

describe('the request of a router', () => {
  test('a provider is not asked for a symbol that it does not have', () => {
    const { vendors } = toyRouter({ strategy: 'merge', symbols: ['A', 'B'], spell: { y: inLowerCase } });
    for (const vendor of vendors) vendor.login();
    const [x, y] = vendors.map(({ vendor }) => vendor.last.sent.map(String).join());
    expect(x).toMatch(/trade A.*trade B/);
    expect(y).toMatch(/trade a/);
    expect(y).not.toMatch(/trade [bB]/);
  });

  test('symbols come and go while it runs, at every provider that delivers, and the others are left alone', () => {
    const symbols = new BehaviorSubject<readonly string[]>(['A', 'B']);
    const { vendors, take, pass } = toyRouter({ strategy: 'merge', symbols });
    for (const vendor of vendors) vendor.login('trade A', 'trade B');
    symbols.next(['B', 'C']);
    for (const vendor of vendors) vendor.say({ ok: ['trade C'] });
    pass(10);
    for (const vendor of vendors) for (const symbol of ['A', 'B', 'C']) vendor.trade(symbol, 10);
    const delivered = take().filter((line) => !line.includes('trade A'));
    expect(delivered).toEqual(['10 x trade B 10', '10 x trade C 10', '10 y trade B 10', '10 y trade C 10']);
    expect(vendors.map(({ attempts }) => attempts)).toEqual([1, 1]);
  });

  test('a symbol that is added while another provider delivers is asked of that one', () => {
    const symbols = new BehaviorSubject<readonly string[]>(['A']);
    const { vendors, take, pass } = toyRouter({ staleAfterMs: 1_000, symbols });
    const [x, y] = vendors;
    x!.login('trade A');
    x!.trade('A', 0);
    pass(1_050);
    y!.login('trade A');
    symbols.next(['A', 'B']);
    y!.say({ ok: ['trade B'] });
    y!.trade('B', 1_050);
    expect(take().at(-1)).toBe('1050 y trade B 1050');
  });

  test('silence while the market is closed moves nothing, and the span begins anew when it opens', () => {
    const opensAt = 10_000;
    const calendar: MarketCalendar = {
      isOpen: (at) => at >= opensAt,
      nextChange: (at) => (at < opensAt ? opensAt : Number.POSITIVE_INFINITY),
    };
    const { vendors, take, pass } = toyRouter({ staleAfterMs: 1_000, calendar });
    vendors[0]!.login('trade A');
    pass(opensAt);
    pass(1_000 - 1);
    expect(take()).toEqual([]);
    pass(200);
    const [change] = take();
    expect(change).toMatch(/ x->y silent$/);
    expect(Number.parseInt(change!, 10)).toBeGreaterThanOrEqual(opensAt + 1_000);
  });

  test('one that is unsubscribed while it switches leaves no connection and no timer', () => {
    const router = toyRouter({
      staleAfterMs: 1_000,
      onSwitch: () => router.subscription.unsubscribe(),
    });
    const [x, y] = router.vendors;
    x!.login('trade A');
    x!.trade('A', 0);
    router.pass(60_000);
    expect([x!.isAsked, y!.isAsked]).toEqual([false, false]);
    expect(router.subscription.closed).toBe(true);
  });
});
