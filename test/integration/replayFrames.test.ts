import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import { captureFrames } from '../../src/providers/frames/captureFrames.js';
import { replayFrames } from '../../src/providers/frames/replayFrames.js';
import { findProvider, PROVIDERS } from '../../src/providers/registry.js';
import type { FakeVenue } from '../../src/testing/venues/fakeVenue.js';
import { Folder } from '../support/folder.js';
import { type RegisteredVenue, recordsOf, VENUES } from '../support/venues.js';

let folder: Folder;
let venue: FakeVenue;
beforeEach(() => {
  folder = new Folder();
});
afterEach(async () => {
  await venue?.close();
  folder.remove();
});

it('has every provider of the registry', () => {
  expect(VENUES.map(({ name }) => name)).toEqual(PROVIDERS.map(({ name }) => name));
});

/** Waits until records of this number have come, however many turns that takes. */
async function have(seen: readonly MarketEvent[], isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(seen.length).toBeGreaterThan(0);
}

async function live(registered: RegisteredVenue): Promise<readonly MarketEvent[]> {
  const { name, kinds, timeframe, symbol, variables, subscriptions } = registered;
  venue = await registered.start();
  const capture = captureFrames(folder.path('captures'));
  const stream = { wrapConnect: capture.wrapConnect, initialMs: 5 };
  const provider = await findProvider(name).entry.create({ url: venue.url, variables, stream });
  const seen: MarketEvent[] = [];
  let failure: unknown;
  const subscription = provider.stream({ kinds, symbols: [symbol], timeframe }).subscribe({
    next: (record) => seen.push(record),
    error(error) {
      failure = error;
    },
  });
  const subscribed = (connections: number) =>
    venue.until((now) => now.accepted.length >= connections && now.subscriptions.length >= subscriptions);
  const trades = () => seen.filter(({ kind }) => kind === 'trade').length;
  await subscribed(1);
  for (let n = 0; n < 20; n += 1) venue.publish(recordsOf(registered, n));
  venue.publishMalformed(recordsOf(registered, 20), 0);
  await have(seen, () => failure !== undefined || trades() >= 20);
  const { length } = venue.accepted;
  venue.reset();
  await subscribed(length + 1);
  for (let n = 30; n < 40; n += 1) venue.publish(recordsOf(registered, n));
  await have(seen, () => failure !== undefined || trades() >= 30);
  subscription.unsubscribe();
  await capture.close();
  expect(failure).toBeUndefined();
  return seen;
}

async function replayed({ name, kinds, timeframe, symbol }: RegisteredVenue): Promise<readonly MarketEvent[]> {
  const replay = replayFrames(folder.path('captures'), { speed: 'max' });
  const provider = await findProvider(name).entry.create({ isReplay: true, stream: replay.config });
  const seen: MarketEvent[] = [];
  await provider.stream({ kinds, symbols: [symbol], timeframe }).forEach((record) => {
    seen.push(record);
  });
  return seen;
}

describe.each(VENUES)('a session of $name', (registered) => {
  it('that is captured and replayed gives its records, gap records among them, ten times the same', async () => {
    const records = await live(registered);
    const kinds = new Set(records.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(['bar', 'gap', 'quote', 'trade']);
    for (let times = 0; times < 10; times += 1) expect(await replayed(registered)).toEqual(records);
  }, 60_000);
});
