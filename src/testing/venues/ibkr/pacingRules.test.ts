import { describe, expect, it } from 'vitest';
import type { ContractRequest } from './gatewayRequest.js';
import { PacingRules } from './pacingRules.js';

const contract = (conId: number) => ({
  ...{ conId, symbol: '', secType: '', lastTradeDate: '', strike: 0, right: '', exchange: 'SMART' },
  ...{ primaryExch: '', currency: 'USD', localSymbol: '' },
});
const bars = (conId: number, end: string, barSize = '5 secs', what = 'TRADES'): ContractRequest => ({
  ...{ is: 'history', id: 1, contract: contract(conId), args: ['0', end, barSize, '1800 S', '0', what, '2', '0'] },
});
const ticks = (conId: number, start: string, what: string): ContractRequest => ({
  ...{ is: 'pastTicks', id: 1, contract: contract(conId), args: ['0', start, '', '1000', what, '0', '0', ''] },
});
const live = (is: 'ticks' | 'bars', conId: number, args: readonly string[]): ContractRequest => ({
  ...{ is, id: 1, contract: contract(conId), args },
});

/** How each of these requests is refused, if it is: `[code, second]`. */
function refusals(requests: readonly (readonly [second: number, ContractRequest, open?: number])[]) {
  const rules = new PacingRules();
  const refused = requests.flatMap(([second, request, open = 0]) => {
    const refusal = rules.request(request, open, second * 1_000);
    return refusal ? [[refusal.code, second]] : [];
  });
  expect(rules.violations).toHaveLength(refused.length);
  return refused;
}

const many = <T>(count: number, make: (n: number) => T) => Array.from({ length: count }, (_, n) => make(n));

describe('the rules of IBKR as the fake gateway counts', () => {
  it('refuse the 61st in ten minutes: small bars, past ticks and new real-time bars together', () => {
    const twenty = [
      ...many(20, (n) => [n, bars(n, 'now')] as const),
      ...many(20, (n) => [n, ticks(100 + n, 'now', 'TRADES')] as const),
      ...many(20, (n) => [n, live('bars', n, ['5', 'TRADES', '0'])] as const),
    ];
    expect(refusals([...twenty, [599, bars(50, 'now')]])).toEqual([[162, 599]]);
    expect(refusals([...twenty, [599, live('bars', 50, ['5', 'TRADES', '0'])]])).toEqual([[420, 599]]);
    expect(refusals([...twenty, [600, bars(50, 'now')]])).toEqual([]);
    expect(refusals([...twenty, [599, bars(50, 'now', '1 min')]])).toEqual([]);
  });

  it('count bid and ask double', () => {
    const thirty = many(30, (n) => [n, ticks(n, 'now', 'BID_ASK')] as const);
    expect(refusals([...thirty, [40, ticks(50, 'now', 'TRADES')]])).toEqual([[162, 40]]);
  });

  it('refuse the sixth of one contract, exchange and tick type in two seconds', () => {
    const five = many(5, (n) => [n / 4, bars(1, `${n}`)] as const);
    expect(refusals([...five, [1.9, bars(1, 'x')]])).toEqual([[162, 1.9]]);
    expect(
      refusals([...five, [1.9, bars(1, 'x', '5 secs', 'MIDPOINT')], [1.9, bars(2, 'x')], [2, bars(1, 'x')]]),
    ).toEqual([]);
  });

  it('refuse an identical request in 15 seconds, and the 51st that is open', () => {
    expect(
      refusals([
        [0, bars(1, 'x')],
        [14.9, bars(1, 'x')],
        [15, bars(1, 'x')],
      ]),
    ).toEqual([[162, 14.9]]);
    expect(
      refusals([
        [0, bars(1, 'x'), 49],
        [1, bars(1, 'y'), 50],
      ]),
    ).toEqual([[162, 1]]);
  });

  it('refuse a second tick-by-tick request for an instrument and type in 15 seconds', () => {
    const [trades, quotes] = [live('ticks', 1, ['AllLast']), live('ticks', 1, ['BidAsk'])];
    expect(
      refusals([
        [0, trades],
        [1, quotes],
        [14, trades],
        [15, trades],
      ]),
    ).toEqual([[10_189, 14]]);
  });

  it('refuse the 51st message of a connection in a second, but not of two connections', () => {
    const rules = new PacingRules();
    const [one, other] = [{}, {}];
    for (let n = 0; n < 50; n += 1) expect(rules.message(one, n)).toBe(undefined);
    expect(rules.message(other, 60)).toBe(undefined);
    expect(rules.message(one, 899)?.code).toBe(100);
    expect(rules.message(one, 1_000)).toBe(undefined);
    expect(rules.violations).toEqual(['more than 50 messages in a second at 899']);
  });
});
