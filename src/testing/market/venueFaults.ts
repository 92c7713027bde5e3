import { duration, integer, number, type OptionsOf, readOptions } from '../../primitives/options.js';
import { Xoshiro128 } from '../../primitives/xoshiro128.js';

export interface VenueFaultsConfig {
  /** The same seed gives the same faults at the same times. A safe integer, default 1. */
  readonly seed?: number;
  /** How many venues there are to choose from. Integer of at least 1. */
  readonly venues: number;
  /** What the clock shows at the beginning, in epoch milliseconds. */
  readonly startsAt: number;
  /** How often a venue resets its connections, on average, in milliseconds. At least 1; default never. */
  readonly kickEveryMs?: number;
  /** How often the connections of a venue fall silent for good while they stay open. At least 1; default never. */
  readonly muteEveryMs?: number;
  /** How often a venue refuses connections for three seconds. At least 1; default never. */
  readonly outageEveryMs?: number;
  /** The share of messages that have an element which the vendor would never send. From 0 to 1, default 0. */
  readonly malformed?: number;
}

/** Something that is to be done to a venue. A mute or an outage is followed by its end. */
export interface VenueFault {
  readonly at: number;
  readonly what: 'kick' | 'mute' | 'unmute' | 'outage' | 'restore';
  /** The number of the venue, from 0. */
  readonly venue: number;
}

const OPTIONS = {
  seed: integer().default(1),
  venues: integer({ min: 1 }).required(),
  startsAt: number().required(),
  kickEveryMs: duration({ min: 1 }),
  muteEveryMs: duration({ min: 1 }),
  outageEveryMs: duration({ min: 1 }),
  malformed: number({ min: 0, max: 1 }).default(0),
} satisfies OptionsOf<VenueFaultsConfig>;

/** Connections made after this are not mute. */
const MUTE_MS = 1_000;
const OUTAGE_MS = 3_000;

/** What goes wrong at venues, and when: a schedule without a clock. */
export class VenueFaults {
  readonly #random: Xoshiro128;
  readonly #venues: number;
  readonly #malformed: number;
  readonly #every: readonly { readonly what: 'kick' | 'mute' | 'outage'; readonly everyMs: number }[];
  /** What is planned, the next one first. */
  #planned: VenueFault[] = [];

  constructor(config: VenueFaultsConfig) {
    const { seed, venues, startsAt, kickEveryMs, muteEveryMs, outageEveryMs, malformed } = readOptions(
      'VenueFaults',
      config,
      OPTIONS,
    );
    this.#random = Xoshiro128.fromSeed(seed);
    this.#venues = venues;
    this.#malformed = malformed;
    const all = { kick: kickEveryMs, mute: muteEveryMs, outage: outageEveryMs } as const;
    this.#every = (['kick', 'mute', 'outage'] as const).flatMap((what) => {
      const everyMs = all[what];
      return everyMs === undefined ? [] : [{ what, everyMs }];
    });
    for (const { what } of this.#every) this.#plan(what, startsAt);
  }

  /** When the next one is due; `Infinity` for never. */
  get nextAt(): number {
    return this.#planned[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** What is due when the clock shows `now`, in order. */
  due(now: number): readonly VenueFault[] {
    const due: VenueFault[] = [];
    for (let next = this.#planned[0]; next && next.at <= now; next = this.#planned[0]) {
      this.#planned.shift();
      due.push(next);
      const { what, at, venue } = next;
      if (what === 'mute') this.#add({ at: at + MUTE_MS, what: 'unmute', venue });
      if (what === 'outage') this.#add({ at: at + OUTAGE_MS, what: 'restore', venue });
      if (what === 'kick' || what === 'mute' || what === 'outage') this.#plan(what, at);
    }
    return due;
  }

  /** The place of a malformed element in a message of so many records; undefined if it is to be sent as it is. */
  malformedAt(records: number): number | undefined {
    if (this.#malformed === 0 || this.#random.unit() >= this.#malformed) return undefined;
    return this.#random.below(records);
  }

  /** From half the time to one and a half. */
  #plan(what: 'kick' | 'mute' | 'outage', after: number): void {
    const everyMs = this.#every.find((one) => one.what === what)?.everyMs ?? Number.POSITIVE_INFINITY;
    this.#add({ at: after + everyMs * (0.5 + this.#random.unit()), what, venue: this.#random.below(this.#venues) });
  }

  #add(fault: VenueFault): void {
    this.#planned.push(fault);
    this.#planned.sort((one, other) => one.at - other.at);
  }
}
