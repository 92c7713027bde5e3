import { filter, isObservable, map, NEVER, Observable, of, share, shareReplay, switchMap } from 'rxjs';
import { contextOf } from '../../../src/flow/context.js';
import { Gate } from '../../../src/flow/gate.js';
import { withContext } from '../../../src/flow/withContext.js';
import type { MarketEvent } from '../../../src/market/recordKinds.js';
import { boundedBuffer } from '../../../src/operators/boundedBuffer.js';
import { untilStopped } from '../../../src/operators/untilStopped.js';
import { defineProvider } from '../../../src/providers/defineProvider.js';
import type { Connect, Provider, ProviderParts } from '../../../src/providers/provider.js';
import type { Normalise } from '../../../src/providers/session.js';
import type { ProviderStreamConfig } from '../../../src/providers/streamConfig.js';
import type { ProviderRuleId } from '../../../src/testing/conformance/providerConformance.js';
import {
  AsksNothing,
  ConfirmsAtOnce,
  FailsForOne,
  FailsWholeFrame,
  ForgetsKind,
  HidesRefusals,
  IgnoresNonsense,
  SaysNoWords,
  TriesAgain,
} from './brokenSessions.js';
import { referenceParts } from './referenceProvider.js';
import { ReferenceSession } from './referenceSession.js';
import type { ReferenceVenue } from './referenceVenue.js';

/** How a provider differs from the reference. */
interface Mutation {
  readonly config?: ProviderStreamConfig;
  readonly parts?: (parts: ProviderParts, venue: ReferenceVenue) => Partial<ProviderParts>;
  readonly stream?: (provider: Provider, config: ProviderStreamConfig) => Provider['stream'];
}

/** A provider that breaks these rules. */
export interface Mutant extends Mutation {
  readonly what: string;
  readonly rules: readonly ProviderRuleId[];
}

export function mutantProvider({ config, parts, stream }: Mutation) {
  return (venue: ReferenceVenue, settings: ProviderStreamConfig): Provider => {
    const own = referenceParts(venue);
    const all = { ...settings, ...config };
    const provider = defineProvider({ ...own, ...parts?.(own, venue) }, all);
    return stream ? { ...provider, stream: stream(provider, all) } : provider;
  };
}

type SessionLike = new (key: string) => ReferenceSession;

/** Each connection has a session of this class. */
const session = (Session: SessionLike): Mutation => ({
  parts: (_, { secret }) => ({ session: () => new Session(secret) }),
});

/** Records are changed on their way. */
const normalise = (change: (record: MarketEvent, count: number) => MarketEvent): Mutation => ({
  parts({ normalise: make }) {
    let count = 0;
    const changing: Normalise = (element, receivedAt) => {
      const made = make(element, receivedAt);
      count += 1;
      return 'kind' in made ? change(made, count) : made;
    };
    return { normalise: changing };
  },
});

/** What comes out is changed. */
const output = (change: (events$: Observable<MarketEvent>) => Observable<MarketEvent>): Mutation => ({
  stream: (provider) => (request) => change(provider.stream(request)),
});

const connect = (wrap: (connect: Connect) => Connect): Mutation => ({
  parts: (parts) => ({ connect: wrap(parts.connect) }),
});

const isGap = (event: MarketEvent) => event.kind === 'gap';

/** One mutant at least for each rule. */
export const MUTANTS: readonly Mutant[] = [
  {
    what: 'connects before it is subscribed to',
    rules: ['PR-1.1'],
    stream: (provider) => (request) => {
      const early$ = provider.stream(request).pipe(shareReplay(1));
      early$.subscribe();
      return early$;
    },
  },
  { what: 'forgets a kind', rules: ['PR-1.2'], ...session(ForgetsKind) },
  { what: 'counts a subscription when it is sent', rules: ['PR-1.3'], ...session(ConfirmsAtOnce) },
  {
    what: 'folds symbols',
    rules: ['PR-1.4'],
    ...normalise((record) => ('symbol' in record ? { ...record, symbol: record.symbol.toUpperCase() } : record)),
  },
  { what: 'names another vendor', rules: ['PR-1.5'], ...normalise((record) => ({ ...record, vendor: 'somebody' })) },
  {
    what: 'makes records that are none',
    rules: ['PR-1.5'],
    ...normalise((record) => ({ ...record, ts: Number.NaN }) as MarketEvent),
  },
  {
    what: 'shares one stream among all requests',
    rules: ['PR-1.6'],
    stream(provider) {
      let shared$: Observable<MarketEvent> | undefined;
      return (request) => {
        shared$ ??= provider.stream(request).pipe(share());
        return shared$;
      };
    },
  },
  {
    what: 'drops what it holds when it drains',
    rules: ['PR-2.1'],
    ...output((events$) => events$.pipe(untilStopped())),
  },
  {
    what: 'does not hear that it is to drain',
    rules: ['PR-2.1', 'PR-2.2'],
    ...output((events$) => events$.pipe(withContext({ stopping: NEVER }))),
  },
  {
    what: 'leaves its socket open',
    rules: ['PR-2.1', 'PR-2.3'],
    ...connect((open) => (events) => ({ ...open(events), close: () => {} })),
  },
  {
    what: 'leaves a timer behind',
    rules: ['PR-2.3'],
    stream:
      (provider, { scheduler }) =>
      (request) =>
        new Observable((subscriber) => {
          scheduler?.schedule(() => {}, 3_600_000);
          return provider.stream(request).subscribe(subscriber);
        }),
  },
  {
    what: 'subscribes to nothing after a reconnect',
    rules: ['PR-3.1'],
    parts: (_, { secret }) => {
      let connections = 0;
      return { session: () => (connections++ === 0 ? new ReferenceSession(secret) : new AsksNothing(secret)) };
    },
  },
  {
    what: 'tells no gaps',
    rules: ['PR-3.2', 'PR-3.6', 'PR-4.5'],
    ...output((events$) => events$.pipe(filter((event) => !isGap(event)))),
  },
  {
    what: 'begins gaps too late',
    rules: ['PR-3.2'],
    ...output((events$) =>
      events$.pipe(map((event) => (event.kind === 'gap' ? { ...event, from: event.from + 1 } : event))),
    ),
  },
  {
    what: 'ends gaps before what was missed',
    rules: ['PR-3.2'],
    ...output((events$) => events$.pipe(map((event) => (event.kind === 'gap' ? { ...event, to: event.from } : event)))),
  },
  {
    what: 'ends gaps after what was not missed',
    rules: ['PR-3.2'],
    ...output((events$) =>
      events$.pipe(map((event) => (event.kind === 'gap' ? { ...event, to: event.to + 86_400_000 } : event))),
    ),
  },
  { what: 'waits no longer the more often it is kicked', rules: ['PR-3.3', 'PR-3.5'], config: { multiplier: 1 } },
  { what: 'never lets the waits begin anew', rules: ['PR-3.4'], config: { healthyAfterMs: 1e9 } },
  { what: 'gives up', rules: ['PR-3.3', 'PR-3.5'], config: { maxAttempts: 2 } },
  { what: 'believes in sockets', rules: ['PR-3.6'], config: { deadAfterMs: 1e9 } },
  { what: 'takes silence for death', rules: ['PR-3.7'], config: { pingEveryMs: 1e9, deadAfterMs: 20_000 } },
  { what: 'storms when the quota is used up', rules: ['PR-3.8', 'PR-3.9'], config: { quotaCooldownMs: 0 } },
  {
    what: 'gives each copy an id of its own',
    rules: ['PR-4.1'],
    ...normalise((record, count) => (record.kind === 'trade' ? { ...record, id: String(count) } : record)),
  },
  { what: 'gives each version one seq', rules: ['PR-4.2'], ...normalise((record) => ({ ...record, seq: 1 })) },
  {
    what: 'drops what comes late',
    rules: ['PR-4.3'],
    stream: (provider) => (request) => {
      let last = 0;
      const isLate = (event: MarketEvent) => {
        if (!('ts' in event)) return false;
        const late = event.ts < last;
        last = Math.max(last, event.ts);
        return late;
      };
      return provider.stream(request).pipe(filter((event) => !isLate(event)));
    },
  },
  { what: 'gives up the neighbours of a malformed element', rules: ['PR-4.4'], ...session(FailsWholeFrame) },
  {
    what: 'does not count malformed elements',
    rules: ['PR-4.4'],
    parts: ({ normalise: make }) => ({
      normalise(element, receivedAt) {
        const made = make(element, receivedAt);
        return 'kind' in made ? made : [];
      },
    }),
  },
  {
    what: 'numbers the trades of each connection anew',
    rules: ['PR-4.6'],
    parts({ normalise: make, connect: open }) {
      let count = 0;
      return {
        connect(events) {
          count = 0;
          return open(events);
        },
        normalise(element, receivedAt) {
          const made = make(element, receivedAt);
          return 'kind' in made && made.kind === 'trade' ? { ...made, id: String(count++) } : made;
        },
      };
    },
  },
  {
    what: 'does not tell what a successor lacks',
    rules: ['PR-4.7'],
    ...output((events$) => events$.pipe(filter((event) => event.kind !== 'gap' || event.cause !== 'sequence'))),
  },
  {
    what: 'delivers twice what two connections have',
    rules: ['PR-4.7'],
    ...normalise((record, count) => ({ ...record, seq: 1_000_000 + count })),
  },
  { what: 'ignores what is no protocol', rules: ['PR-4.5'], ...session(IgnoresNonsense) },
  {
    what: 'emits while downstream is closed',
    rules: ['PR-5.1', 'PR-5.2'],
    ...output((events$) => events$.pipe(withContext({ gate: new Gate() }))),
  },
  {
    what: 'stops reading',
    rules: ['PR-5.1'],
    ...connect((open) => (events) => {
      let frames = 0;
      return open({
        ...events,
        opened: () => events.opened(),
        frame: (frame) => void (++frames < 20 && events.frame(frame)),
      });
    }),
  },
  {
    what: 'loses what comes in a pause',
    rules: ['PR-5.2', 'PR-5.3'],
    ...output(
      (events$) =>
        new Observable((subscriber) => {
          const { gate } = contextOf(subscriber);
          const open$ = events$.pipe(withContext({ gate: new Gate() }));
          return open$.pipe(filter(() => gate.isOpen)).subscribe(subscriber);
        }),
    ),
  },
  {
    what: 'repeats what comes in a pause',
    rules: ['PR-5.2'],
    ...output((events$) =>
      events$.pipe(switchMap((event) => ('ts' in event && event.ts % 7_000 === 0 ? of(event, event) : of(event)))),
    ),
  },
  {
    what: 'does not tell what it had no room for',
    rules: ['PR-5.3'],
    ...output((events$) => events$.pipe(filter((event) => event.kind !== 'gap' || event.cause !== 'overflow'))),
  },
  {
    what: 'queues quotes',
    rules: ['PR-5.4'],
    ...output((events$) => events$.pipe(boundedBuffer({ capacity: 100_000 }))),
  },
  {
    what: 'connects again for each set of symbols',
    rules: ['PR-6.1'],
    stream: (provider) => (request) => {
      const { symbols } = request;
      if (!isObservable(symbols)) return provider.stream(request);
      return symbols.pipe(switchMap((set) => provider.stream({ ...request, symbols: set })));
    },
  },
  { what: 'waits for an answer forever', rules: ['PR-6.2'], config: { confirmAfterMs: 1e9 } },
  { what: 'hides that a symbol is refused', rules: ['PR-6.3'], ...session(HidesRefusals) },
  { what: 'gives up all symbols for one', rules: ['PR-6.3'], ...session(FailsForOne) },
  {
    what: 'forgets what is not confirmed again',
    rules: ['PR-6.6'],
    ...output((events$) => events$.pipe(filter((event) => event.kind !== 'gap' || event.symbol === 'AAPL'))),
  },
  {
    what: 'begins as if nothing were known',
    rules: ['PR-6.7'],
    stream:
      (provider) =>
      ({ resumeFrom: _, ...request }) =>
        provider.stream(request),
  },
  {
    what: 'ends the gap of a restart before it is live',
    rules: ['PR-6.7'],
    ...output((events$) =>
      events$.pipe(
        map((event) => (event.kind === 'gap' && event.cause === 'restart' ? { ...event, to: event.from } : event)),
      ),
    ),
  },
  { what: 'tries a wrong key again', rules: ['PR-6.4', 'PR-6.5'], ...session(TriesAgain) },
  { what: 'keeps the words of the vendor to itself', rules: ['PR-6.4', 'PR-6.5'], ...session(SaysNoWords) },
  { what: 'repeats secrets', rules: ['PR-7.1'], parts: () => ({ secrets: [] }) },
];
