import type { GatewayEvent } from './frames.js';
import type { LiveConfig } from './liveRequests.js';
import type { LiveSeries } from './liveSeries.js';
import type { StepBuilder } from './stepBuilder.js';
import { gatewayTimeMs } from './times.js';

const DATA_TYPES: Readonly<Record<string, string>> = {
  1: 'live',
  2: 'frozen: the last data before the market closed',
  3: 'delayed by 15 to 20 minutes',
  4: 'delayed, and frozen',
};

type Handle = (live: LiveSeries, args: readonly unknown[], now: number, out: StepBuilder, config: LiveConfig) => void;

/** What becomes of the arguments behind the id of the request. What they are worth is for `normalise` to say. */
const HANDLERS: Readonly<Record<string, Handle>> = {
  realtimeBar(live, [time, open, high, low, close, volume, average, count], now) {
    live.heard(now);
    // Real-time bars have epoch seconds, whatever the format asked for.
    live.realTimeBar([String(time), open, high, low, close, volume, count, average], Number(time) * 1_000);
  },

  historicalData(live, [time, ...values], now) {
    if (typeof time === 'string' && time.startsWith('finished')) live.bar?.pastEnded();
    else live.bar?.past([time, ...values.slice(0, 7)]);
    live.confirm();
    // This has just come.
    live.timer(now, now);
  },

  historicalDataUpdate(live, bar, now, out) {
    live.heard(now);
    live.bar?.update(bar.slice(0, 8));
    if (live.bar) out.wake(live.bar.dueAt);
  },

  tickByTickAllLast(live, [, time, price, size, attributes, exchange, conditions], now, out) {
    live.heard(now);
    live.noteTime(gatewayTimeMs(time));
    const { symbol } = live.series;
    out.element(['trade', symbol, live.numbers.next(time), time, price, size, attributes, exchange, conditions]);
  },

  tickByTickBidAsk(live, [time, bid, ask, bidSize, askSize], now, out) {
    live.heard(now);
    live.noteTime(gatewayTimeMs(time));
    out.element(['quote', live.series.symbol, live.numbers.next(time), time, bid, ask, bidSize, askSize]);
  },

  tickPrice(live, [type, price], now, out, config) {
    live.option?.price(type, price, now);
    tick(live, now, out, config);
  },

  tickSize(live, [type, size], now, out, config) {
    live.option?.size(type, size, now);
    tick(live, now, out, config);
  },

  tickOptionComputation(live, args, now, out, config) {
    live.option?.computation(args, now);
    tick(live, now, out, config);
  },

  tickString: (live) => live.confirm(),
  tickReqParams: (live) => live.confirm(),

  marketDataType(live, [type], _now, out) {
    live.confirm();
    if (type === live.dataType) return;
    live.dataType = Number(type);
    out.notice(`${live.series.symbol}: market data are ${DATA_TYPES[String(type)] ?? `of an unknown type, ${type}`}`);
  },

  tickNews(live, [time, provider, article, headline], now, out) {
    live.heard(now);
    live.noteTime(now);
    out.hear(live.series);
    out.element(['news', live.series.symbol, provider, article, time, headline]);
  },
};

function tick(live: LiveSeries, now: number, out: StepBuilder, config: LiveConfig): void {
  live.heard(now);
  if (!live.option || config.optionSnapshotEveryMs !== undefined) return;
  const dueAt = live.option.dueAt(config.optionIntervalMs);
  if (now >= dueAt) live.emitOption(now);
  else out.wake(dueAt);
}

/** Handles an event of a live request. Returns false if it is no such event. */
export function handleLive(
  live: LiveSeries,
  event: GatewayEvent,
  now: number,
  out: StepBuilder,
  config: LiveConfig,
): boolean {
  const [name, , ...args] = event;
  const handle = Object.hasOwn(HANDLERS, name) ? HANDLERS[name] : undefined;
  handle?.(live, args, now, out, config);
  return handle !== undefined;
}

/** Whether it is an event of a live request at all. */
export const isLiveEvent = (name: string): boolean => Object.hasOwn(HANDLERS, name);
