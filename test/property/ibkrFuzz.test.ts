import { expect, it } from 'vitest';
import { Xoshiro128 } from '../../src/primitives/xoshiro128.js';
import { normaliser } from '../../src/providers/ibkr/normalise.js';
import type { Series } from '../../src/providers/session.js';
import { fuzzFrames } from '../../src/testing/index.js';
import { FUZZ_FRAMES, FUZZ_TIMEOUT_MS, tellFuzz } from '../support/fuzzCount.js';
import { details, IbkrScript } from '../support/ibkrScript.js';
import { readFrames, take } from '../support/readFrames.js';

const START = 1_767_623_400;
const OPTION = { conId: 7, secType: 'OPT', strike: 150, right: 'C', lastTradeDateOrContractMonth: '20260116' };
const SERIES: readonly Series[] = [
  { of: 'trade', symbol: 'AAPL' },
  { of: 'quote', symbol: 'AAPL' },
  { of: 'bar', symbol: 'AAPL', timeframe: '5s' },
  { of: 'bar', symbol: 'AAPL', timeframe: '1m' },
  { of: 'news', symbol: 'AAPL' },
  { of: 'option', symbol: 'AAPL 20260116 C 150' },
];
/** The requests of these series, after the two lookups. */
const [TRADES, QUOTES, FIVES, MINUTES, NEWS, OPTIONS] = [2, 3, 4, 5, 6, 8] as const;

function session() {
  const script = new IbkrScript();
  script
    .login()
    .subscribe(...SERIES.slice(0, 5))
    .found();
  script.subscribe(...SERIES.slice(5)).found(details({}, OPTION));
  return script.session;
}

const normalise = normaliser({ newsUrl: () => 'https://news.test/1' });

/** Events as the client gives them: the same seed gives the same ones. */
function* corpus(seed: number): Generator<string> {
  const random = Xoshiro128.fromSeed(seed);
  for (let second = START; ; second += random.below(2)) {
    const price = 190 + random.below(1_000) / 100;
    const prices = [price, price + 1, price - 1, price + 0.5];
    const events: readonly (readonly unknown[])[] = [
      [
        'tickByTickAllLast',
        TRADES,
        2,
        String(second),
        price,
        1 + random.below(500),
        { pastLimit: false, unreported: true },
        'ARCA',
        'T I',
      ],
      [
        'tickByTickBidAsk',
        QUOTES,
        String(second),
        price,
        price + 0.01,
        3,
        4,
        { bidPastLow: false, askPastHigh: false },
      ],
      ['realtimeBar', FIVES, second - (second % 5), ...prices, 1_000, price, 12],
      ['historicalDataUpdate', MINUTES, String(second - (second % 60)), ...prices, random.below(10_000), 12, price],
      ['tickNews', NEWS, second * 1_000, 'FAKE', `FAKE$${random.below(1_000)}`, '{A:1:L:en}Headline', ''],
      ['tickPrice', OPTIONS, 1, price, false],
      ['tickOptionComputation', OPTIONS, 13, 0, 0.25, 0.5, 4, 0, 0.01, 0.2, -0.1, price],
      ['currentTime', second],
      ['error', 'Market data farm connection is OK:usfarm', 2104, -1],
      ['contractDetails', 99, details()],
      ['marketDataType', OPTIONS, 1],
    ];
    yield JSON.stringify(events[random.below(events.length)]);
  }
}

it('events as the client gives them make a record per element', () => {
  const counts = readFrames(take(corpus(3), 5_000), session(), normalise);
  expect(counts).toMatchObject({ failed: 0, unreadable: 0 });
  expect(counts.records).toBe(counts.elements);
  expect(counts.records).toBeGreaterThan(2_000);
});

it('damaged events of IBKR do no harm, and each element is counted', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const report = fuzzFrames({ session, normalise, corpus: corpus(5), seed: 20_260_105, count: FUZZ_FRAMES });
  tellFuzz('ibkr', report);
  expect(report.frames).toBe(FUZZ_FRAMES);
  for (const count of [report.failed, report.unreadable, report.recorded]) {
    expect(count).toBeGreaterThan(FUZZ_FRAMES / 100);
  }
  expect(report.recorded + report.silent + report.unreadable).toBe(report.elements);
});
