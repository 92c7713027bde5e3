import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BreakerState, CircuitBreaker, type Permit } from '../../src/policies/circuitBreaker.js';
import { holds } from './holds.js';

const rates = fc.constantFrom(0.1, 0.25, 1 / 3, 0.5, 0.75, 1);

const configs = fc
  .record({
    window: fc.oneof(
      fc.record({ kind: fc.constant('count' as const), size: fc.integer({ min: 1, max: 8 }) }),
      fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 120 }) }),
    ),
    minimumCalls: fc.integer({ min: 1, max: 6 }),
    failureRate: rates,
    slowCallMs: fc.integer({ min: 1, max: 20 }),
    slowCallRate: rates,
    openMs: fc.integer({ min: 0, max: 40 }),
    firstOpenMs: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
    halfOpenPermits: fc.integer({ min: 1, max: 3 }),
    halfOpenSuccesses: fc.integer({ min: 1, max: 3 }),
    maxHalfOpenMs: fc.integer({ min: 1, max: 60 }),
  })
  .map(({ minimumCalls, firstOpenMs, ...config }) => ({
    ...config,
    ...(firstOpenMs === undefined ? {} : { firstOpenMs: Math.min(firstOpenMs, config.openMs) }),
    minimumCalls: config.window.kind === 'count' ? Math.min(minimumCalls, config.window.size) : minimumCalls,
  }));
type Config = typeof configs extends fc.Arbitrary<infer C> ? C : never;

/** `call` is the number of a permit among all that were ever given, so that it may be old, or settled before. */
const actions = fc.array(
  fc.oneof(
    { weight: 25, arbitrary: fc.record({ kind: fc.constant('acquire' as const) }) },
    { weight: 12, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 45 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('setBack' as const), ms: fc.integer({ min: 1, max: 500 }) }),
    },
    {
      weight: 30,
      arbitrary: fc.record({
        kind: fc.constantFrom(
          ...([
            'succeeded',
            'succeeded',
            'failed',
            'failed',
            'failed',
            'failed',
            'release',
            'release',
            'trip',
          ] as const),
        ),
        /** Mostly the newest. */
        call: fc.oneof({ weight: 3, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.nat(30) }),
        durationMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(25) }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom('forceOpen' as const, 'disable' as const) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('reset' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('hurry' as const) }) },
  ),
  { minLength: 1, maxLength: 120, size: 'max' },
);

/** The breaker as it is told to children: with a timer for everything, and every call of its life written down. */
class NaiveBreaker {
  readonly #config: Config;
  state: BreakerState = 'closed';
  generation = 0;
  readonly told: BreakerState[] = [];
  /** Given while half-open, and not settled. */
  out: number[] = [];
  #time = 0;
  #since = 0;
  /** For how long it is open. */
  #openMs = 0;
  #failedInARow = 0;
  #successes = 0;
  #calls: { time: number; hasFailed: boolean; wasSlow: boolean }[] = [];
  readonly #permits: { generation: number; isProbe: boolean }[] = [];

  constructor(config: Config) {
    this.#config = config;
  }

  pass(ms: number): void {
    for (let i = 0; i < ms; i++) {
      this.#time += 1;
      if (this.state === 'halfOpen' && this.#time - this.#since === this.#config.maxHalfOpenMs) this.#enter('open');
    }
  }

  acquire(): Permit | undefined {
    const { halfOpenPermits } = this.#config;
    if (this.state === 'open' && this.#time - this.#since >= this.#openMs) this.#enter('halfOpen');
    if (this.state === 'open' || this.state === 'forcedOpen') return undefined;
    const isProbe = this.state === 'halfOpen';
    if (isProbe && this.out.length === halfOpenPermits) return undefined;
    if (isProbe) this.out.push(this.#permits.length);
    this.#permits.push({ generation: this.generation, isProbe });
    return { generation: this.generation, isProbe };
  }

  /** How long until a caller may get a permit, or must ask again, if nothing else happens. */
  readyInMs(): number {
    if (this.state === 'forcedOpen') return Number.POSITIVE_INFINITY;
    if (this.state === 'closed' || this.state === 'disabled') return 0;
    const { halfOpenPermits, maxHalfOpenMs } = this.#config;
    if (this.state === 'open') return Math.max(0, this.#openMs - (this.#time - this.#since));
    if (this.out.length < halfOpenPermits) return 0;
    return maxHalfOpenMs - (this.#time - this.#since);
  }

  hurry(): void {
    this.#failedInARow = 0;
    if (this.state !== 'open') return;
    this.#since = this.#time;
    this.#openMs = 0;
    this.told.push('open');
  }

  settle(call: number, verdict: 'succeeded' | 'failed' | 'release' | 'trip', durationMs: number): void {
    const permit = this.#permits[call]!;
    if (permit.generation !== this.generation) return;
    if (verdict === 'trip') {
      const isOut = this.state === 'halfOpen' && this.out.includes(call);
      if (this.state === 'closed' || isOut) this.#enter('open');
      return;
    }
    const hasFailed = verdict === 'failed';
    const wasSlow = durationMs >= this.#config.slowCallMs;
    if (this.state === 'halfOpen') {
      if (!this.out.includes(call)) return;
      this.out = this.out.filter((other) => other !== call);
      if (verdict !== 'release') {
        this.#successes = hasFailed || wasSlow ? Number.NaN : this.#successes + 1;
      }
      if (Number.isNaN(this.#successes)) this.#enter('open');
      else if (this.#successes === this.#config.halfOpenSuccesses) this.#enter('closed');
      else this.told.push('halfOpen');
    } else if (this.state === 'closed' && verdict !== 'release') {
      this.#calls.push({ time: this.#time, hasFailed, wasSlow });
      const { minimumCalls, failureRate, slowCallRate } = this.#config;
      const calls = this.#window();
      const failed = calls.filter((one) => one.hasFailed).length;
      const slow = calls.filter((one) => one.wasSlow).length;
      if (calls.length < minimumCalls) return;
      if (failed / calls.length >= failureRate || slow / calls.length >= slowCallRate) this.#enter('open');
    }
  }

  force(state: 'forcedOpen' | 'disabled' | 'closed'): void {
    if (state === 'closed' || this.state !== state) this.#enter(state);
  }

  #window() {
    const { window } = this.#config;
    if (window.kind === 'count') return this.#calls.slice(-window.size);
    const bucketOf = (time: number) => Math.floor(time / (window.ms / 10));
    return this.#calls.filter(({ time }) => bucketOf(this.#time) - bucketOf(time) < 10);
  }

  #enter(state: BreakerState): void {
    if (this.state !== state) this.told.push(state);
    this.state = state;
    this.generation += 1;
    this.#since = this.#time;
    this.#successes = 0;
    if (state === 'closed') this.#failedInARow = 0;
    if (state === 'open') {
      const { openMs, firstOpenMs = Math.min(openMs, 1_000) } = this.#config;
      let ms = firstOpenMs;
      for (let failed = 0; failed < this.#failedInARow; failed++)
        ms = Math.min(openMs, Math.max(ms + 1, Math.ceil(1.1 * ms)));
      this.#openMs = ms;
      this.#failedInARow += 1;
    }
    this.#calls = [];
    this.out = [];
  }
}

const FORCED = { forceOpen: 'forcedOpen', disable: 'disabled', reset: 'closed' } as const;

describe('CircuitBreaker', () => {
  it('agrees with a naive model, through late results, double ones, and a clock that is set back', () => {
    const reached = new Map<string, number>();
    holds(
      'CircuitBreaker agrees with a naive model',
      fc.property(configs, actions, (config, steps) => {
        const breaker = new CircuitBreaker(config);
        const model = new NaiveBreaker(config);
        const told: BreakerState[] = [];
        breaker.onChange((state) => told.push(state));
        const permits: Permit[] = [];
        let now = 1_000_000;
        // Its time begins when it is first told what time it is.
        expect(breaker.readyInMs(now)).toBe(0);

        for (const step of steps) {
          const before = breaker.state;
          let isTold = true;
          switch (step.kind) {
            case 'pass':
              now += step.ms;
              model.pass(step.ms);
              isTold = false;
              break;
            case 'setBack':
              now -= step.ms;
              isTold = false;
              break;
            case 'acquire': {
              const permit = breaker.tryAcquire(now);
              expect(permit).toEqual(model.acquire());
              if (permit) permits.push(permit);
              else expect(breaker.readyInMs(now)).toBeGreaterThan(0);
              break;
            }
            case 'hurry':
              breaker.hurry(now);
              model.hurry();
              break;
            case 'forceOpen':
            case 'disable':
            case 'reset':
              breaker[step.kind](now);
              model.force(FORCED[step.kind]);
              break;
            default: {
              const call = permits.length - 1 - step.call;
              if (call < 0) continue;
              if (step.kind === 'release' || step.kind === 'trip') breaker[step.kind](permits[call]!, now);
              else breaker[step.kind](permits[call]!, step.durationMs, now);
              model.settle(call, step.kind, step.durationMs);
            }
          }
          expect(breaker.readyInMs(now)).toBe(model.readyInMs());
          // That time has passed is found out when the breaker is asked or told something, and not before.
          if (!isTold) continue;
          const { state, generation } = breaker;
          expect([state, generation, ...told.splice(0)]).toEqual([
            model.state,
            model.generation,
            ...model.told.splice(0),
          ]);
          const change = `${before} to ${state}`;
          reached.set(change, (reached.get(change) ?? 0) + 1);
        }
      }),
      { seed: 91, numRuns: 800 },
    );
    // Otherwise the steps would never come to what they are to try.
    const changes = ['closed to open', 'open to halfOpen', 'halfOpen to closed', 'halfOpen to open'];
    for (const change of [...changes, 'open to open', 'halfOpen to halfOpen', 'disabled to closed']) {
      if ((reached.get(change) ?? 0) < 100) expect(Object.fromEntries(reached)).toBe(`more often ${change}`);
    }
  });
});
