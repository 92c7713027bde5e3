import type { Bar } from '../../src/market/bar.js';
import { RECORD_KINDS } from '../../src/market/recordKinds.js';
import type { Trade } from '../../src/market/trade.js';
import { Timer } from '../../src/primitives/timer.js';
import type { FakeGateway } from '../../src/testing/venues/ibkr/fakeGateway.js';
import type { FakeMassive } from '../../src/testing/venues/massive/fakeMassive.js';
import type { DayClock } from './dayClock.js';
import type { MarketRecord, Told } from './dayMarket.js';

const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;

export interface TellerConfig {
  readonly told: readonly Told[];
  readonly everyMs: number;
  readonly clock: DayClock;
  readonly ibkr: FakeGateway;
  readonly massive: FakeMassive;
}

/** Tells the day to both venues as time passes; each answers requests for history from what was told until then. */
export class DayTeller {
  readonly #config: TellerConfig;
  readonly #timer: Timer;
  readonly #past = new TickHistory();
  readonly #forming = new Map<string, Bar>();
  #next = 0;

  constructor(config: TellerConfig) {
    this.#config = config;
    this.#timer = new Timer(config.clock, () => this.#tell());
    config.ibkr.setHistory(this.#past.records);
    this.#set();
  }

  stop(): void {
    this.#timer.cancel();
  }

  #set(): void {
    const next = this.#config.told[this.#next];
    if (!next) return;
    const { everyMs, clock } = this.#config;
    this.#timer.set(Math.max(0, Math.ceil(next.at / everyMs) * everyMs - clock.now()));
  }

  #tell(): void {
    const { told, clock, ibkr, massive } = this.#config;
    const now = clock.now();
    const due: MarketRecord[] = [];
    for (let next = told[this.#next]; next && next.at <= now; next = told[this.#next]) {
      due.push(next.record);
      this.#next += 1;
    }
    const forming = this.#form(due);
    this.#past.add(due);
    this.#past.add(forming);
    massive.remember(forming);
    massive.publish(due);
    ibkr.publish([...due, ...forming]);
    this.#set();
  }

  /** The bars of the minutes that last, as far as their trades are told. */
  #form(due: readonly MarketRecord[]): readonly Bar[] {
    const changed = new Set<string>();
    for (const record of due) {
      if (record.kind !== 'trade') continue;
      const ts = Math.floor(record.ts / MINUTE_MS) * MINUTE_MS;
      const former = this.#forming.get(record.symbol);
      if (former && former.ts > ts) continue;
      this.#forming.set(record.symbol, former?.ts === ts ? grown(former, record) : begun(record, ts));
      changed.add(record.symbol);
    }
    return [...changed].flatMap((symbol) => {
      const bar = this.#forming.get(symbol);
      return bar && bar.ts + MINUTE_MS > this.#config.clock.now() ? [bar] : [];
    });
  }
}

function begun({ vendor, symbol, price, size }: Trade, ts: number): Bar {
  const prices = { open: price, high: price, low: price, close: price };
  return { kind: 'bar', vendor, symbol, timeframe: '1m', ts, ...prices, volume: size, trades: 1, vwap: price };
}

function grown(bar: Bar, { price, size }: Trade): Bar {
  const { high, low, volume, trades } = bar;
  const prices = { high: Math.max(high, price), low: Math.min(low, price), close: price };
  return { ...bar, ...prices, volume: volume + size, trades: (trades ?? 0) + 1, vwap: price };
}

/** The last version of each record, those of a second in the order in which they were told: as TWS has its past. */
class TickHistory {
  readonly records: MarketRecord[] = [];
  readonly #index = new Map<string, MarketRecord>();

  add(records: readonly MarketRecord[]): void {
    for (const record of records) {
      const key = RECORD_KINDS[record.kind].key(record as never);
      const former = this.#index.get(key);
      this.#index.set(key, record);
      if (former) this.records[this.records.lastIndexOf(former)] = record;
      else this.#insert(record);
    }
  }

  #insert(record: MarketRecord): void {
    const second = secondOf(record);
    let place = this.records.length;
    while (place > 0 && secondOf(this.records[place - 1]!) > second) place -= 1;
    this.records.splice(place, 0, record);
  }
}

const secondOf = ({ ts }: MarketRecord) => Math.floor(ts / SECOND_MS);
