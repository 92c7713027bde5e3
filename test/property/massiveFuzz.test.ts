import { expect, it } from 'vitest';
import { massiveNormaliser } from '../../src/providers/massive/normalise/normaliser.js';
import { MassiveSession } from '../../src/providers/massive/session.js';
import type { Series } from '../../src/providers/session.js';
import { fuzzFrames } from '../../src/testing/index.js';
import { FUZZ_FRAMES, FUZZ_TIMEOUT_MS, tellFuzz } from '../support/fuzzCount.js';
import { framesOf } from '../support/massiveFrames.js';
import { readFrames } from '../support/readFrames.js';

const CONNECTED = '[{"ev":"status","status":"connected","message":"Connected Successfully"}]';
const WELCOME = '[{"ev":"status","status":"auth_success","message":"authenticated"}]';
const SERIES: readonly Series[] = [
  { of: 'trade', symbol: 'S1' },
  { of: 'quote', symbol: '*' },
  { of: 'bar', symbol: 'S2', timeframe: '1m' },
];

/** Besides data, messages about the connection, and elements that make no record. */
const CORPUS = [
  ...framesOf(400, 3),
  '[{"ev":"status","status":"success","message":"subscribed to: T.S1"}]',
  '[{"ev":"status","status":"success","message":"subscribed to: Q.*"},{"ev":"status","status":"success","message":"subscribed to: AM.S2"}]',
  '[{"ev":"status","status":"error","message":"not authorized"}]',
  '[{"ev":"LULD","T":"S1","h":101.2,"l":99.1,"i":[1],"z":3,"t":1767623400123456789,"q":7}]',
  '[{"ev":"NOI","T":"S1","t":1767623400123456789,"at":930,"a":"O","i":4,"x":10,"o":2000,"p":100,"b":99.5}]',
  '[{"ev":"FMV","sym":"S1","fmv":100.25,"t":1767623400123456789}]',
  '[{"ev":"V","T":"I:SPX","val":6001.5,"t":1767623400123}]',
];

function session() {
  const begun = new MassiveSession({ key: 'none', market: 'stocks', confirmAfterMs: 10_000 });
  begun.opened();
  begun.frame(CONNECTED, 0);
  begun.frame(WELCOME, 0);
  begun.subscribe(SERIES, 0);
  return begun;
}

it('frames as Massive sends them give a record per element', () => {
  const counts = readFrames(framesOf(2_000, 5), session(), massiveNormaliser('stocks'));
  expect(counts).toMatchObject({ failed: 0, unreadable: 0, elements: 10_000, records: 10_000 });
});

it('damaged frames of Massive do no harm, and each element is counted', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const normalise = massiveNormaliser('stocks');
  const report = fuzzFrames({ session, normalise, corpus: CORPUS, seed: 20_260_105, count: FUZZ_FRAMES });
  tellFuzz(`massive`, report);
  expect(report.frames).toBe(FUZZ_FRAMES);
  for (const count of [report.failed, report.unreadable, report.recorded]) {
    expect(count).toBeGreaterThan(FUZZ_FRAMES / 100);
  }
  expect(report.recorded + report.silent + report.unreadable).toBe(report.elements);
});
