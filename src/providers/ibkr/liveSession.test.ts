import { describe, expect, it } from 'vitest';
import { details, FARMS, IbkrScript } from '../../../test/support/ibkrScript.js';
import type { Series } from '../session.js';

const TRADES: Series = { of: 'trade', symbol: 'AAPL' };
const BARS: Series = { of: 'bar', symbol: 'AAPL', timeframe: '5s' };

describe('the login', () => {
  it('sends nothing before the next order id, and waits for the farms', () => {
    const script = new IbkrScript();
    script.event(...FARMS[0]).pass(1_000);
    expect(script.sent).toEqual([]);
    script.event('nextValidId', 1);
    expect(script.isReady).toBe(false);
    script.event(...FARMS[1]);
    expect(script.isReady).toBe(false);
    script.event(...FARMS[2]);
    expect(script.isReady).toBe(true);
    expect(script.notices).toEqual([]);
  });

  it('counts farms that connect on demand', () => {
    const script = new IbkrScript();
    script.event('nextValidId', 1).event(...FARMS[2]);
    script.event('error', 'HMDS data farm connection is inactive but should be available upon demand.ushmds', 2107, -1);
    script.event(
      'error',
      'Market data farm connection is inactive but should be available upon demand.usopt',
      2108,
      -1,
    );
    expect(script.isReady).toBe(true);
  });

  it('goes on without the farms after a while, and says which are missing', () => {
    const script = new IbkrScript();
    script
      .event('nextValidId', 1)
      .event(...FARMS[0])
      .pass(2_999);
    expect(script.isReady).toBe(false);
    script.pass(1);
    expect(script.isReady).toBe(true);
    expect(script.notices).toEqual(['not heard of after 3000 ms: farms of history, definitions']);
  });

  it('fails when the next order id never comes, and says what to look at', () => {
    const script = new IbkrScript().pass(6_000);
    expect(script.failure).toMatchObject({ code: 'SLUICE_CONNECTION_LOST', retryable: true });
    expect(script.failure?.message).toMatch(/no next order id; in TWS or IB Gateway see Configure, API, Settings/);
    expect(script.sent).toEqual([]);
  });

  it('asks for the kind of market data that is wanted, first of all', () => {
    const script = new IbkrScript({ marketDataType: 3 }).login();
    expect(script.sent).toEqual([['reqMarketDataType', 3]]);
  });
});

describe('signs of life', () => {
  it('are asked for every ten seconds, and keep the connection', () => {
    const script = new IbkrScript().login().pass(60_000);
    expect(script.sent.filter(([method]) => method === 'reqCurrentTime')).toHaveLength(6);
    expect(script.failure).toBeUndefined();
  });

  it('end the connection when they are missing for 25 seconds', () => {
    const script = new IbkrScript().login().pass(24_999, false);
    expect(script.failure).toBeUndefined();
    script.pass(1, false);
    expect(script.failure).toMatchObject({ code: 'SLUICE_PROVIDER_SILENT', retryable: true });
  });
});

describe('a subscription', () => {
  it('is asked for once its contract is found, and confirmed when it is not refused', () => {
    const script = new IbkrScript().login().subscribe(TRADES);
    expect(script.sent).toEqual([
      ['reqContractDetails', 1, { symbol: 'AAPL', secType: 'STK', exchange: 'SMART', currency: 'USD' }],
    ]);
    script.found();
    const contract = { conId: 265_598, symbol: 'AAPL', secType: 'STK', exchange: 'SMART', currency: 'USD' };
    expect(script.last).toEqual(['reqTickByTickData', 2, contract, 'AllLast', 0, false]);
    expect(script.pass(1_999).confirmed).toEqual([]);
    expect(script.pass(1).confirmed).toEqual([TRADES]);
  });

  it('is confirmed by its first data', () => {
    const script = new IbkrScript();
    const id = script.live(TRADES);
    script.event('tickByTickAllLast', id, 2, '1767623400', 190.5, 100, {}, 'NASDAQ', '');
    expect(script.confirmed).toEqual([TRADES]);
  });

  it.each([
    [{ of: 'quote', symbol: 'AAPL' }, ['reqTickByTickData', 'BidAsk', 0, false]],
    [BARS, ['reqRealTimeBars', 5, 'TRADES', false]],
    [{ of: 'bar', symbol: 'AAPL', timeframe: '1m' }, ['reqHistoricalData', '', '120 S', '1 min', 'TRADES', 0, 2, true]],
    [{ of: 'news', symbol: 'AAPL' }, ['reqMktData', 'mdoff,292', false, false]],
    [{ of: 'fundamental', symbol: 'AAPL' }, ['reqFundamentalData', 'ReportsFinSummary']],
  ] as const)('of %j calls %j', (series, [method, ...args]) => {
    const script = new IbkrScript();
    script.live(series);
    const [called, , , ...rest] = script.last;
    expect([called, ...rest]).toEqual([method, ...args]);
  });

  it('looks a contract up once for several series', () => {
    const script = new IbkrScript().login().subscribe(TRADES, { of: 'quote', symbol: 'AAPL' }).found();
    script.subscribe(BARS);
    expect(script.methods()).toEqual([
      'reqContractDetails',
      'reqTickByTickData',
      'reqTickByTickData',
      'reqRealTimeBars',
    ]);
  });

  it('is refused with the candidates where a symbol is several contracts', () => {
    const script = new IbkrScript().login().subscribe(TRADES);
    script.found(details({}, { primaryExch: 'NASDAQ' }), details({}, { conId: 5, primaryExch: 'LSE' }));
    expect(script.refused).toHaveLength(1);
    expect(script.refused[0]).toMatchObject({ series: TRADES, error: { code: 'SLUICE_UNKNOWN_INSTRUMENT' } });
    expect(script.refused[0]?.error.message).toBe(
      'ibkr: AAPL is 2 contracts: AAPL STK SMART/NASDAQ USD (#265598), AAPL STK SMART/LSE USD (#5); ' +
        'name one by its id, such as #265598',
    );
    // The answer is remembered.
    script.subscribe({ of: 'quote', symbol: 'AAPL' });
    expect(script.methods()).toEqual(['reqContractDetails']);
    expect(script.refused).toHaveLength(2);
  });

  it('takes a contract that comes once for each of its exchanges for one', () => {
    const script = new IbkrScript().login().subscribe(TRADES);
    script.found(details(), details({}, { exchange: 'ISLAND' }));
    expect(script.refused).toEqual([]);
    expect(script.last[0]).toBe('reqTickByTickData');
  });

  it('asks a second time for a contract that is not answered, and then gives it up', () => {
    const script = new IbkrScript().login().subscribe(TRADES).pass(6_000);
    expect(script.methods()).toEqual(['reqContractDetails', 'reqContractDetails']);
    script.pass(6_000);
    expect(script.refused).toMatchObject([{ series: TRADES, error: { retryable: true } }]);
    // An answer that comes too late changes nothing.
    script.found();
    expect(script.methods()).toHaveLength(2);
  });

  it('of a symbol that cannot be one is refused in words', () => {
    const script = new IbkrScript().login().subscribe({ of: 'trade', symbol: 'ESZ6 FUT' });
    expect(script.sent).toEqual([]);
    expect(script.refused[0]?.error.message).toMatch(/^ibkr: "ESZ6 FUT" is no symbol; expected one such as AAPL, /);
  });

  it('of an option needs a contract that is one', () => {
    const script = new IbkrScript().login().subscribe({ of: 'option', symbol: 'AAPL' }).found();
    expect(script.refused[0]?.error.message).toBe(
      'ibkr: AAPL is no option (STK): options are named as AAPL 20260116 C 150',
    );
  });

  it('is cancelled when it is no longer wanted; data that still come are ignored', () => {
    const script = new IbkrScript();
    const id = script.live(TRADES);
    script.step(script.session.unsubscribe([TRADES], script.now));
    expect(script.last).toEqual(['cancelTickByTickData', id]);
    script.event('tickByTickAllLast', id, 2, '1767623400', 190.5, 100, {}, 'NASDAQ', '');
    expect(script.elements).toEqual([]);
    script.event('tickByTickAllLast', 77, 2, '1767623400', 190.5, 100, {}, 'NASDAQ', '');
    expect(script.elements).toEqual([
      ['unreadable', 'tickByTickAllLast', 77, 2, '1767623400', 190.5, 100, {}, 'NASDAQ', ''],
    ]);
  });

  it('is taken back while it waits to be sent', () => {
    const script = new IbkrScript().login().subscribe(TRADES);
    script.step(script.session.unsubscribe([TRADES], script.now)).found();
    expect(script.methods()).toEqual(['reqContractDetails']);
  });
});

describe('the limits', () => {
  it('let 50 messages pass a second, and say that the others are under way', () => {
    const script = new IbkrScript().login();
    const series = Array.from({ length: 120 }, (_, index): Series => ({ of: 'trade', symbol: `S${index}` }));
    script.subscribe(...series);
    // The login, which the client sends by itself, is the first of 50.
    expect(script.sent).toHaveLength(49);
    script.pass(999);
    expect(script.sent).toHaveLength(49);
    script.pass(1);
    expect(script.sent).toHaveLength(99);
    expect(script.underWay).toBeGreaterThan(0);
    script.pass(1_000);
    expect(script.sent).toHaveLength(120);
  });

  it('let 60 real-time bars begin in ten minutes, and hold up nothing else', () => {
    const script = new IbkrScript({ contracts: {} }).login();
    const series = Array.from(
      { length: 61 },
      (_, index): Series => ({ of: 'bar', symbol: `#${index + 1}`, timeframe: '5s' }),
    );
    for (const one of series) {
      script
        .subscribe(one)
        .found(details({}, { conId: Number(one.symbol.slice(1)) }))
        .pass(100);
    }
    const bars = () => script.methods().filter((method) => method === 'reqRealTimeBars').length;
    expect(bars()).toBe(60);
    script.subscribe(TRADES).found();
    expect(script.last[0]).toBe('reqTickByTickData');
    script.pass(580_000);
    expect(bars()).toBe(60);
    script.pass(20_000);
    expect(bars()).toBe(61);
    expect(script.refused).toEqual([]);
  });

  it('keep 15 seconds between two requests for ticks of one instrument and type', () => {
    const script = new IbkrScript();
    script.live(TRADES);
    script
      .step(script.session.unsubscribe([TRADES], script.now))
      .subscribe(TRADES)
      .pass(14_999);
    expect(script.methods().filter((method) => method === 'reqTickByTickData')).toHaveLength(1);
    script.pass(1);
    expect(script.methods().filter((method) => method === 'reqTickByTickData')).toHaveLength(2);
  });

  it('pause everything after error 100', () => {
    const script = new IbkrScript()
      .login()
      .event('error', 'Max rate of messages per second has been exceeded', 100, -1);
    script.subscribe(TRADES).pass(1_999);
    expect(script.sent).toEqual([]);
    script.pass(1);
    expect(script.methods()).toEqual(['reqContractDetails']);
  });
});

it('takes a frame that is no event for the end of the connection', () => {
  for (const frame of ['', '{}', '[]', '[1]', 'nonsense', Uint8Array.of(1)]) {
    expect(new IbkrScript().login().frame(frame).failure, String(frame)).toMatchObject({
      code: 'SLUICE_CONNECTION_LOST',
    });
  }
});
