import { describe, expect, it } from 'vitest';
import { settled } from '../../../test/support/collect.js';
import { details, FARMS, LIVE } from '../../../test/support/ibkrScript.js';
import { ProfilePacer } from '../../policies/pacingProfile.js';
import { VirtualClock } from '../../testing/conformance/virtualClock.js';
import { scriptedConnect } from '../../testing/scriptedConnect.js';
import type { HistoryRange } from '../provider.js';
import { HistoryLink } from './history/historyLink.js';
import { FREE, IBKR_PACING, type IbkrRequestCost, MESSAGE_PACING, REQUEST_PACING } from './pacing.js';

/** When each of these passes, in milliseconds, one after the other. */
function passages<T>(pacer: ProfilePacer<T>, items: readonly T[]): number[] {
  let now = 0;
  return items.map((item) => {
    const cost = pacer.price(item);
    for (let waitMs = pacer.take(now, cost); waitMs > 0; waitMs = pacer.take(now, cost)) now += waitMs;
    return now;
  });
}

describe('the limits of IBKR as data', () => {
  const cost = (over: Partial<IbkrRequestCost>): IbkrRequestCost => ({ ...FREE, ...over });

  it('let 50 messages pass a second', () => {
    const at = passages(new ProfilePacer(MESSAGE_PACING), Array.from({ length: 101 }));
    expect([at[49], at[50], at[99], at[100]]).toEqual([0, 1_000, 1_000, 2_000]);
  });

  it('let 60 counted requests pass in ten minutes, and 30 of bid and ask', () => {
    const bars = passages(
      new ProfilePacer(REQUEST_PACING),
      Array.from({ length: 61 }, () => cost({ budget: 1 })),
    );
    expect([bars[59], bars[60]]).toEqual([0, 600_000]);
    const quotes = passages(
      new ProfilePacer(REQUEST_PACING),
      Array.from({ length: 31 }, () => cost({ budget: 2 })),
    );
    expect([quotes[29], quotes[30]]).toEqual([0, 600_000]);
  });

  it('let five requests of a series pass in two seconds, and the same one once in fifteen', () => {
    const series = Array.from({ length: 6 }, (_, index) => cost({ series: 'a', identity: `a ${index}` }));
    expect(passages(new ProfilePacer(REQUEST_PACING), series)).toEqual([0, 0, 0, 0, 0, 2_000]);
    const same = [1, 2].map(() => cost({ series: 'a', identity: 'a 1' }));
    expect(passages(new ProfilePacer(REQUEST_PACING), same)).toEqual([0, 15_000]);
    const ticks = ['1 trades', '1 quotes', '2 trades', '1 trades'].map((key) => cost({ ticks: key }));
    expect(passages(new ProfilePacer(REQUEST_PACING), ticks)).toEqual([0, 0, 0, 15_000]);
  });

  it('hold for ranges of history', () => {
    const range = (over: Partial<HistoryRange>): HistoryRange => ({
      of: 'bar',
      symbol: 'AAPL',
      from: 0,
      to: 1,
      ...over,
    });
    const pacer = () => new ProfilePacer(IBKR_PACING.requests!);
    expect(passages(pacer(), [range({}), range({})])).toEqual([0, 15_000]);
    const minutes = Array.from({ length: 100 }, (_, index) => range({ symbol: `S${index}` }));
    expect(passages(pacer(), minutes).at(-1)).toBe(0);
    const seconds = minutes.map((one) => ({ ...one, timeframe: '5s' }));
    expect(passages(pacer(), seconds).at(-1)).toBe(600_000);
  });
});

describe('a pacing violation of history', () => {
  const JOB = {
    about: 'a job',
    cost: FREE,
    request: (id: number) => ({ frame: JSON.stringify(['reqHistoricalData', id]) }),
    take: ([, , time]: readonly unknown[]) => String(time).startsWith('finished'),
    result: () => 'done',
  };

  it('holds up all requests for 15 s, then 30 s, and so on; the answer comes in the end', async () => {
    const clock = new VirtualClock();
    const vendor = scriptedConnect();
    const notices: string[] = [];
    const link = new HistoryLink({
      dialogue: LIVE,
      connect: vendor.connect,
      scheduler: clock,
      connectTimeoutMs: 10_000,
      timeoutMs: 60_000,
      onNotice: (notice) => notices.push(notice),
    });
    const say = (...event: readonly unknown[]) => vendor.last.receive(JSON.stringify(event));
    vendor.last.open();
    say('nextValidId', 1);
    for (const farm of FARMS) say(...farm);
    const { signal } = new AbortController();
    const contract = link.contract('AAPL', signal);
    await settled();
    say('contractDetails', 1, details());
    say('contractDetailsEnd', 1);
    expect((await contract).conId).toBe(265_598);

    const answer = link.run(JOB, signal);
    await settled();
    const asked = () => vendor.last.sent.filter((frame) => String(frame).includes('reqHistoricalData'));
    const waits: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const since = clock.now();
      const { length } = asked();
      const [, id] = JSON.parse(String(asked().at(-1))) as [string, number];
      say('error', 'Historical data request pacing violation', 162, id);
      while (asked().length === length && clock.nextAt !== undefined) {
        clock.moveTo(clock.nextAt);
        const isAsked = String(vendor.last.sent.at(-1)).includes('reqCurrentTime');
        if (isAsked) say('currentTime', 1);
        await settled(2);
      }
      waits.push(clock.now() - since);
    }
    expect(waits).toEqual([15_000, 30_000, 60_000]);
    expect(notices).toHaveLength(3);
    const [, id] = JSON.parse(String(asked().at(-1))) as [string, number];
    say('historicalData', id, 'finished-', -1, -1, -1, -1, -1, -1, -1, false);
    expect(await answer).toBe('done');
    link.close();
    expect(clock.timers).toBe(0);
  });

  it('is given up after a while, and an answer that never comes after its time', async () => {
    const clock = new VirtualClock();
    const vendor = scriptedConnect();
    const link = new HistoryLink({
      dialogue: LIVE,
      connect: vendor.connect,
      scheduler: clock,
      connectTimeoutMs: 10_000,
      timeoutMs: 20_000,
      onNotice: undefined,
    });
    vendor.last.open();
    const say = (...event: readonly unknown[]) => vendor.last.receive(JSON.stringify(event));
    say('nextValidId', 1);
    for (const farm of FARMS) say(...farm);
    const late = link.run(JOB, new AbortController().signal).catch((error: unknown) => error);
    await settled();
    const end = clock.now() + 20_000;
    while ((clock.nextAt ?? Number.POSITIVE_INFINITY) <= end) {
      clock.moveTo(clock.nextAt!);
      say('currentTime', 1);
      await settled(2);
    }
    expect(await late).toMatchObject({
      code: 'SLUICE_CONNECTION_LOST',
      message: 'ibkr: a job: no answer within 20000 ms',
    });
    link.close();
  });
});
