import { merge, type Observable } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { sluice } from '../../src/cli/program.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { withContext } from '../../src/flow/withContext.js';
import type { MarketEvent, RecordOf } from '../../src/market/recordKinds.js';
import { writeCoordinator } from '../../src/operators/writeCoordinator.js';
import { alpaca } from '../../src/providers/alpaca/index.js';
import { binance } from '../../src/providers/binance/index.js';
import { coinbase } from '../../src/providers/coinbase/index.js';
import { ibkr } from '../../src/providers/ibkr/index.js';
import { massive } from '../../src/providers/massive/index.js';
import { slowSink } from '../../src/testing/slowSink.js';
import { fakeTerminal } from '../support/fakeTerminal.js';

interface Listed {
  readonly name: string;
  readonly url: string;
  readonly symbols: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Starts `sluice sim`, and waits for what it prints. */
async function simulate(...args: readonly string[]) {
  const terminal = fakeTerminal();
  const ended = sluice(['sim', '--json', '--for', '60s', ...args], terminal);
  const stop = async () => {
    terminal.signals.emit('SIGINT', 'SIGINT');
    return ended;
  };
  open.push(stop);
  while (terminal.signals.listenerCount('SIGINT') === 0) await new Promise((resolve) => setImmediate(resolve));
  const { venues } = JSON.parse(terminal.said.stdout) as { readonly venues: readonly Listed[] };
  const venue = (name: string) => venues.find((one) => one.name === name)!;
  return { venue, stop, said: terminal.said };
}

/** Writes what comes into memory, as a pipeline would, and resolves once it is enough. */
function write(records$: Observable<MarketEvent>) {
  const sink = slowSink<MarketEvent>({ serviceTimeMs: 0 });
  const monitor = new PipelineMonitor();
  const waiting: (() => void)[] = [];
  let failure: unknown;
  const wake = () => {
    for (const one of waiting.splice(0)) one();
  };
  const subscription = records$.pipe(writeCoordinator(sink, { workers: 1 }), withContext({ monitor })).subscribe({
    next: wake,
    error(error: unknown) {
      failure = error;
      wake();
    },
  });
  open.push(() => subscription.unsubscribe());
  const written = () => sink.written.flat();
  const until = async (isSo: (all: readonly MarketEvent[]) => boolean) => {
    while (!isSo(written())) {
      if (failure !== undefined) throw failure;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  return { written, until, monitor };
}

const isOf =
  <K extends MarketEvent['kind']>(kind: K) =>
  (record: MarketEvent): record is RecordOf<K> =>
    record.kind === kind;

function providersOf(sim: Awaited<ReturnType<typeof simulate>>) {
  const stocks = sim.venue('alpaca');
  const crypto = sim.venue('coinbase');
  const { APCA_API_KEY_ID: key = '', APCA_API_SECRET_KEY: secret = '' } = stocks.env;
  return merge(
    alpaca({ url: stocks.url, key, secret, encoding: 'msgpack', initialMs: 1, maxMs: 20 }).stream({
      kinds: ['trade', 'quote', 'bar'],
      symbols: stocks.symbols,
    }),
    coinbase({ url: crypto.url, initialMs: 1, maxMs: 20 }).stream({ kinds: ['trade'], symbols: crypto.symbols }),
  );
}

describe('sluice sim', () => {
  it('feeds all five venues at once', async () => {
    const sim = await simulate('--speed', '60', '--symbols', 'AAPL', '--crypto', 'BTC-USD');
    const { APCA_API_KEY_ID: key = '', APCA_API_SECRET_KEY: secret = '' } = sim.venue('alpaca').env;
    const { MASSIVE_API_KEY = '' } = sim.venue('massive').env;
    const trades = { kinds: ['trade'] } as const;
    const url = (name: string) => sim.venue(name).url;
    const symbols = (name: string) => sim.venue(name).symbols;
    const { until } = write(
      merge(
        alpaca({ url: url('alpaca'), key, secret }).stream({ ...trades, symbols: symbols('alpaca') }),
        binance({ url: url('binance') }).stream({ ...trades, symbols: symbols('binance') }),
        coinbase({ url: url('coinbase') }).stream({ ...trades, symbols: symbols('coinbase') }),
        ibkr({ url: url('ibkr') }).stream({ ...trades, symbols: symbols('ibkr') }),
        massive({ url: url('massive'), key: MASSIVE_API_KEY }).stream({ ...trades, symbols: symbols('massive') }),
      ),
    );
    const from = (all: readonly MarketEvent[]) =>
      new Set(all.filter(isOf('trade')).map(({ vendor, symbol }) => `${vendor} ${symbol}`));
    await until((all) => from(all).size >= 5);
    expect(await sim.stop()).toBe(0);
    expect(sim.said.stderr).not.toMatch(/error/i);
  });

  it('feeds two venues from one day, whose bars agree with their trades when they have come through', async () => {
    const sim = await simulate(
      '--speed',
      '120',
      '--seed',
      '7',
      '--venues',
      'alpaca,coinbase',
      '--symbols',
      'AAPL,IBM,SPY',
    );
    const { written, until } = write(providersOf(sim));
    // The first two minutes may have begun before the subscription.
    const minutes = (all: readonly MarketEvent[]) => [...new Set(all.filter(isOf('bar')).map(({ ts }) => ts))].sort();
    await until((all) => minutes(all).length >= 5);
    expect(await sim.stop()).toBe(0);

    const all = written();
    expect(new Set(all.map((one) => `${'vendor' in one && one.vendor} ${'symbol' in one && one.symbol}`))).toEqual(
      new Set(['alpaca AAPL', 'alpaca IBM', 'alpaca SPY', 'coinbase BTC-USD', 'coinbase ETH-USD']),
    );
    const [, , third] = minutes(all);
    // The last one is halted meanwhile.
    for (const symbol of ['AAPL', 'IBM']) {
      const bars = all.filter(isOf('bar')).filter((bar) => bar.symbol === symbol && bar.ts === third);
      const trades = new Map<string, RecordOf<'trade'>>();
      for (const trade of all.filter(isOf('trade'))) {
        if (trade.symbol === symbol && Math.floor(trade.ts / 60_000) * 60_000 === third) trades.set(trade.id, trade);
      }
      const last = bars.reduce((one, other) => (other.seq! > one.seq! ? other : one));
      expect(last.trades).toBe(trades.size);
      expect(last.volume).toBe([...trades.values()].reduce((sum, { size }) => sum + size, 0));
      expect(last.high).toBe(Math.max(...[...trades.values()].map(({ price }) => price)));
    }
  });

  it('breaks venues as its options say, and a pipeline comes through with gap records and no loss of its own', async () => {
    const sim = await simulate(
      ...['--speed', '30', '--venues', 'alpaca,coinbase', '--symbols', 'AAPL'],
      ...['--faults', 'kick=300ms,malformed=0.05'],
    );
    const { written, until, monitor } = write(providersOf(sim));
    await until((all) => {
      const gaps = all.filter(isOf('gap'));
      return ['alpaca', 'coinbase'].every((vendor) =>
        gaps.some((gap) => gap.vendor === vendor && gap.cause === 'reconnect'),
      );
    });
    expect(await sim.stop()).toBe(0);
    expect(written().filter(isOf('trade')).length).toBeGreaterThan(5);
    expect(monitor.account().conservation).toBe(0);
    expect(sim.said.stderr).toMatch(/stopped: \d+ events told, \S+Z; [1-9]\d* faults/);
  });
});
