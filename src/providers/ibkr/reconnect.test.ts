import { describe, expect, it } from 'vitest';
import { settled } from '../../../test/support/collect.js';
import { details, FARMS, IbkrScript, LIVE } from '../../../test/support/ibkrScript.js';
import { VirtualClock } from '../../testing/conformance/virtualClock.js';
import { scriptedConnect } from '../../testing/scriptedConnect.js';
import type { Series } from '../session.js';
import { HistoryLink } from './history/historyLink.js';
import { FREE, ibkrPacer } from './pacing.js';
import { FORGET_MS, TickMemory } from './tickMemory.js';

const TRADES: Series = { of: 'trade', symbol: 'AAPL' };
const SECOND = '1767623400';
const START = Number(SECOND) * 1_000;

/** The numbers that three trades of the same second get. */
function threeTrades(script: IbkrScript, id: number): unknown[] {
  for (let n = 0; n < 3; n += 1) script.event('tickByTickAllLast', id, 2, SECOND, 190 + n, 100, {}, 'NYSE', '');
  return script.elements.splice(0).map(([, , number]) => number);
}

describe('after a reconnect', () => {
  it('the numbers of a second go on; those of another stream begin at 0', () => {
    const memory = new TickMemory();
    const first = new IbkrScript({}, START, memory);
    expect(threeTrades(first, first.live(TRADES))).toEqual([0, 1, 2]);
    const second = new IbkrScript({}, START + 10, memory);
    expect(threeTrades(second, second.live(TRADES))).toEqual([3, 4, 5]);
    const other = new IbkrScript({}, START + 10);
    expect(threeTrades(other, other.live(TRADES))).toEqual([0, 1, 2]);
  });

  it('the numbers of what is no longer wanted are forgotten', () => {
    const memory = new TickMemory();
    const first = new IbkrScript({}, START, memory);
    first.live(TRADES);
    first.step(first.session.unsubscribe([TRADES], START));
    expect(memory.size).toBe(0);
    first.subscribe(TRADES);
    const second = new IbkrScript({}, START, memory).login().subscribe({ of: 'quote', symbol: 'AAPL' });
    second.found().pass(FORGET_MS - 10_000);
    expect(memory.size).toBe(2);
    second.pass(20_000);
    expect(memory.size).toBe(1);
  });

  it('the numbers of a series that is refused are kept for a while, and then forgotten', () => {
    const memory = new TickMemory();
    const script = new IbkrScript({}, START, memory).login().subscribe({ of: 'quote', symbol: 'AAPL' }).found();
    const numbers = memory.claim('refused', script.session, START);
    memory.release('refused');
    memory.tidy(script.session, START + FORGET_MS);
    expect(memory.claim('refused', script.session, START + FORGET_MS)).toBe(numbers);
    memory.release('refused');
    script.pass(FORGET_MS - 10_000);
    expect(memory.size).toBe(2);
    script.pass(FORGET_MS + 20_000);
    expect(memory.size).toBe(1);
  });

  it('a session that refuses a series gives its numbers back', () => {
    const memory = new TickMemory();
    const script = new IbkrScript({}, START, memory);
    const id = script.live(TRADES);
    script.event('error', 'No market data permissions', 354, id);
    expect(script.refused.length).toBe(1);
    script.pass(FORGET_MS + 60_000);
    expect(memory.size).toBe(0);
  });

  it('tick-by-tick data wait for what is left of the 15 s', () => {
    const requests = ibkrPacer();
    new IbkrScript({ requests }, START).live(TRADES);
    const second = new IbkrScript({ requests }, START + 4_000);
    second.login().subscribe(TRADES).found().pass(10_999);
    expect(second.methods()).not.toContain('reqTickByTickData');
    second.pass(1);
    expect(second.methods()).toContain('reqTickByTickData');
  });
});

describe('the vendor’s word that there were too many requests', () => {
  const BARS = { of: 'bar', symbol: 'AAPL', timeframe: '5s' } as const;
  const VIOLATION = 'Invalid Real-time Query:Historical data request pacing violation';

  it('makes all connections that share the limits wait, and no others', () => {
    const requests = ibkrPacer();
    const first = new IbkrScript({ requests }, START);
    first.event('error', VIOLATION, 420, first.live(BARS));
    const begin = (config: object) => new IbkrScript(config, first.now).login().subscribe(BARS).found(details());
    const [second, other] = [begin({ requests }), begin({})];
    expect(other.methods()).toContain('reqRealTimeBars');
    second.pass(14_999);
    expect(second.methods()).not.toContain('reqRealTimeBars');
    second.pass(1);
    expect(second.methods()).toContain('reqRealTimeBars');
  });

  it('is not what a missing permission is', () => {
    const requests = ibkrPacer();
    const script = new IbkrScript({ requests }, START);
    script.event('error', 'Invalid Real-time Query:No market data permissions for NASDAQ', 420, script.live(BARS));
    expect(requests.counts.cooldowns).toBe(0);
  });
});

describe('live data and history', () => {
  it('share the 60 requests in ten minutes', async () => {
    const clock = new VirtualClock();
    const requests = ibkrPacer({ scheduler: clock });
    for (let n = 0; n < 60; n += 1) requests.ask({ ...FREE, budget: 1 }, { pass: () => {} });
    const vendor = scriptedConnect();
    const link = new HistoryLink({
      dialogue: { ...LIVE, requests },
      connect: vendor.connect,
      scheduler: clock,
      connectTimeoutMs: 10_000,
      timeoutMs: 60_000,
      onNotice: undefined,
    });
    vendor.last.open();
    const say = (...event: readonly unknown[]) => vendor.last.receive(JSON.stringify(event));
    say('nextValidId', 1);
    for (const farm of FARMS) say(...farm);
    const begin = clock.now();
    const job = {
      about: 'a job',
      cost: { ...FREE, budget: 1 as const },
      request: (id: number) => ({ frame: JSON.stringify(['reqHistoricalTicks', id]) }),
      take: () => true,
      result: () => 'done',
    };
    link.run(job, new AbortController().signal).catch(() => {});
    await settled();
    const isAsked = () => vendor.last.sent.some((frame) => String(frame).includes('reqHistoricalTicks'));
    while (!isAsked() && clock.nextAt !== undefined) {
      clock.moveTo(clock.nextAt);
      say('currentTime', 1);
      await settled(2);
    }
    expect(clock.now() - begin).toBe(600_000);
    // And what history took is gone for live data.
    const script = new IbkrScript({ requests }, clock.now());
    for (let n = 0; n < 59; n += 1) requests.ask({ ...FREE, budget: 1 }, { pass: () => {} });
    script.login().subscribe({ of: 'bar', symbol: 'AAPL', timeframe: '5s' }).found(details()).pass(599_999);
    expect(script.methods()).not.toContain('reqRealTimeBars');
    script.pass(1);
    expect(script.methods()).toContain('reqRealTimeBars');
    link.close();
  });
});
