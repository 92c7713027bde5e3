import { describe, expect, test } from 'vitest';
import { toyRouter } from '../../../test/support/toyRouter.js';

describe('failover', () => {
  test('the preferred provider delivers, and no other is asked', () => {
    const { vendors, take, pass } = toyRouter();
    const [x, y] = vendors;
    x!.login('trade A');
    pass(10);
    x!.trade('A', 7);
    expect(take()).toEqual(['10 x trade A 7']);
    expect(y!.attempts).toBe(0);
  });

  test('fails over at the frame at which the active one has been silent for too long, and says what is missing', () => {
    const { vendors, take, pass, dropped } = toyRouter({ staleAfterMs: 1_000, failBackAfterMs: 3_000 });
    const [x, y] = vendors;
    x!.login('trade A');
    x!.trade('A', 0);
    pass(40);
    x!.trade('A', 40);
    take();
    pass(1_009);
    expect(take()).toEqual([]);
    pass(1);
    expect(take()).toEqual(['1050 x->y silent']);
    expect([x!.isAsked, y!.isAsked]).toEqual([false, true]);
    pass(50);
    y!.login('trade A');
    // What it says first may have come before.
    y!.say({
      data: [
        ['trade', 'A', 40, 1],
        ['trade', 'A', 900, 1],
        ['trade', 'A', 1_090, 1],
      ],
    });
    expect(take()).toEqual(['1100 y gap A 40-1100 stale', '1100 y trade A 900', '1100 y trade A 1090']);
    expect(dropped()).toEqual({ duplicate: 1 });
  });

  /** The second one delivers, because the first was silent from 0 on. */
  function away(config: Parameters<typeof toyRouter>[0] = {}) {
    const router = toyRouter({ staleAfterMs: 1_000, failBackAfterMs: 3_000, ...config });
    const [x, y] = router.vendors;
    x!.login('trade A');
    x!.trade('A', 0);
    router.pass(1_050);
    y!.login('trade A');
    router.take();
    return { ...router, x: x!, y: y! };
  }

  /** Lets time pass while these deliver a trade every 100 ms. */
  function run(
    { pass, scheduler }: Pick<ReturnType<typeof toyRouter>, 'pass' | 'scheduler'>,
    ms: number,
    ...who: { trade(symbol: string, ts: number): void }[]
  ) {
    for (let i = 0; i < ms; i += 100) {
      for (const one of who) one.trade('A', scheduler.now());
      pass(100);
    }
  }

  test('fails back once the preferred one has been well for failBackAfterMs without interruption, and not before', () => {
    const router = away();
    const { x, y, take, scheduler, dropped } = router;
    // Its breaker lets it be asked again after five seconds.
    run(router, 4_900, y);
    expect([scheduler.now(), x.attempts]).toEqual([5_950, 1]);
    run(router, 100, y);
    expect([scheduler.now(), x.attempts]).toEqual([6_050, 2]);
    x.login('trade A');
    run(router, 200, y);
    // That it is connected proves nothing: it was silent.
    run(router, 2_900, x, y);
    expect(scheduler.now()).toBe(9_150);
    expect(take().filter((line) => !line.includes('y trade'))).toEqual([]);
    run(router, 100, x, y);
    expect(take()).toEqual(['9150 y trade A 9150', '9250 y->x preferred', '9250 x gap A 9150-9250 reconnect']);
    expect([x.isAsked, y.isAsked]).toEqual([true, false]);
    const { standby } = dropped();
    expect(standby).toBe(31);
    // What it says late has been delivered.
    x.trade('A', 9_150);
    x.trade('A', 9_250);
    expect(take()).toEqual(['9250 x trade A 9250']);
    expect(dropped()).toEqual({ standby, duplicate: 1 });
  });

  test('an interruption of the preferred one begins its time anew', () => {
    const router = away();
    const { x, y, take, pass } = router;
    run(router, 5_000, y);
    x.login('trade A');
    run(router, 2_900, x, y);
    x.lose();
    run(router, 2_000, y);
    expect(x.attempts).toBe(2);
    take();
    // It was a probe: it rests for a tenth longer than before.
    run(router, 3_500, y);
    expect(x.attempts).toBe(3);
    x.login('trade A');
    run(router, 2_900, x, y);
    expect(take().filter((line) => line.includes('->'))).toEqual([]);
    run(router, 100, x, y);
    pass(0);
    expect(take().filter((line) => line.includes('->'))).toHaveLength(1);
  });

  test('a provider that is away is not failed over to again while it is only connected', () => {
    const router = away();
    const { x, y, take, pass } = router;
    run(router, 5_000, y);
    x.login('trade A');
    take();
    pass(20_000);
    // The second falls silent too: nobody has spoken, and nothing moves.
    expect(take()).toEqual([]);
    while (!x.isAsked) pass(100);
    x.login('trade A');
    expect(take()).toEqual([]);
    x.trade('A', 99_000);
    expect(take().map((line) => line.replace(/^\d+ /, ''))).toEqual([
      'y->x silent',
      expect.stringMatching(/^x gap A 5950-\d+ stale$/),
      'x trade A 99000',
    ]);
  });

  test('lost connections fail over at the one that is too many, and no earlier', () => {
    const { vendors, take, pass } = toyRouter({ stream: { initialMs: 1_000, maxMs: 1_000 } });
    const [x, y] = vendors;
    x!.login('trade A');
    x!.trade('A', 0);
    pass(100);
    x!.lose();
    pass(1_000);
    x!.login('trade A');
    expect(take()).toEqual(['0 x trade A 0', '1100 x gap A 0-1100 reconnect']);
    x!.lose();
    pass(1_000);
    x!.login('trade A');
    take();
    pass(50);
    expect(y!.attempts).toBe(0);
    x!.lose();
    pass(0);
    expect(take()).toEqual(['2150 x->y failing']);
    pass(10);
    y!.login('trade A');
    expect(take()).toEqual(['2160 y gap A 2100-2160 reconnect']);
  });

  test('health for failBackAfterMs makes up for failures', () => {
    const { vendors, take, pass } = toyRouter({ failBackAfterMs: 3_000, stream: { initialMs: 1_000, maxMs: 1_000 } });
    const [x, y] = vendors;
    x!.login('trade A');
    for (let i = 0; i < 9; i++) {
      pass(3_000);
      x!.lose();
      pass(1_000);
      x!.login('trade A');
    }
    expect(y!.attempts).toBe(0);
    expect(take().filter((line) => line.includes('->'))).toEqual([]);
  });

  test('a provider that fails for good is left at once, and the next one goes on', () => {
    const { vendors, take, pass, monitor } = toyRouter();
    const [x, y] = vendors;
    x!.login('trade A');
    x!.trade('A', 0);
    pass(100);
    x!.say({ fail: 'key' });
    expect(take()).toEqual(['0 x trade A 0', '100 x->y ended']);
    y!.login('trade A');
    y!.trade('A', 100);
    expect(take()).toEqual(['100 y gap A 0-100 reconnect', '100 y trade A 100']);
    expect(monitor.routings).toMatchObject([
      {
        id: 'providerRouter',
        isLive: true,
        providers: [
          {
            name: 'x',
            isActive: false,
            isWell: false,
            state: 'ended',
            lastError: expect.stringMatching(/Unknown key/),
          },
          { name: 'y', isActive: true, isWell: true, state: 'live' },
        ],
        lastSwitch: { at: 100, from: 'x', to: 'y', reason: 'ended', error: expect.stringMatching(/Unknown key/) },
      },
    ]);
    expect(monitor.routings[0]!.switches).toEqual(new Map([['ended', 1]]));
    expect(monitor.account().conservation).toBe(0);
    pass(600_000);
    expect(x!.attempts).toBe(1);
  });

  test('fails once no provider is left, and names each with its reason', () => {
    const router = toyRouter();
    const { vendors, take, pass } = router;
    const [x, y] = vendors;
    x!.login();
    x!.say({ fail: 'key' });
    y!.login();
    pass(5);
    y!.say({ fail: 'key' });
    expect(take()).toEqual(['0 x->y ended', '5 error SLUICE_ROUTER_FAILED']);
    expect(router.error).toMatchObject({ name: 'RouterFailed', ends: [{ provider: 'x' }, { provider: 'y' }] });
    expect(String(router.error)).toMatch(/x \(.*Unknown key.*\); y \(.*Unknown key/);
  });

  test('a stream that fails is subscribed again, and counts as a failure', () => {
    const { vendors, take, pass } = toyRouter({ stream: { maxAttempts: 1 } });
    const [x, y] = vendors;
    x!.login('trade A');
    x!.trade('A', 0);
    pass(10);
    x!.lose();
    pass(999);
    expect(x!.attempts).toBe(1);
    pass(1);
    expect(x!.attempts).toBe(2);
    x!.login('trade A');
    expect(take()).toEqual(['0 x trade A 0', '1010 x gap A 0-1010 reconnect']);
    x!.lose();
    pass(2_000);
    x!.lose();
    expect(take()).toEqual(['3010 x->y failing']);
    expect(y!.attempts).toBe(1);
  });

  test('an outage of all moves nothing but the first time, and the first that is back takes over', () => {
    const { vendors, take, pass, scheduler } = toyRouter({ stream: { initialMs: 100, maxMs: 100 } });
    const y = vendors[1];
    for (let i = 0; i < 600; i++) {
      for (const one of vendors) if (one.isAsked) one.lose();
      pass(100);
    }
    expect(take().map((line) => line.replace(/^\d+ /, ''))).toEqual(['x->y failing']);
    while (!y!.isAsked) pass(100);
    y!.login('trade A');
    expect(take()).toEqual([`${scheduler.now()} y gap A 0-${scheduler.now()} reconnect`]);
  });

  test('a gap does not begin in the future that the clock of a vendor says', () => {
    const { vendors, take, pass } = toyRouter({ staleAfterMs: 1_000 });
    const [x, y] = vendors;
    x!.login('trade A');
    pass(10);
    x!.trade('A', 510);
    pass(1_050);
    y!.login('trade A');
    expect(take().at(-1)).toBe('1060 y gap A 10-1060 stale');
  });

  test('a gap of bars begins at the bar before the one that was forming', () => {
    const { vendors, take, pass } = toyRouter({ kinds: ['bar'], staleAfterMs: 1_000 });
    const [x, y] = vendors;
    x!.login('bar A');
    pass(200);
    x!.say({
      data: [
        ['bar', 'A', 100, 1, true],
        ['bar', 'A', 200, 1, false],
      ],
    });
    pass(1_050);
    y!.login('bar A');
    expect(take().at(-1)).toBe('1250 y gap A 100-1250 stale');
  });

  test('what ends a provider for good is told, also of one that does not deliver', () => {
    const ends: unknown[] = [];
    const onProviderEnd = (end: unknown) => void ends.push(end);
    const { vendors, take, monitor } = toyRouter({ strategy: 'merge', onProviderEnd });
    const logged: unknown[] = [];
    monitor.observe({ routeEnded: ({ id }, provider) => void logged.push([id, provider]) });
    const [x, y] = vendors;
    x!.login('trade A');
    y!.login();
    y!.say({ fail: 'key' });
    x!.trade('A', 1);
    expect(take()).toEqual(['0 x trade A 1']);
    expect(ends).toMatchObject([{ provider: 'y', error: { name: 'BadCredentials' } }]);
    expect(logged).toEqual([['providerRouter', 'y']]);
  });

  test('a callback that throws fails the router', () => {
    for (const callback of ['onSwitch', 'onProviderEnd'] as const) {
      const router = toyRouter({
        [callback]: () => {
          throw new TypeError('boom');
        },
      });
      router.vendors[0]!.login();
      router.vendors[0]!.say({ fail: 'key' });
      expect(router.error).toMatchObject({ message: 'boom' });
      expect(router.vendors.some(({ isAsked }) => isAsked)).toBe(false);
    }
  });
});
