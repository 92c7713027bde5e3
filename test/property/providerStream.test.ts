import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Gap } from '../../src/market/gap.js';
import { quote, toyStream, trade } from '../support/toyVendor.js';
import { holds } from './holds.js';

const SYMBOLS = ['A', 'B'] as const;

const action = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('trade' as const), symbol: fc.constantFrom(...SYMBOLS) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('quote' as const), symbol: fc.constantFrom(...SYMBOLS) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 3_000 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('confirm' as const), symbol: fc.constantFrom(...SYMBOLS) }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom('login' as const, 'lose' as const, 'open' as const, 'close' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('kick' as const, 'garbage' as const) }) },
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

/** A vendor that trades whether anybody is connected or not, and sends to whom it has confirmed. */
function live(capacity: number, actions: readonly Action[]) {
  const timeouts = { confirmAfterMs: 1e9, deadAfterMs: 1e9, connectTimeoutMs: 1e9, maxMs: 4_000 };
  const stream = toyStream({ capacity, ...timeouts, request: { kinds: ['trade', 'quote'] } });
  const { vendor, say, gate, pass } = stream;
  const made: { readonly symbol: string; readonly ts: number }[] = [];
  const confirmed = new Set<string>();
  const everConfirmed = new Set<string>();
  let connection = 0;
  let isReady = false;

  const isUp = () => {
    if (vendor.connections.length !== connection) {
      connection = vendor.connections.length;
      isReady = false;
      confirmed.clear();
    }
    return !vendor.last.isClosed;
  };
  const login = () => {
    if (!isUp() || isReady) return;
    vendor.last.open();
    say({ welcome: true });
    isReady = true;
  };
  const confirm = (symbol: string) => {
    if (!isUp() || !isReady) return;
    say({ ok: [`trade ${symbol}`, `quote ${symbol}`] });
    confirmed.add(symbol);
    everConfirmed.add(symbol);
  };
  const apply = (one: Action) => {
    if (one.do === 'trade') {
      pass(1);
      const ts = stream.scheduler.now();
      if (everConfirmed.has(one.symbol)) made.push({ symbol: one.symbol, ts });
      if (isUp() && confirmed.has(one.symbol)) say({ data: [trade(one.symbol, ts)] });
    } else if (one.do === 'quote') {
      if (isUp() && confirmed.has(one.symbol)) say({ data: [quote(one.symbol, stream.scheduler.now())] });
    } else if (one.do === 'pass') pass(one.ms);
    else if (one.do === 'confirm') confirm(one.symbol);
    else if (one.do === 'login') login();
    else if (one.do === 'open') gate.open();
    else if (one.do === 'close') gate.close();
    else if (one.do === 'garbage') {
      if (isUp() && isReady) say({ data: [{ odd: true }, 'boom'] });
    } else if (isUp()) {
      if (one.do === 'lose') vendor.last.lose();
      else say({ fail: 'quota', retryAfterMs: 1_500 });
    }
  };
  for (const one of actions) apply(one);
  // In the end all is well again.
  pass(10_000);
  login();
  for (const symbol of SYMBOLS) confirm(symbol);
  return { stream, made };
}

describe('the stream of a provider', () => {
  it('emits every trade or a gap that covers it, whatever happens to its connections and its gate', () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(action, { maxLength: 120, size: 'max' }),
      (capacity, actions) => {
        const { stream, made } = live(capacity, actions);
        stream.stopping.next();
        stream.gate.open();
        stream.pass(100);
        expect(stream.log.at(-1)).toBe('complete');
        expect(stream.scheduler.actions).toEqual([]);

        const there = new Set(stream.seen.map((one) => (one.kind === 'trade' ? `${one.symbol} ${one.ts}` : '')));
        const gaps = stream.seen.filter((one): one is Gap => one.kind === 'gap' && one.of === 'trade');
        for (const { symbol, ts } of made) {
          if (there.has(`${symbol} ${ts}`)) continue;
          const isCovered = gaps.some((gap) => gap.symbol === symbol && gap.from <= ts && gap.to >= ts);
          expect(isCovered, `trade ${symbol} at ${ts}`).toBe(true);
        }
        // No trade comes twice, and those of a symbol in order; gap records are numbered upwards.
        for (const symbol of SYMBOLS) {
          const times = stream.seen.flatMap((one) => (one.kind === 'trade' && one.symbol === symbol ? [one.ts] : []));
          expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
        }
        const { received, delivered, dropped, held, conservation } = stream.monitor.account();
        const droppedInAll = Object.values(dropped).reduce((sum, count) => sum + count, 0);
        expect(received).toBe(delivered + droppedInAll);
        expect([held, conservation]).toEqual([0, 0]);
      },
    );
    holds('provider stream', property, { seed: 10, numRuns: 200 });
  });
});
