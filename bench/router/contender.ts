/**
 * Sends the trades of two providers through one way of reading both, and prints the nanoseconds per record:
 * contender.js <way> <rounds>. The frames are those of Massive, made in memory; each provider decodes and normalises them.
 */
import { setImmediate } from 'node:timers/promises';
import { merge, type Observable } from 'rxjs';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import { detectGaps } from '../../src/operators/detectGaps.js';
import { pace } from '../../src/operators/pace.js';
import { SharedPacer } from '../../src/policies/sharedPacer.js';
import { defineProvider } from '../../src/providers/defineProvider.js';
import { massiveNormaliser } from '../../src/providers/massive/normalise/normaliser.js';
import { MassiveSession } from '../../src/providers/massive/session.js';
import type { Provider } from '../../src/providers/provider.js';
import { providerRouter } from '../../src/providers/router/providerRouter.js';
import { scriptedConnect } from '../../src/testing/scriptedConnect.js';
import { SYMBOLS, tradeOf } from '../../test/support/massiveFrames.js';
import { median } from '../report/table.js';

const FRAMES = 500;
const ELEMENTS = 20;
const WARM_UP = 10;
const BEGINNING = Date.UTC(2026, 0, 5, 14, 30);

const [, , way = '', rounds = '20'] = process.argv;
const symbols = Array.from({ length: SYMBOLS }, (_, i) => `S${i}`);

/** The trades of a symbol are numbered one after the other. */
function framesFrom(first: number): string[] {
  return Array.from({ length: FRAMES }, (_, frame) => {
    const trades = Array.from({ length: ELEMENTS }, (__, i) => {
      const index = first + frame * ELEMENTS + i;
      const at = BEGINNING + index;
      return tradeOf(`S${index % SYMBOLS}`, at, '100.25', Math.floor(index / SYMBOLS) + 1);
    });
    return `[${trades.join(',')}]`;
  });
}

function providerOf(name: string) {
  const vendor = scriptedConnect();
  const provider = defineProvider({
    ...{ name, kinds: ['trade'], pacing: {}, connect: vendor.connect },
    session: () => new MassiveSession({ key: 'none', market: 'stocks', confirmAfterMs: 600_000 }),
    normalise: massiveNormaliser('stocks'),
  });
  return { provider, vendor };
}

const feeds = ['x', 'y'].map(providerOf);
const providers = feeds.map(({ provider }) => provider);
const request = { kinds: ['trade'], symbols } as const;
const routed = (strategy: 'merge' | 'failover') => providerRouter({ providers, strategy, ...request });
const streamOf = (provider: Provider) => provider.stream(request);
const detected = (records$: Observable<MarketEvent>) =>
  records$.pipe(
    detectGaps<MarketEvent>({
      by: (record) => (record as { symbol: string }).symbol,
      sequence: (record) => Math.floor(((record as { ts: number }).ts - BEGINNING) / SYMBOLS),
    }),
  );

/** Each with the number of its providers that send. */
const WAYS: Readonly<Record<string, readonly [make: () => Observable<MarketEvent>, senders: number]>> = {
  'bare merge': [() => merge(...providers.map(streamOf)), 2],
  router: [() => routed('merge'), 2],
  'router, detector': [() => detected(routed('merge')), 2],
  'router, detector, pacer': [() => detected(routed('merge')).pipe(pace({ pacer: new SharedPacer({}) })), 2],
  'one stream': [() => streamOf(providers[0]!), 1],
  'router, failover': [() => routed('failover'), 1],
};

const [make, senders] = WAYS[way]!;
let count = 0;
const subscription = make().subscribe({
  next: () => {
    count += 1;
  },
  error(error) {
    throw error;
  },
});
for (const { vendor } of feeds.slice(0, senders)) {
  vendor.last.open();
  vendor.last.receive('[{"ev":"status","status":"connected","message":"Connected Successfully"}]');
  vendor.last.receive('[{"ev":"status","status":"auth_success","message":"authenticated"}]');
}

const nanoseconds: number[] = [];
for (let round = 0; round < WARM_UP + Number(rounds); round++) {
  const frames = framesFrom(round * FRAMES * ELEMENTS);
  await setImmediate();
  const before = count;
  const startedAt = performance.now();
  for (const frame of frames) for (let i = 0; i < senders; i++) feeds[i]!.vendor.last.receive(frame);
  const elapsedMs = performance.now() - startedAt;
  const records = FRAMES * ELEMENTS * senders;
  if (count - before !== records) throw new Error(`${count - before} of ${records} records`);
  if (round >= WARM_UP) nanoseconds.push((elapsedMs * 1e6) / records);
}
subscription.unsubscribe();
console.log(JSON.stringify({ nsPerRecord: median(nanoseconds) }));
