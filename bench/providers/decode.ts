/**
 * Decodes and normalises frames of Massive, and parses the same frames with nothing but `JSON.parse`, in turns: decode.js <rounds>.
 * Prints the elements per second of both, and the median of the rounds' ratios.
 */
import { massiveNormaliser } from '../../src/providers/massive/normalise/normaliser.js';
import { MassiveSession } from '../../src/providers/massive/session.js';
import { Unreadable } from '../../src/providers/session.js';
import { framesOf } from '../../test/support/massiveFrames.js';
import { median } from '../report/table.js';

export interface DecodeResult {
  readonly parsePerSec: number;
  readonly decodePerSec: number;
  readonly ratioToParse: number;
}

const FRAMES = 2_000;
const ELEMENTS = 20;

const rounds = Number(process.argv[2]);
const frames = framesOf(FRAMES, ELEMENTS);
const normalise = massiveNormaliser('stocks');
const session = new MassiveSession({ key: 'none', market: 'stocks', confirmAfterMs: 10_000 });
session.opened();
session.frame('[{"ev":"status","status":"connected","message":"Connected Successfully"}]', 0);
session.frame('[{"ev":"status","status":"auth_success","message":"authenticated"}]', 0);

let now = Date.UTC(2026, 0, 5, 14, 31);

function parse(): number {
  let elements = 0;
  for (const frame of frames) elements += (JSON.parse(frame) as unknown[]).length;
  return elements;
}

function decode(): number {
  let records = 0;
  for (const frame of frames) {
    now += 1;
    for (const element of session.frame(frame, now).elements ?? []) {
      const made = normalise(element, now);
      if (made instanceof Unreadable) throw new Error(made.reason);
      records += 1;
    }
  }
  return records;
}

function timed(work: () => number): number {
  const startedAt = performance.now();
  const count = work();
  if (count !== FRAMES * ELEMENTS) throw new Error(`${count} of ${FRAMES * ELEMENTS} elements`);
  return performance.now() - startedAt;
}

const parseMs: number[] = [];
const decodeMs: number[] = [];
for (let round = -5; round < rounds; round++) {
  // In rotating order, so that neither always follows the other's garbage.
  const [first, second] = round % 2 === 0 ? [timed(parse), timed(decode)] : [timed(decode), timed(parse)].reverse();
  if (round < 0) continue;
  parseMs.push(first!);
  decodeMs.push(second!);
}
const perSec = (ms: readonly number[]) => (FRAMES * ELEMENTS * 1_000) / median(ms);
const result: DecodeResult = {
  parsePerSec: perSec(parseMs),
  decodePerSec: perSec(decodeMs),
  ratioToParse: median(parseMs.map((ms, round) => ms / decodeMs[round]!)),
};
console.log(JSON.stringify(result));
