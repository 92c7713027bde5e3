import type { Gap } from '../../src/market/gap.js';
import type { Trade } from '../../src/market/trade.js';
import { Xoshiro128 } from '../../src/primitives/xoshiro128.js';
import type { RouterStrategy, RouterSwitch } from '../../src/providers/router/routerConfig.js';
import type { ScriptedConnection } from '../../src/testing/scriptedConnect.js';
import { toyRouter } from './toyRouter.js';
import { trade } from './toyVendor.js';

const SYMBOLS = ['A', 'B', 'C', 'D'];
/** Events come until then, in milliseconds of virtual time; afterwards everybody is well. */
const FAULTS_END_MS = 120_000;
const END_MS = 200_000;
const STEP_MS = 50;

/** How a vendor behaves at the moment. */
interface Mood {
  /** Until when it refuses connections, in milliseconds. */
  refusesUntil: number;
  /** Until when it is connected and sends nothing. */
  silentUntil: number;
  isDead: boolean;
  readonly latencyMs: number;
  /** What is on its way. */
  readonly line: { readonly at: number; readonly symbol: string; readonly ts: number }[];
  /** Since when the connection of now waits to be opened. */
  seen: ScriptedConnection | undefined;
  opensAt: number;
  confirmed: Set<string>;
}

/** Plays a market to a router over three vendors that fail by chance, and keeps what came of it. */
export function playRouter({ strategy, seed }: { strategy: RouterStrategy; seed: number }) {
  const chance = Xoshiro128.fromSeed(seed);
  const switches: RouterSwitch[] = [];
  let isSwitching = false;
  const router = toyRouter({
    names: ['x', 'y', 'z'],
    strategy,
    symbols: SYMBOLS,
    staleAfterMs: 2_000,
    failBackAfterMs: 6_000,
    stream: { initialMs: 500, maxMs: 2_000, connectTimeoutMs: 1_000 },
    breaker: { openMs: 4_000, firstOpenMs: 1_000 },
    onSwitch(change) {
      if (isSwitching) throw new Error('two switches at once');
      isSwitching = true;
      switches.push(change);
      isSwitching = false;
    },
  });
  const moods = router.vendors.map((): Mood => {
    const never = Number.NEGATIVE_INFINITY;
    return {
      ...{ refusesUntil: never, silentUntil: never, isDead: false, latencyMs: STEP_MS * chance.below(4) },
      ...{ line: [], seen: undefined, opensAt: 0, confirmed: new Set() },
    };
  });
  const events: { symbol: string; ts: number }[] = [];
  /** Since when each symbol is confirmed by anybody. */
  const began = new Map<string, number>();

  for (let now = 0; now < END_MS && !router.error; now = router.scheduler.frame) {
    const symbol = SYMBOLS[chance.below(SYMBOLS.length)]!;
    events.push({ symbol, ts: now });
    router.vendors.forEach((vendor, i) => {
      const mood = moods[i]!;
      if (now < FAULTS_END_MS) misbehave(mood, i, now);
      mood.line.push({ at: now + mood.latencyMs, symbol, ts: now });
      if (!vendor.isAsked) return;
      const connection = vendor.vendor.last;
      if (connection !== mood.seen) {
        mood.seen = connection;
        mood.opensAt = now + STEP_MS * (1 + chance.below(5));
        mood.confirmed = new Set();
      }
      answer(i, now);
    });
    router.pass(STEP_MS);
  }

  function misbehave(mood: Mood, i: number, now: number): void {
    const luck = chance.below(2_000);
    // A silence that is shorter than the watchdog's span is seen by nobody.
    const lengthMs = 1_000 * (4 + chance.below(15));
    if (luck < 4) mood.silentUntil = now + lengthMs;
    else if (luck < 10) {
      mood.refusesUntil = now + lengthMs;
      if (router.vendors[i]!.isAsked) router.vendors[i]!.lose();
    } else if (luck < 14 && router.vendors[i]!.isAsked) router.vendors[i]!.lose();
    // One of them lives.
    else if (luck === 14 && i !== 1) mood.isDead = true;
  }

  function answer(i: number, now: number): void {
    const mood = moods[i]!;
    const vendor = router.vendors[i]!;
    const connection = vendor.vendor.last;
    if (now < mood.opensAt) return;
    if (mood.opensAt !== Number.NEGATIVE_INFINITY) {
      mood.opensAt = Number.NEGATIVE_INFINITY;
      if (now < mood.refusesUntil) {
        vendor.lose();
        return;
      }
      vendor.login();
      if (mood.isDead) vendor.say({ fail: 'key' });
    }
    if (connection.isClosed || now < mood.silentUntil) return;
    const wanted = new Set<string>();
    for (const frame of connection.sent.map(String)) {
      const [verb, list = ''] = [frame.slice(0, frame.indexOf(' ')), frame.slice(frame.indexOf(' ') + 1)];
      for (const one of list.split(',')) {
        if (verb === 'sub') wanted.add(one);
        else if (verb === 'unsub') wanted.delete(one);
      }
    }
    for (const one of mood.confirmed) if (!wanted.has(one)) mood.confirmed.delete(one);
    const fresh = [...wanted].filter((one) => !mood.confirmed.has(one));
    if (fresh.length > 0) {
      for (const one of fresh) {
        mood.confirmed.add(one);
        const symbol = one.slice('trade '.length);
        if (!began.has(symbol)) began.set(symbol, now);
      }
      vendor.say({ ok: fresh });
    }
    while (mood.line[0] && mood.line[0].at <= now) {
      const { symbol, ts } = mood.line.shift()!;
      if (mood.confirmed.has(`trade ${symbol}`) && !connection.isClosed && now - ts <= mood.latencyMs + STEP_MS) {
        vendor.say({ data: [trade(symbol, ts)] });
      }
    }
  }

  const account = router.monitor.account();
  router.subscription.unsubscribe();
  // What is still on its way is not lost.
  const until = END_MS - 5_000;
  return {
    events: events.filter(({ ts }) => ts < until),
    delivered: router.seen.filter((record): record is Trade => record.kind === 'trade'),
    gaps: router.seen.filter((record): record is Gap => record.kind === 'gap'),
    switches,
    account,
    began,
    error: router.error,
  };
}
