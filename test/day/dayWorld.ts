import { firstValueFrom, type Observable, toArray } from 'rxjs';
import type { Gap } from 'sluice/market';
import type { MarketCalendar } from 'sluice/policies';
import { gaps, migrate, openStore } from 'sluice/postgres';
import { startFakeGateway, startFakeMassive } from 'sluice/testing';
import { Timer } from '../../src/primitives/timer.js';
import { DayClock } from './dayClock.js';
import { dayMarket, type Told } from './dayMarket.js';
import { type Compose, DayProcess } from './dayProcess.js';
import { at, type DayFault, type DayScript, describeFault, type Session, type VenueName } from './dayScript.js';
import { DayTeller } from './dayTeller.js';
import { SocketLedger } from './socketLedger.js';

/** As much of a venue as faults need. */
type Venues = Awaited<ReturnType<typeof startVenues>>;

const PACING = 'Historical Market Data Service error message:Historical data request pacing violation';

async function startVenues(clock: DayClock, { splitEvery }: DayScript) {
  const [ibkr, massive] = await Promise.all([
    startFakeGateway({ now: () => clock.now(), splitEvery }),
    startFakeMassive({ scheduler: clock }),
  ]);
  return { ibkr, massive };
}

/** What a program finds outside of itself on the day of a script: a clock, venues, a database. */
export class DayWorld {
  readonly script: DayScript;
  readonly clock: DayClock;
  readonly sockets: SocketLedger;
  readonly venues: Venues;
  readonly databaseUrl: string;
  readonly calendar: MarketCalendar;
  readonly told: readonly Told[];
  /** What happened, for who reads a failure. */
  readonly timeline: string[] = [];
  readonly processes: DayProcess[] = [];
  /** When a router gave everything back to a vendor, and to whom. */
  readonly switches: { readonly at: number; readonly to: string }[] = [];
  /** What goes wrong outside of what is awaited. */
  readonly failures: unknown[] = [];
  readonly #compose: Compose;
  readonly #teller: DayTeller;
  readonly #timers: Timer[] = [];
  #starting = 0;

  static async open(script: DayScript, databaseUrl: string, compose: (world: DayWorld) => Compose): Promise<DayWorld> {
    // Loaded on demand, which takes time that no clock here knows of.
    await import('@stoqey/ib');
    const store = await openStore({ databaseUrl });
    await migrate(store.pool);
    await store.close();
    const ports = new Set<number>();
    const sockets = new SocketLedger((port) => ports.has(port));
    const clock = new DayClock(at(9, 29), sockets, (when) => (isQuiet(script, when) ? QUIET_STEP_MS : 0));
    const venues = await startVenues(clock, script);
    for (const { url } of [venues.ibkr, venues.massive]) ports.add(Number(new URL(url).port));
    return new DayWorld(script, databaseUrl, clock, sockets, venues, compose);
  }

  private constructor(
    script: DayScript,
    databaseUrl: string,
    clock: DayClock,
    sockets: SocketLedger,
    venues: Venues,
    compose: (world: DayWorld) => Compose,
  ) {
    this.script = script;
    this.databaseUrl = databaseUrl;
    this.clock = clock;
    this.sockets = sockets;
    this.venues = venues;
    this.calendar = calendarOf(script.sessions);
    this.told = dayMarket(script);
    this.#teller = new DayTeller({ told: this.told, everyMs: script.tellEveryMs, clock, ...venues });
    this.#compose = compose(this);
    clock.work.add(() => (this.#starting > 0 ? 'a process starts' : undefined));
    for (const fault of script.faults) {
      const timer = new Timer(clock, () => this.#apply(fault));
      timer.set(fault.at - clock.now());
      this.#timers.push(timer);
    }
  }

  /** The process that runs, or ran last. */
  get process(): DayProcess {
    return this.processes.at(-1)!;
  }

  /** The whole day, until the last process has drained. */
  async live(): Promise<void> {
    this.#start();
    await this.clock.passTo(this.script.end);
    const { process } = this;
    process.stop();
    for (let tries = 0; !process.isOver && tries < 200; tries += 1) await this.clock.passTo(this.clock.now() + 1_000);
  }

  async gaps(): Promise<readonly Gap[]> {
    const all$: Observable<Gap> = gaps(this.process.store.pool);
    return firstValueFrom(all$.pipe(toArray()));
  }

  /** Whether a vendor may not have delivered what happened at a time: from each of its faults until it has everything back. */
  isAway(venue: VenueName, at: number): boolean {
    const { tellEveryMs } = this.script;
    const when = Math.ceil(at / tellEveryMs) * tellEveryMs;
    return this.script.faults.some((fault) => {
      if (fault.venue !== venue || fault.at > when) return false;
      const back = this.switches.find(({ at: switched, to }) => to === venue && switched > fault.at)?.at;
      return when < Math.min(back ?? Number.POSITIVE_INFINITY, fault.at + BUSY_MS);
    });
  }

  async close(): Promise<void> {
    this.#teller.stop();
    for (const timer of this.#timers) timer.cancel();
    for (const process of this.processes) {
      process.kill();
      await process.close();
    }
    await this.venues.ibkr.close();
    await this.venues.massive.close();
    this.sockets.close();
  }

  note(words: string): void {
    this.timeline.push(`${new Date(this.clock.now() - at(0)).toISOString().slice(11, 23)} ${words}`);
  }

  #start(): void {
    const { databaseUrl, clock, sockets } = this;
    this.#starting += 1;
    DayProcess.start({ databaseUrl, clock, sockets, compose: this.#compose })
      .then(
        (process) => {
          process.report.catch((error) => this.failures.push(error));
          this.processes.push(process);
        },
        (error) => this.failures.push(error),
      )
      .finally(() => {
        this.#starting -= 1;
      });
  }

  #apply(fault: DayFault): void {
    const { what, venue: name, count = 1 } = fault;
    const venue = this.venues[name];
    const { ibkr } = this.venues;
    this.note(describeFault(fault).slice(13));
    if (what === 'mute' || what === 'unmute') venue.mute(what === 'mute');
    else if (what === 'reset') venue.reset();
    else if (what === 'kick') venue.kickAfterLogin(count);
    else if (what === 'refuse' || what === 'restore') venue.refuse(what === 'refuse');
    else if (what === 'pacing') ibkr.failNext('history', 162, PACING, count);
    else if (what === 'lose') ibkr.loseServers();
    else if (what === 'regain') ibkr.restore(count === 1);
    else if (what === 'kill') this.process.killInWrite(count, () => this.note('killed'));
    else {
      // A night without a write is killed all the same.
      this.process.kill();
      this.#start();
    }
  }
}

/** Timers are so late where nothing happens. */
const QUIET_STEP_MS = 10_000;
/** What a fault or a session sets off is over by then. */
const BUSY_MS = 600_000;

function isQuiet({ sessions, faults }: DayScript, when: number): boolean {
  const isBusy = (from: number, to: number) => when > from - BUSY_MS / 5 && when < to + BUSY_MS;
  return !sessions.some(({ from, to }) => isBusy(from, to)) && !faults.some((fault) => isBusy(fault.at, fault.at));
}

function calendarOf(sessions: readonly Session[]): MarketCalendar {
  return {
    isOpen: (when) => sessions.some(({ from, to }) => when >= from && when < to),
    nextChange: (when) => {
      const changes = sessions.flatMap(({ from, to }) => [from, to]).filter((change) => change > when);
      return Math.min(Number.POSITIVE_INFINITY, ...changes);
    },
  };
}
