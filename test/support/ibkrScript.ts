import type { GatewayMethod } from '../../src/providers/ibkr/frames.js';
import { LiveSession, type LiveSessionConfig } from '../../src/providers/ibkr/liveSession.js';
import { TickMemory } from '../../src/providers/ibkr/tickMemory.js';
import type { ProviderError } from '../../src/providers/providerErrors.js';
import type { Frame, Hole, ProviderSession, Refusal, Series, SessionStep } from '../../src/providers/session.js';

export const LIVE: LiveSessionConfig = {
  loginTimeoutMs: 6_000,
  farmTimeoutMs: 3_000,
  marketDataType: 1,
  contracts: {},
  trades: 'AllLast',
  whatToShow: undefined,
  useRTH: false,
  optionSnapshotEveryMs: undefined,
  optionIntervalMs: 1_000,
  newsProviders: [],
  fundamentalReport: 'ReportsFinSummary',
};

export const FARMS = [
  ['error', 'Market data farm connection is OK:usfarm', 2104, -1],
  ['error', 'HMDS data farm connection is OK:ushmds', 2106, -1],
  ['error', 'Sec-def data farm connection is OK:secdefnj', 2158, -1],
] as const;

export const details = (over: object = {}, contract: object = {}) => ({
  contract: { conId: 265_598, symbol: 'AAPL', secType: 'STK', exchange: 'SMART', currency: 'USD', ...contract },
  minTick: 0.01,
  timeZoneId: 'US/Eastern',
  tradingHours: '',
  ...over,
});

/** What a session has wanted, and the virtual time in which it is woken. */
export class IbkrScript {
  now: number;
  sent: (readonly [GatewayMethod, ...unknown[]])[] = [];
  elements: (readonly unknown[])[] = [];
  confirmed: Series[] = [];
  refused: Refusal[] = [];
  holes: Hole[] = [];
  notices: string[] = [];
  heard: Series[] = [];
  /** How often subscriptions were said to be under way. */
  underWay = 0;
  isReady = false;
  failure: ProviderError | undefined;
  wakeAt = Number.POSITIVE_INFINITY;
  readonly session: ProviderSession;

  constructor(
    config: Partial<LiveSessionConfig> = {},
    now = Date.parse('2026-01-05T14:30:00Z'),
    memory = new TickMemory(),
  ) {
    this.now = now;
    this.session = new LiveSession({ ...LIVE, ...config }, memory);
    this.step(this.session.opened(now));
  }

  step(step: SessionStep): this {
    for (const frame of step.send ?? []) this.sent.push(JSON.parse(frame as string));
    this.elements.push(...((step.elements ?? []) as (readonly unknown[])[]));
    this.confirmed.push(...(step.confirmed ?? []));
    this.refused.push(...(step.refused ?? []));
    this.holes.push(...(step.holes ?? []));
    this.notices.push(...(step.notices ?? []));
    this.heard.push(...(step.heard ?? []));
    if (step.confirmed) this.underWay += 1;
    this.isReady ||= step.isReady ?? false;
    this.failure ??= step.fail;
    if (step.wakeAt !== undefined) this.wakeAt = step.wakeAt;
    return this;
  }

  frame(frame: Frame): this {
    return this.step(this.session.frame(frame, this.now));
  }

  event(...event: readonly unknown[]): this {
    return this.frame(JSON.stringify(event));
  }

  /** Lets time pass: the session is woken when it wants, and TWS answers each question for the time. */
  pass(ms: number, isAnswering = true): this {
    const end = this.now + ms;
    for (let turns = 0; this.wakeAt <= end && !this.failure; turns += 1) {
      if (turns > 10_000) throw new Error('the session wants to be woken again and again');
      this.now = Math.max(this.now, this.wakeAt);
      this.wakeAt = Number.POSITIVE_INFINITY;
      const { length } = this.sent;
      this.step(this.session.timer(this.now));
      const isAsked = this.sent.slice(length).some(([method]) => method === 'reqCurrentTime');
      if (isAsked && isAnswering) this.event('currentTime', Math.floor(this.now / 1_000));
    }
    this.now = end;
    return this;
  }

  login(): this {
    this.event('nextValidId', 1);
    for (const farm of FARMS) this.event(...farm);
    return this;
  }

  subscribe(...series: readonly Series[]): this {
    return this.step(this.session.subscribe(series, this.now));
  }

  /** Answers the lookup that was made last. */
  found(...all: readonly object[]): this {
    const id = this.sent.findLast(([method]) => method === 'reqContractDetails')![1];
    for (const one of all.length > 0 ? all : [details()]) this.event('contractDetails', id, one);
    return this.event('contractDetailsEnd', id);
  }

  /** Logs in, subscribes to a series, and finds its contract. Returns the id of the request. */
  live(series: Series, ...found: readonly object[]): number {
    this.login()
      .subscribe(series)
      .found(...found);
    return this.last[1] as number;
  }

  get last(): readonly [GatewayMethod, ...unknown[]] {
    return this.sent.at(-1)!;
  }

  methods(): readonly string[] {
    return this.sent.map(([method]) => method).filter((method) => method !== 'reqCurrentTime');
  }
}
