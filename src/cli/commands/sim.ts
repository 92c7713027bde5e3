import { Command, Option } from 'commander';
import { asyncScheduler } from 'rxjs';
import { errnoText } from '../../failures/errno.js';
import { Timer } from '../../primitives/timer.js';
import type { TimeOfDay } from '../../testing/market/dayConfig.js';
import { simulatedDay } from '../../testing/market/simulatedDay.js';
import { type CommandContext, UsageError } from '../commandContext.js';
import { integer, names, positive, span } from '../parsers.js';
import { type Market, runMarket } from './sim/runMarket.js';
import { faults, host, type SimFaults, timeOfDay, venueNames } from './sim/simOptions.js';
import { closeVenues, SIM_VENUES, type SimVenue, type SimVenueName, startVenues } from './sim/simVenues.js';

interface SimOptions {
  readonly venues: readonly SimVenueName[];
  readonly host: string;
  readonly symbols: readonly string[];
  readonly crypto: readonly string[];
  readonly seed: number;
  readonly rate: number;
  readonly speed: number;
  readonly from: TimeOfDay;
  readonly date?: string;
  readonly faults?: SimFaults;
  readonly for?: number;
  readonly json?: true;
}

const MINUTE_MS = 60_000;
/** After the beginning: soon enough to be seen. */
const BURST_AFTER_S = 60;
const HALT_AFTER_S = 120;

/** `sluice sim`: a market on this machine, for trying everything out offline. */
export function simCommand(context: CommandContext): Command {
  return new Command('sim')
    .summary('run a simulated market that providers can connect to')
    .description(
      'Starts a fake of every venue on loopback and tells all of them one generated day, until Ctrl-C: sessions, late revisions, ' +
        'corrections, a burst of 20 times the rate after a minute, and a halt of the last symbol after two.',
    )
    .addOption(listed('--venues <names>', 'the venues to start', venueNames, SIM_VENUES))
    .addOption(listed('--symbols <names>', 'the equities', names, ['AAPL', 'MSFT', 'NVDA']))
    .addOption(listed('--crypto <names>', 'what trades round the clock', names, ['BTC-USD', 'ETH-USD']))
    .option(
      '--host <address>',
      'the address to listen on, such as 0.0.0.0 for all that this machine has',
      host,
      '127.0.0.1',
    )
    .option('--seed <n>', 'the same seed gives the same day and the same faults', integer(0), 1)
    .option('--rate <n>', 'trades per minute and symbol in the regular session', positive, 60)
    .option('--speed <n>', 'how much faster than the clock the day goes', positive, 1)
    .option('--from <time>', 'where the day is entered, in New York', timeOfDay, '09:30')
    .option('--date <date>', 'let the records have the times of this day (default: times from now on)')
    .option('--faults <list>', 'what goes wrong, and how often: kick=30s,mute=2m,outage=1m,malformed=0.01', faults)
    .option('--for <span>', 'end after this time, such as 5s or 10m', span)
    .option('--json', 'print one JSON document: { from, to, shiftMs, venues: [{ name, url, symbols, env, command }] }')
    .action((options: SimOptions) => simulate(context, options));
}

/** An option whose default is shown as a user would write it. */
function listed<N extends string>(
  flags: string,
  description: string,
  parse: (text: string) => readonly N[],
  fallback: readonly N[],
): Option {
  return new Option(flags, description).argParser(parse).default(fallback, fallback.join(','));
}

async function simulate(context: CommandContext, options: SimOptions): Promise<void> {
  const day = dayOf(options);
  const now = asyncScheduler.now();
  // Bars are of whole minutes, so the day is moved by whole minutes.
  const shiftMs = options.date === undefined ? Math.round((now - day.span.from) / MINUTE_MS) * MINUTE_MS : 0;
  const venues = await startVenues(options.venues, options.host).catch((error: unknown) => {
    throw new UsageError(`--host: cannot listen on ${options.host}: ${errnoText(error)}`, { cause: error });
  });
  try {
    await context.print(options.json ? document(day.span, shiftMs, venues, day) : page(venues, day));
    let market: Market | undefined;
    const ended = new Ending(context, options.for);
    try {
      market = runMarket({
        day,
        venues,
        speed: options.speed,
        shiftMs,
        faults: { ...options.faults, seed: options.seed },
        scheduler: asyncScheduler,
        onEnd: () => ended.now('the day is over'),
      });
      const running = market;
      const why = await context.telling(
        () => progress(running, venues),
        () => ended.promise,
      );
      await context.report(`${why}: ${progress(running, venues)}`);
    } finally {
      ended.release();
      market?.stop();
    }
  } finally {
    await closeVenues(venues);
  }
}

function dayOf({ symbols, crypto, seed, rate, from, date }: SimOptions) {
  try {
    return simulatedDay({
      symbols,
      crypto,
      seed,
      from,
      tradesPerMinute: rate,
      ...(date !== undefined && { date }),
      burst: { at: later(from, BURST_AFTER_S) },
      halt: symbols.length > 0 && { at: later(from, HALT_AFTER_S), forMs: MINUTE_MS },
    });
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** No later than the last second of the day. */
function later(time: TimeOfDay, seconds: number): TimeOfDay {
  const [hour = 0, minute = 0, second = 0] = time.split(':').map(Number);
  const total = Math.min(hour * 3_600 + minute * 60 + second + seconds, 86_399);
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${two(total / 3_600)}:${two((total % 3_600) / 60)}:${two(total % 60)}`;
}

/** What ends the simulation: Ctrl-C, the time that it may take, or the end of the day. */
class Ending {
  readonly promise: Promise<string>;
  readonly now: (why: string) => void;
  readonly release: () => void;

  constructor({ terminal: { signals } }: CommandContext, forMs: number | undefined) {
    let end: (why: string) => void = () => {};
    this.promise = new Promise((resolve) => {
      end = resolve;
    });
    this.now = (why) => end(why);
    const stop = () => end('stopped');
    const timer = new Timer(asyncScheduler, () => end('the time is over'));
    if (forMs !== undefined) timer.set(forMs);
    signals.on('SIGINT', stop);
    signals.on('SIGTERM', stop);
    this.release = () => {
      timer.cancel();
      signals.off('SIGINT', stop);
      signals.off('SIGTERM', stop);
    };
  }
}

interface Symbols {
  readonly symbols: readonly string[];
  readonly crypto: readonly string[];
}

function symbolsOf({ spell }: SimVenue, { symbols, crypto }: Symbols): string[] {
  return [...symbols, ...crypto].map(spell).filter((symbol) => symbol !== undefined);
}

/** What a user types to stream from a venue. The keys are those of fakes. */
function commandOf(venue: SimVenue, day: Symbols): string {
  const env = Object.entries(venue.env).map(([name, value]) => `${name}=${value} `);
  const symbols = symbolsOf(venue, day);
  const asked = symbols.length === 0 ? '' : ` --symbols ${symbols.join(',')}`;
  return `${env.join('')}npm start -- --provider ${venue.name} --url ${venue.venue.url}${asked}`;
}

function page(venues: readonly SimVenue[], day: Symbols): string {
  const width = Math.max(...venues.map(({ name }) => name.length));
  const lines = venues.map(({ name, venue }) => `${name.padEnd(width)}  ${venue.url}`);
  return [...lines, '', ...venues.map((venue) => commandOf(venue, day)), '', 'Ctrl-C ends it.'].join('\n');
}

function document(
  { from, to }: { readonly from: number; readonly to: number },
  shiftMs: number,
  venues: readonly SimVenue[],
  day: Symbols,
): string {
  const listed = venues.map((one) => ({
    name: one.name,
    url: one.venue.url,
    symbols: symbolsOf(one, day),
    env: one.env,
    command: commandOf(one, day),
  }));
  return JSON.stringify({ from: from + shiftMs, to: to + shiftMs, shiftMs, venues: listed }, undefined, 2);
}

function progress({ told, at, faults: broken }: Market, venues: readonly SimVenue[]): string {
  const time = at === undefined ? '' : `, ${new Date(at).toISOString().slice(0, 19)}Z`;
  const open = venues.map(({ name, venue }) => `${name} ${venue.connections}`).join(', ');
  return `${told} events told${time}; ${broken} faults; connections: ${open}`;
}
