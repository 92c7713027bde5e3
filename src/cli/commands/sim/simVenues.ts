import { startFakeAlpaca } from '../../../testing/venues/alpaca/startFakeAlpaca.js';
import { startFakeBinance } from '../../../testing/venues/binance/startFakeBinance.js';
import { startFakeCoinbase } from '../../../testing/venues/coinbase/startFakeCoinbase.js';
import type { FakeVenue } from '../../../testing/venues/fakeVenue.js';
import { startFakeGateway } from '../../../testing/venues/ibkr/startFakeGateway.js';
import { startFakeMassive } from '../../../testing/venues/massive/startFakeMassive.js';

/** A fake that is running, and what a user types to connect to it. */
export interface SimVenue {
  readonly name: string;
  readonly venue: FakeVenue;
  /** What the provider reads its key from; empty where the vendor has none. */
  readonly env: Readonly<Record<string, string>>;
  /** How the venue spells a symbol of the day; undefined for one that it does not have. */
  readonly spell: (symbol: string) => string | undefined;
  /** Whether it corrects trades. */
  readonly corrects: boolean;
}

/** Whether a symbol of the day is a pair, such as `BTC-USD`, or an equity. */
const isPair = (symbol: string) => symbol.includes('-');
const equity = (symbol: string) => (isPair(symbol) ? undefined : symbol);
const pair = (symbol: string) => (isPair(symbol) ? symbol : undefined);

/** Dollars are tethers there: `BTC-USD` is `BTCUSDT`. */
const binancePair = (symbol: string) => pair(symbol)?.replace(/-USD$/, '-USDT').replace('-', '');

/** Where fakes listen. */
interface At {
  readonly host: string;
}

/** Every fake of a venue, by the name of its provider. */
const VENUES = {
  alpaca: async (at: At) => {
    const venue = await startFakeAlpaca(at);
    return {
      venue,
      env: { APCA_API_KEY_ID: venue.key, APCA_API_SECRET_KEY: venue.secret },
      spell: equity,
      corrects: true,
    };
  },
  binance: async (at: At) => ({ venue: await startFakeBinance(at), env: {}, spell: binancePair, corrects: false }),
  coinbase: async (at: At) => ({ venue: await startFakeCoinbase(at), env: {}, spell: pair, corrects: false }),
  ibkr: async (at: At) => ({ venue: await startFakeGateway(at), env: {}, spell: equity, corrects: false }),
  massive: async (at: At) => {
    const venue = await startFakeMassive(at);
    return { venue, env: { MASSIVE_API_KEY: venue.secret }, spell: equity, corrects: false };
  },
} satisfies Readonly<Record<string, (at: At) => Promise<Omit<SimVenue, 'name'>>>>;

export type SimVenueName = keyof typeof VENUES;

export const SIM_VENUES = Object.keys(VENUES) as readonly SimVenueName[];

/** Starts the fakes; if one of them does not start, none stays. */
export async function startVenues(names: readonly SimVenueName[], host: string): Promise<readonly SimVenue[]> {
  const started: SimVenue[] = [];
  try {
    for (const name of names) started.push({ name, ...(await VENUES[name]({ host })) });
    return started;
  } catch (error) {
    await closeVenues(started);
    throw error;
  }
}

export async function closeVenues(venues: readonly SimVenue[]): Promise<void> {
  await Promise.all(venues.map(({ venue }) => venue.close()));
}
