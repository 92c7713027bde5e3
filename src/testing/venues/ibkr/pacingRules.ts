import { noteViolation, RequestCount } from '../requestCount.js';
import type { ContractRequest } from './gatewayRequest.js';

/** Messages that were sent in time may arrive together: so much less than a second is counted. */
const IN_FLIGHT_MS = 100;
/** The most requests of the past that are open at a time. */
const MAX_OPEN = 50;
const SECONDS: Readonly<Record<string, number>> = { sec: 1, secs: 1, min: 60, mins: 60 };

/** What TWS says to a request that breaks a rule. */
export interface PacingRefusal {
  readonly code: number;
  readonly text: string;
}

const HISTORY = 'Historical Market Data Service error message:Historical data request pacing violation';
const BARS = 'Invalid Real-time Query:Historical data request pacing violation';
const TICKS =
  'Failed to request tick-by-tick data:No more than 1 tick-by-tick request for the same instrument in 15 seconds';
const RATE = 'Max rate of messages per second has been exceeded:max=50 rec=51 (1)';

/**
 * The limits of IBKR as the servers of a fake gateway count them, over all its clients, except that messages are counted for each
 * connection. By https://interactivebrokers.github.io/tws-api/historical_limitations.html, …/realtime_bars.html and …/tick_data.html:
 * 60 requests in ten minutes for bars of 30 seconds or less, ticks of the past and new real-time bars, of which bid and ask count
 * double; fewer than six of one contract, exchange and tick type in two seconds; no identical one in 15 seconds; 50 open; one
 * tick-by-tick request for an instrument and type in 15 seconds; 50 messages per second.
 */
export class PacingRules {
  readonly violations: string[] = [];
  readonly #messages = new Map<object, RequestCount>();
  readonly #budget = new RequestCount(60, 600_000);
  readonly #series = new RequestCount(5, 2_000);
  readonly #identical = new RequestCount(1, 15_000);
  readonly #ticks = new RequestCount(1, 15_000);

  /** A message of a client, of any kind. */
  message(client: object, now: number): PacingRefusal | undefined {
    let count = this.#messages.get(client);
    if (!count) {
      count = new RequestCount(50, 1_000 - IN_FLIGHT_MS);
      this.#messages.set(client, count);
    }
    if (count.isFull(now)) return this.#refuse(100, RATE, `more than 50 messages in a second at ${now}`);
    count.add(now);
    return undefined;
  }

  left(client: object): void {
    this.#messages.delete(client);
  }

  /** A request about a contract, and how many of the past are open besides. Returns how it is refused, if it breaks a rule. */
  request({ is, contract, args }: ContractRequest, open: number, now: number): PacingRefusal | undefined {
    const what = is === 'history' ? (args[5] ?? '') : is === 'pastTicks' ? (args[4] ?? '') : (args[1] ?? '');
    const { conId, symbol, exchange } = contract;
    const name = `${symbol || conId}`;
    if (is === 'ticks') {
      const key = `${conId} ${symbol} ${args[0]}`;
      if (this.#ticks.isFull(now, key))
        return this.#refuse(10_189, TICKS, `${name}: ticks asked twice in 15 s at ${now}`);
      this.#ticks.add(now, key);
      return undefined;
    }
    if (is !== 'history' && is !== 'pastTicks' && is !== 'bars') return undefined;
    const weight = what === 'BID_ASK' && is !== 'bars' ? 2 : 1;
    const isCounted = is !== 'history' || isSmall(args[2] ?? '');
    const [code, text] = is === 'bars' ? [420, BARS] : [162, HISTORY];
    const refuse = (rule: string) => this.#refuse(code, text, `${name}: ${rule} at ${now}`);
    if (isCounted && this.#budget.isFull(now, '', weight)) return refuse('more than 60 requests in ten minutes');
    if (is !== 'bars') {
      const series = `${conId} ${symbol} ${exchange} ${what}`;
      const identity = JSON.stringify([is, contract, args]);
      if (this.#series.isFull(now, series)) return refuse('six requests in two seconds');
      if (this.#identical.isFull(now, identity)) return refuse('an identical request in 15 s');
      if (open >= MAX_OPEN) return refuse('more than 50 requests open');
      this.#series.add(now, series);
      this.#identical.add(now, identity);
    }
    if (isCounted) this.#budget.add(now, '', weight);
    return undefined;
  }

  #refuse(code: number, text: string, violation: string): PacingRefusal {
    noteViolation(this.violations, violation);
    return { code, text };
  }
}

/** Whether bars of this size count: `30 secs` or less. */
function isSmall(barSize: string): boolean {
  const [count = '1', unit = ''] = barSize.split(' ');
  return Number(count) * (SECONDS[unit] ?? 3_600) <= 30;
}
