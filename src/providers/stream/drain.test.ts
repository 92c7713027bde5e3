import { setImmediate } from 'node:timers/promises';
import { NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { letterBox } from '../../../test/support/diversions.js';
import { ToySession, toyNormalise, trade } from '../../../test/support/toyVendor.js';
import type { Sink } from '../../contracts/sink.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { writeCoordinator } from '../../operators/writeCoordinator.js';
import { run } from '../../pipelines/run.js';
import { scriptedConnect } from '../../testing/scriptedConnect.js';
import { defineProvider } from '../defineProvider.js';

const COUNT = 2_000;

/** Runs a stream into a sink, and asks it to drain when everything has come and most of it waits in the intake. */
async function drained(drainTimeoutMs: number, write: Sink<MarketEvent>['write']) {
  const vendor = scriptedConnect();
  const { letters, deadLetters, count } = letterBox<MarketEvent>();
  const provider = defineProvider({
    name: 'toy',
    kinds: ['trade'],
    pacing: {},
    session: () => new ToySession(),
    normalise: toyNormalise,
    connect: vendor.connect,
  });
  const stop = new AbortController();
  const done = run(
    provider
      .stream({ kinds: ['trade'], symbols: ['A'] })
      .pipe(writeCoordinator({ name: 'toy', write }, { capacity: 50, batchSize: 10, policies: { deadLetters } })),
    { stop: stop.signal, drainTimeoutMs, signals: [] },
  );
  vendor.last.open();
  vendor.last.receive('{"welcome":true,"ok":["trade A"]}');
  const data = Array.from({ length: COUNT }, (_, ts) => trade('A', ts));
  vendor.last.receive(JSON.stringify({ data }));
  stop.abort();
  const report = await done;
  return { report, letters, count, isClosed: vendor.last.isClosed };
}

describe('a pipeline that drains while the intake of its provider is full', () => {
  it('writes all of it, where the sink can', async () => {
    let written = 0;
    const { report, isClosed } = await drained(60_000, async (items) => {
      await setImmediate();
      written += items.length;
      return { rows: items.length };
    });
    expect([written, isClosed]).toEqual([COUNT, true]);
    expect(report).toMatchObject({ outcome: 'drained', received: COUNT, written: COUNT, held: 0, unstopped: [] });
  });

  it('puts all of it into the dead letters, where the sink cannot write it in time', async () => {
    const { report, count } = await drained(200, () => NEVER);
    expect(count()).toBe(COUNT);
    expect(report).toMatchObject({ received: COUNT, divertedBy: { drain: COUNT }, held: 0, conservation: 0 });
  });
});
