import type { Frame } from '../session.js';

/**
 * What passes between the session and the client of IBKR, as JSON text: an event with its arguments inwards,
 * `["tickSize",3,0,200]`, a method with its arguments outwards, `["reqCurrentTime"]`. Text, so that what is buffered is a copy:
 * the client hands out objects that it changes later.
 */
export type GatewayEvent = readonly [name: string, ...args: unknown[]];

/** The event of a frame; `undefined` if the frame is none. */
export function readEvent(frame: Frame): GatewayEvent | undefined {
  if (typeof frame !== 'string') return undefined;
  try {
    const event: unknown = JSON.parse(frame);
    return Array.isArray(event) && typeof event[0] === 'string' ? (event as unknown as GatewayEvent) : undefined;
  } catch {
    return undefined;
  }
}

/** The methods of the client that sessions call. */
export const GATEWAY_METHODS = [
  'reqCurrentTime',
  'reqMarketDataType',
  'reqContractDetails',
  'reqRealTimeBars',
  'cancelRealTimeBars',
  'reqHistoricalData',
  'cancelHistoricalData',
  'reqHistoricalTicks',
  'reqTickByTickData',
  'cancelTickByTickData',
  'reqMktData',
  'cancelMktData',
  'reqFundamentalData',
  'cancelFundamentalData',
  'reqNewsProviders',
  'reqHistoricalNews',
] as const;

export type GatewayMethod = (typeof GATEWAY_METHODS)[number];

/** A frame that calls a method. */
export function call(method: GatewayMethod, ...args: readonly unknown[]): Frame {
  return JSON.stringify([method, ...args]);
}

/** The events that sessions read. Others, such as those of orders and accounts, are not passed on: a capture has no account in it. */
export const GATEWAY_EVENTS = [
  'nextValidId',
  'currentTime',
  'contractDetails',
  'contractDetailsEnd',
  'realtimeBar',
  'historicalData',
  'historicalDataUpdate',
  'historicalTicks',
  'historicalTicksLast',
  'historicalTicksBidAsk',
  'tickByTickAllLast',
  'tickByTickBidAsk',
  'tickPrice',
  'tickSize',
  'tickString',
  'tickOptionComputation',
  'tickSnapshotEnd',
  'tickReqParams',
  'marketDataType',
  'fundamentalData',
  'newsProviders',
  'historicalNews',
  'historicalNewsEnd',
  'tickNews',
] as const;
