import { marketEventCodec } from '../../market/codecs.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { messageOf } from '../../primitives/messageOf.js';
import { func, integer, type OptionsOf, readOptions, reject, unchecked } from '../../primitives/options.js';
import { Xoshiro128 } from '../../primitives/xoshiro128.js';
import { isProviderError } from '../../providers/providerErrors.js';
import type { Frame, Normalise, ProviderSession, SessionStep } from '../../providers/session.js';
import { damageFrame } from './damageFrame.js';

export interface FuzzFramesConfig {
  /** Makes a session that takes data: open, logged in and subscribed. Called for each that has failed, as on a new connection. */
  readonly session: () => ProviderSession;
  /** Makes records of its elements. */
  readonly normalise: Normalise;
  /** Frames as the vendor sends them. Those of an array come again and again; those of a generator must not end early. */
  readonly corpus: Iterable<Frame>;
  /** Any safe integer: the same seed damages in the same way. Default 1. */
  readonly seed?: number;
  /** How many frames. Integer of at least 1, default 20,000. */
  readonly count?: number;
  /** The time of receipt of the first frame, in epoch milliseconds; each comes a millisecond later. Default 5 January 2026. */
  readonly now?: number;
}

/** What became of the frames, and of the elements in them. */
export interface FuzzReport {
  readonly frames: number;
  /** Frames at which the session gave up its connection. */
  readonly failed: number;
  /** The sum of the next three. */
  readonly elements: number;
  /** Elements that made records, all of them valid. */
  readonly recorded: number;
  /** Elements that the vendor may send, and that make no record. */
  readonly silent: number;
  /** Elements that cannot be read. */
  readonly unreadable: number;
  readonly records: number;
  /** How often the session said that records are missing. */
  readonly holes: number;
}

const OPTIONS = {
  session: func().required(),
  normalise: func().required(),
  corpus: unchecked().required(),
  seed: integer({}).default(1),
  count: integer({ min: 1 }).default(20_000),
  now: integer({ min: 0 }).default(Date.UTC(2026, 0, 5, 14, 30)),
} satisfies OptionsOf<FuzzFramesConfig>;

/** So much of a frame is quoted. */
const MAX_QUOTED = 400;

/**
 * Feeds damaged frames to the session and the normaliser of a provider. Throws an error that quotes the frame and the seed at the first one that
 * makes either of them throw or return a promise, at a failure that is no `ProviderError`, at a record that its codec refuses, and at a hole
 * that ends before it begins. Each element is counted once: it makes records, it is known to make none, or it cannot be read.
 *
 * @example
 * ```ts
 * import type { Normalise, ProviderSession } from 'sluice/providers';
 * import { fuzzFrames } from 'sluice/testing';
 *
 * declare const session: () => ProviderSession;
 * declare const normalise: Normalise;
 * const corpus = ['[{"ev":"T","sym":"AAPL","p":227.1,"s":100,"t":1767623400000}]'];
 * const { elements, unreadable } = fuzzFrames({ session, normalise, corpus, seed: 7, count: 100_000 });
 * console.log(`${unreadable} of ${elements} elements could not be read, and none did any harm`);
 * ```
 */
export function fuzzFrames(config: FuzzFramesConfig): FuzzReport {
  const { session: begin, normalise, corpus, seed, count, now: start } = readOptions('fuzzFrames', config, OPTIONS);
  const random = Xoshiro128.fromSeed(seed);
  const counts = { frames: 0, failed: 0, elements: 0, recorded: 0, silent: 0, unreadable: 0, records: 0, holes: 0 };
  let session = begin() as ProviderSession;
  for (const intact of endless(corpus as Iterable<Frame>, count)) {
    const frame = damageFrame(intact, random);
    const now = start + counts.frames;
    counts.frames += 1;
    try {
      const step = session.frame(frame, now);
      takeStep(step, normalise as Normalise, now, counts);
      if (!step.fail) continue;
    } catch (cause) {
      const quoted = typeof frame === 'string' ? JSON.stringify(frame) : `bytes ${Buffer.from(frame).toString('hex')}`;
      const which = `frame ${counts.frames} of seed ${seed}`;
      throw new Error(`${which}: ${messageOf(cause)}: ${quoted.slice(0, MAX_QUOTED)}`, { cause });
    }
    counts.failed += 1;
    session = begin() as ProviderSession;
  }
  return counts;
}

type Counts = { -readonly [K in keyof FuzzReport]: number };

function takeStep(step: SessionStep, normalise: Normalise, now: number, counts: Counts): void {
  if (isPromise(step)) throw new Error('the session returned a promise');
  for (const element of step.elements ?? []) {
    counts.elements += 1;
    const made = normalise(element, now);
    if (isPromise(made)) throw new Error('the normaliser returned a promise');
    if (Array.isArray(made)) {
      counts[made.length > 0 ? 'recorded' : 'silent'] += 1;
      for (const record of made as readonly MarketEvent[]) takeRecord(record, counts);
    } else if ((made as Partial<MarketEvent>).kind !== undefined) {
      counts.recorded += 1;
      takeRecord(made as MarketEvent, counts);
    } else if (typeof (made as { readonly reason?: unknown }).reason === 'string') {
      counts.unreadable += 1;
    } else {
      throw new Error(`the normaliser made ${JSON.stringify(made)} of an element`);
    }
  }
  for (const { from, to } of step.holes ?? []) {
    counts.holes += 1;
    if (!(from <= to)) throw new Error(`the session reports a hole from ${from} to ${to}`);
  }
  for (const { error } of step.refused ?? []) if (!isProviderError(error)) throw error;
  if (step.fail && !isProviderError(step.fail)) throw step.fail;
}

function takeRecord(record: MarketEvent, counts: Counts): void {
  counts.records += 1;
  if (!marketEventCodec.is(record)) throw new Error(`a record that its codec refuses: ${JSON.stringify(record)}`);
}

function isPromise(value: unknown): boolean {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}

/** The first `count` frames, from the beginning again where there are fewer. */
function* endless(corpus: Iterable<Frame>, count: number): Generator<Frame> {
  let given = 0;
  while (given < count) {
    const before = given;
    for (const frame of corpus) {
      yield frame;
      given += 1;
      if (given === count) return;
    }
    if (given === before) reject('fuzzFrames', 'corpus', 'frames enough', `${given} frames`);
  }
}
