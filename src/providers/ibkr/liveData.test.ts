import { describe, expect, it } from 'vitest';
import { details, FARMS, IbkrScript } from '../../../test/support/ibkrScript.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { type Series, Unreadable } from '../session.js';
import { normaliser } from './normalise.js';

const normalise = normaliser({ newsUrl: (provider, article) => `https://news.test/${provider}/${article}` });
const START = 1_767_623_400;
const TRADES: Series = { of: 'trade', symbol: 'AAPL' };
const MINUTES: Series = { of: 'bar', symbol: 'AAPL', timeframe: '1m' };
const FIVES: Series = { of: 'bar', symbol: 'AAPL', timeframe: '5s' };
const OPTION: Series = { of: 'option', symbol: 'AAPL 20260116 C 150' };

const OPTION_DETAILS = details(
  {},
  { conId: 7, secType: 'OPT', strike: 150, right: 'C', lastTradeDateOrContractMonth: '20260116' },
);

/** The records of the elements since the last call. */
function take(script: IbkrScript): MarketEvent[] {
  const made = script.elements.map((element) => normalise(element, script.now));
  script.elements = [];
  expect(made.filter((one) => one instanceof Unreadable)).toEqual([]);
  return (made as MarketEvent[]).flat();
}

/** `AAPL 1m 60 190.5 1000 final` */
const brief = (records: readonly MarketEvent[]) =>
  records.map((record) => {
    if (record.kind !== 'bar') return record.kind;
    return `${record.ts / 1_000 - START} ${record.close} ${record.volume} ${record.isFinal ? 'final' : 'forming'}`;
  });

describe('ticks', () => {
  const trade = (script: IbkrScript, id: number, second: number, price: number) =>
    script.event('tickByTickAllLast', id, 2, String(START + second), price, 100, {}, 'NASDAQ', 'T I');

  it('have a number within their second, also when an earlier second comes again', () => {
    const script = new IbkrScript();
    const id = script.live(TRADES);
    for (const second of [0, 0, 0, 1, 1, 0, 2]) trade(script, id, second, 190);
    expect(take(script).map((record) => record.kind === 'trade' && [record.ts / 1_000 - START, record.id])).toEqual([
      [0, '0'],
      [0, '1'],
      [0, '2'],
      [1, '0'],
      [1, '1'],
      [0, '3'],
      [2, '0'],
    ]);
  });

  it('go on to be counted when the subscription is made again within a second', () => {
    const script = new IbkrScript();
    trade(script, script.live(TRADES), 0, 190);
    script.pass(15_000).event('error', 'restored, data lost', 1101, -1);
    trade(script, script.last[1] as number, 0, 191);
    expect(take(script).map((record) => 'id' in record && record.id)).toEqual(['0', '1']);
  });

  it('are trades with venue and conditions', () => {
    const script = new IbkrScript();
    const id = script.live(TRADES);
    script.event(
      'tickByTickAllLast',
      id,
      2,
      String(START),
      190.5,
      0.5,
      { pastLimit: true, unreported: true },
      'ARCA',
      'T  I',
    );
    expect(take(script)).toEqual([
      {
        kind: 'trade',
        vendor: 'ibkr',
        symbol: 'AAPL',
        ts: START * 1_000,
        price: 190.5,
        size: 0.5,
        id: '0',
        venue: 'ARCA',
        conditions: ['T', 'I', 'pastLimit', 'unreported'],
      },
    ]);
  });

  it.each([
    [
      [190, 190.5, 3, 2],
      [190, 3, 190.5, 2],
    ],
    [
      [0, 190.5, 0, 2],
      [null, null, 190.5, 2],
    ],
    [
      [-1, 190.5, -1, 2],
      [null, null, 190.5, 2],
    ],
    [
      [-1, 0, 5, 4],
      [-1, 5, 0, 4],
    ],
    [
      [190, null, 3, null],
      [190, 3, null, null],
    ],
    [
      [190, 1.7e308, 3, 9.3e18],
      [190, 3, null, null],
    ],
  ])('of bid and ask %j are the quote %j', (sent, [bid, bidSize, ask, askSize]) => {
    const script = new IbkrScript();
    const id = script.live({ of: 'quote', symbol: 'AAPL' });
    script.event('tickByTickBidAsk', id, String(START), ...sent, {});
    expect(take(script)).toMatchObject([{ kind: 'quote', bid, bidSize, ask, askSize, id: '0' }]);
  });
});

describe('bars that are kept up to date', () => {
  const update = (script: IbkrScript, id: number, minute: number, close: number, volume: number) =>
    script.event('historicalDataUpdate', id, String(START + minute * 60), 190, 195, 185, close, volume, 3, 190);

  it('are forming until the next one begins, and then final', () => {
    const script = new IbkrScript();
    const id = script.live(MINUTES);
    update(script, id, 0, 190, 100);
    update(script, id, 0, 191, 250);
    update(script, id, 1, 192, 10);
    expect(brief(take(script))).toEqual([
      '0 190 100 forming',
      '0 191 250 forming',
      '0 191 250 final',
      '60 192 10 forming',
    ]);
  });

  it('are final once TWS was heard ten seconds after their end where no next one begins, and revised by what comes after', () => {
    const script = new IbkrScript();
    const id = script.live(MINUTES);
    update(script, id, 0, 190, 100);
    take(script);
    script.pass(70_000);
    expect(brief(take(script))).toEqual([]);
    // TWS is asked for its time every ten seconds, and bars are looked at every five.
    script.pass(15_000);
    expect(brief(take(script))).toEqual(['0 190 100 final']);
    update(script, id, 0, 191, 300);
    update(script, id, 1, 192, 10);
    update(script, id, 0, 191, 301);
    expect(brief(take(script))).toEqual(['0 191 300 final', '60 192 10 forming', '0 191 301 final']);
  });

  it('stay forming where nothing was heard ten seconds after their end, as on a half-open connection', () => {
    const script = new IbkrScript();
    const id = script.live(MINUTES);
    script.pass(50_000);
    update(script, id, 0, 190, 100);
    take(script);
    script.step(script.session.timer(script.now + 21_000));
    expect(brief(take(script))).toEqual([]);
  });

  it('stay forming while TWS is without the servers of IBKR, although it answers itself', () => {
    const script = new IbkrScript();
    const id = script.live(MINUTES);
    update(script, id, 0, 190, 100);
    script.event('error', 'Connectivity between IB and Trader Workstation has been lost.', 1100, -1);
    take(script);
    script.pass(100_000);
    expect(brief(take(script))).toEqual([]);
    script.event('error', 'Connectivity has been restored - data maintained.', 1102, -1);
    script.pass(10_000);
    expect(brief(take(script))).toEqual(['0 190 100 final']);
  });

  it('begin with the history before them', () => {
    const script = new IbkrScript();
    const id = script.live(MINUTES);
    const past = (minute: number, volume: number) =>
      script.event('historicalData', id, String(START + minute * 60), 190, 195, 185, 190, volume, 3, 190);
    past(-2, 50);
    past(-1, 60);
    past(0, 5);
    script.event('historicalData', id, 'finished-20260105-20260105', -1, -1, -1, -1, -1, -1, -1, false);
    update(script, id, 0, 191, 7);
    expect(brief(take(script))).toEqual([
      '-120 190 50 final',
      '-60 190 60 final',
      '0 190 5 forming',
      '0 191 7 forming',
    ]);
  });

  it('of a day come with a date, and a bar without a time that can be read is counted', () => {
    const script = new IbkrScript();
    const id = script.live({ of: 'bar', symbol: 'AAPL', timeframe: '1d' });
    script.event('historicalDataUpdate', id, '20260105', 190, 195, 185, 190, 5, 3, 190);
    expect(take(script)).toMatchObject([{ ts: Date.parse('2026-01-05T00:00:00Z'), timeframe: '1d' }]);
    script.event('historicalDataUpdate', id, 'yesterday', 190, 195, 185, 190, 5, 3, 190);
    expect(normalise(script.elements[0], 0)).toEqual(
      new Unreadable('a bar without a time that can be read: "yesterday"'),
    );
  });

  it('of the midpoint have no volume', () => {
    const script = new IbkrScript();
    const id = script.live(FIVES);
    script.event('realtimeBar', id, START, 1.1, 1.2, 1, 1.1, -1, -1, -1);
    expect(take(script)).toMatchObject([{ volume: 0, trades: null, vwap: null, isFinal: true }]);
  });
});

describe('options', () => {
  it('are gathered from ticks into one record a second at most, at the time of the last change', () => {
    const script = new IbkrScript();
    const id = script.live(OPTION, OPTION_DETAILS);
    script.event('tickPrice', id, 1, 4.5, false);
    expect(take(script)).toMatchObject([
      { symbol: 'AAPL', expiry: '2026-01-16', optionType: 'C', strike: 150, bid: 4.5 },
    ]);
    expect(script.heard).toEqual([OPTION]);
    const began = script.now;
    script.pass(300).event('tickPrice', id, 2, 4.7, false);
    script.event('tickOptionComputation', id, 13, 0, 0.25, 0.6, 4.6, 0, 0.01, 0.2, -2, 190.5);
    script.event('tickSize', id, 27, 1_234).event('tickSize', id, 28, 0);
    expect(take(script)).toEqual([]);
    script.pass(700);
    expect(take(script)).toEqual([
      {
        kind: 'option',
        vendor: 'ibkr',
        symbol: 'AAPL',
        expiry: '2026-01-16',
        optionType: 'C',
        strike: 150,
        ts: began + 300,
        bid: 4.5,
        ask: 4.7,
        last: null,
        iv: 0.25,
        delta: 0.6,
        gamma: 0.01,
        vega: 0.2,
        theta: null,
        openInterest: 1_234,
        volume: null,
        underlyingPrice: 190.5,
      },
    ]);
    expect(take(script.pass(10_000))).toEqual([]);
  });

  it('have null for what is not computed: nothing, -1, -2 and DBL_MAX', () => {
    const script = new IbkrScript();
    const id = script.live(OPTION, OPTION_DETAILS);
    script.event('tickOptionComputation', id, 13, 0, -1, -2, null, null, -2, 1.7976931348623157e308, null, -1);
    script.pass(1_000);
    expect(take(script).at(-1)).toMatchObject({
      iv: null,
      delta: null,
      gamma: null,
      vega: null,
      theta: null,
      underlyingPrice: null,
    });
  });

  it('are asked for as snapshots, again and again, where that is wanted', () => {
    const script = new IbkrScript({ optionSnapshotEveryMs: 60_000 });
    const id = script.live(OPTION, OPTION_DETAILS);
    expect(script.last.slice(3)).toEqual(['', true, false]);
    script.event('tickPrice', id, 1, 4.5, false);
    expect(take(script)).toEqual([]);
    script.event('tickSnapshotEnd', id);
    expect(take(script)).toMatchObject([{ bid: 4.5 }]);
    script.pass(59_999);
    expect(script.last[0]).not.toBe('reqMktData');
    script.pass(1);
    expect(script.methods().filter((method) => method === 'reqMktData')).toHaveLength(2);
    // One that is never answered is made again.
    script.pass(60_000);
    expect(script.methods().filter((method) => method === 'reqMktData').length).toBeGreaterThan(2);
  });
});

it('says when market data are not live, once', () => {
  const script = new IbkrScript();
  const id = script.live(OPTION, OPTION_DETAILS);
  for (const type of [1, 3, 3, 1]) script.event('marketDataType', id, type);
  expect(script.notices).toEqual([
    'AAPL 20260116 C 150: market data are delayed by 15 to 20 minutes',
    'AAPL 20260116 C 150: market data are live',
  ]);
});

it('makes news of headlines, without the notes for machines', () => {
  const script = new IbkrScript();
  const id = script.live({ of: 'news', symbol: 'AAPL' });
  script.event('tickNews', id, 1_767_623_400_123, 'BRFG', 'BRFG$1', '{A:800015:L:en:K:0.9}Apple reports', '');
  expect(take(script)).toEqual([
    {
      kind: 'news',
      vendor: 'ibkr',
      id: 'BRFG$1',
      publishedAt: 1_767_623_400_123,
      title: 'Apple reports',
      url: 'https://news.test/BRFG/BRFG$1',
      symbols: ['AAPL'],
    },
  ]);
});

describe('the nightly reset', () => {
  const bar = (script: IbkrScript, id: number, second: number) =>
    script.event('realtimeBar', id, START + second, 190, 191, 189, 190, 10, 190, 1);
  const hole = (from: number, to: number) => ({
    series: FIVES,
    from: (START + from) * 1_000,
    to: (START + to) * 1_000,
    cause: 'stale',
  });

  it('with data kept asks nothing again, and tells the hole', () => {
    const script = new IbkrScript();
    const id = script.live(FIVES);
    bar(script, id, 0).event('error', 'lost', 1100, -1);
    const { length } = script.methods();
    script.pass(600_000).event('error', 'restored', 1102, -1);
    expect(script.methods()).toHaveLength(length);
    bar(script, id, 600);
    bar(script, id, 605);
    expect(script.holes).toMatchObject([hole(0, 600)]);
    expect(script.holes[0]?.reason).toMatch(/subscriptions were kept/);
  });

  it('with data lost asks for everything again at once, lookups too, under new ids, and tells the hole', () => {
    const script = new IbkrScript();
    const id = script.live(FIVES);
    bar(script, id, 0).subscribe({ of: 'bar', symbol: 'MSFT', timeframe: '5s' });
    const asked = script.last[1];
    script.event('error', 'lost', 1100, -1).pass(5_000).event('error', 'restored', 1101, -1);
    expect(script.sent.slice(-2).map(([method]) => method)).toEqual(['reqContractDetails', 'reqRealTimeBars']);
    expect(script.sent.slice(-2).map(([, made]) => made)).not.toContain(asked);
    bar(script, id, 300);
    expect(script.elements).toHaveLength(1);
    bar(script, script.last[1] as number, 600);
    expect(script.holes).toMatchObject([hole(0, 600)]);
    expect(script.methods()).not.toContain('cancelRealTimeBars');
  });

  it('of a farm alone tells the hole when it is back', () => {
    const script = new IbkrScript();
    const id = script.live(FIVES);
    bar(script, id, 0).event('error', 'Market data farm connection is broken:usfarm', 2103, -1).pass(30_000);
    script.event(...FARMS[0]);
    bar(script, id, 30);
    expect(script.holes).toMatchObject([hole(0, 30)]);
    expect(script.notices).toEqual(['Market data farm connection is broken:usfarm', FARMS[0][1]]);
  });

  it('asks for real-time bars again after a bust, and after a pacing violation once its time is over', () => {
    const script = new IbkrScript();
    const id = script.live(FIVES);
    bar(script, id, 0).event('error', 'Bust event occurred', 10225, id);
    expect(script.methods().filter((method) => method === 'reqRealTimeBars')).toHaveLength(2);
    const second = script.last[1] as number;
    bar(script, second, 20).event('error', 'Invalid Real-time Query: pacing violation', 420, second).pass(14_999);
    expect(script.methods().filter((method) => method === 'reqRealTimeBars')).toHaveLength(2);
    script.pass(1);
    expect(script.methods().filter((method) => method === 'reqRealTimeBars')).toHaveLength(3);
    bar(script, script.last[1] as number, 40);
    expect(script.holes).toMatchObject([hole(0, 20), hole(20, 40)]);
  });

  it('waits longer each time that it is refused again, up to ten minutes', () => {
    const script = new IbkrScript();
    script.live(FIVES);
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      const before = script.methods().length;
      const since = script.now;
      script.event(
        'error',
        'pacing violation',
        420,
        script.sent.findLast(([method]) => method === 'reqRealTimeBars')![1],
      );
      while (script.methods().length === before) script.pass(1_000);
      waits.push(Math.round((script.now - since) / 1_000));
    }
    expect(waits).toEqual([15, 30, 60, 120, 240, 480, 600, 600]);
  });

  it('asks for bars again that stop without a word while the instrument trades, and not while it does not', () => {
    const hours = details({ tradingHours: '20260105:0930-20260105:1600' });
    const script = new IbkrScript();
    bar(script, script.live(FIVES, hours), 0).pass(70_000);
    expect(script.methods().slice(-2)).toEqual(['cancelRealTimeBars', 'reqRealTimeBars']);
    const closed = new IbkrScript({}, Date.parse('2026-01-05T21:00:00Z'));
    bar(closed, closed.live(FIVES, hours), 0).pass(600_000);
    expect(closed.methods().filter((method) => method === 'reqRealTimeBars')).toHaveLength(1);
  });
});
