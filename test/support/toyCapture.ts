import { type Observable, VirtualTimeScheduler } from 'rxjs';
import { Gate } from '../../src/flow/gate.js';
import { withContext } from '../../src/flow/withContext.js';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import { defineProvider } from '../../src/providers/defineProvider.js';
import {
  type CaptureFramesConfig,
  captureFrames,
  type FrameCapture,
} from '../../src/providers/frames/captureFrames.js';
import { type ReplayFramesConfig, replayFrames } from '../../src/providers/frames/replayFrames.js';
import type { ProviderParts } from '../../src/providers/provider.js';
import type { ProviderStreamConfig } from '../../src/providers/streamConfig.js';
import { scriptedConnect } from '../../src/testing/scriptedConnect.js';
import { type ToyFrame, ToySession, toyNormalise } from './toyVendor.js';

export const TOY: Omit<ProviderParts, 'connect'> = {
  name: 'toy',
  kinds: ['trade', 'quote', 'bar'],
  pacing: {},
  session: () => new ToySession(),
  normalise: toyNormalise,
  secrets: ['s3cret'],
};

const REQUEST = { kinds: ['trade', 'quote'], symbols: ['A'] } as const;

/** A live run of the toy vendor in virtual time that is captured into a folder. */
export function capturedToy(folder: string, capturing: CaptureFramesConfig = {}, config: ProviderStreamConfig = {}) {
  const scheduler = new VirtualTimeScheduler(undefined, Number.POSITIVE_INFINITY);
  scheduler.frame = Date.UTC(2026, 0, 5, 14, 30);
  const capture: FrameCapture = captureFrames(folder, { scheduler, ...capturing });
  const vendor = scriptedConnect();
  const { wrapConnect } = capture;
  const provider = defineProvider({ ...TOY, connect: vendor.connect }, { scheduler, wrapConnect, ...config });
  const seen: MarketEvent[] = [];
  const subscription = provider.stream(REQUEST).subscribe({ next: (record) => seen.push(record), error: () => {} });
  return {
    scheduler,
    vendor,
    capture,
    seen,
    say: (frame: ToyFrame) => vendor.last.receive(JSON.stringify(frame)),
    pass(ms: number) {
      scheduler.maxFrames = scheduler.frame + ms;
      scheduler.schedule(() => {}, ms);
      scheduler.flush();
      scheduler.maxFrames = Number.POSITIVE_INFINITY;
    },
    login() {
      vendor.last.open();
      this.say({ welcome: true });
      this.say({ ok: ['trade A', 'quote A'] });
    },
    async end() {
      subscription.unsubscribe();
      await capture.close();
    },
  };
}

/** The stream of a replay. Its error, if any, rejects. */
export function replayedToy(path: string, replaying: ReplayFramesConfig, config: ProviderStreamConfig = {}) {
  const replay = replayFrames(path, replaying);
  const gate = new Gate();
  const unused = () => {
    throw new Error('a replay must not connect');
  };
  const stream$: Observable<MarketEvent> = defineProvider(
    { ...TOY, connect: unused },
    { ...replay.config, ...config },
  ).stream(REQUEST);
  const seen: MarketEvent[] = [];
  const done = new Promise<readonly MarketEvent[]>((resolve, reject) => {
    stream$.pipe(withContext({ gate })).subscribe({
      next: (record) => seen.push(record),
      error: reject,
      complete: () => resolve(seen),
    });
  });
  return { replay, gate, seen, done };
}
