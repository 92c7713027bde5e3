import { Subject, VirtualTimeScheduler } from 'rxjs';
import { Gate } from '../../src/flow/gate.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { withContext } from '../../src/flow/withContext.js';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import { defineProvider } from '../../src/providers/defineProvider.js';
import type { ProviderParts } from '../../src/providers/provider.js';
import { providerRouter } from '../../src/providers/router/providerRouter.js';
import type { ProviderRouterConfig } from '../../src/providers/router/routerConfig.js';
import type { ProviderStreamConfig } from '../../src/providers/streamConfig.js';
import { scriptedConnect } from '../../src/testing/scriptedConnect.js';
import { brief, type ToyFrame, ToySession, toyNormalise, trade } from './toyVendor.js';

export interface ToyRouterConfig extends Partial<Omit<ProviderRouterConfig, 'providers'>> {
  /** Their names, the preferred one first. Default `x` and `y`. */
  readonly names?: readonly string[];
  readonly stream?: ProviderStreamConfig;
  readonly parts?: Partial<ProviderParts>;
  readonly spell?: Readonly<Record<string, (symbol: string) => string | undefined>>;
}

/** One vendor of a toy router, played by hand. */
export type ToyVendor = ReturnType<typeof toyVendor>;

function toyVendor(name: string, scheduler: VirtualTimeScheduler, config: ToyRouterConfig) {
  const vendor = scriptedConnect();
  const parts: ProviderParts = {
    name,
    kinds: ['trade', 'quote', 'bar'],
    pacing: {},
    session: () => new ToySession(),
    normalise(element) {
      const made = toyNormalise(element);
      return 'kind' in made ? { ...made, vendor: name } : made;
    },
    connect: vendor.connect,
    ...config.parts,
  };
  const provider = defineProvider(parts, { jitter: 'none', scheduler, ...config.stream });
  const say = (frame: ToyFrame) => vendor.last.receive(JSON.stringify(frame));
  return {
    provider,
    say,
    get vendor() {
      return vendor;
    },
    /** Whether it is connected, or is being connected. */
    get isAsked(): boolean {
      return vendor.connections.length > 0 && !vendor.last.isClosed;
    },
    get attempts(): number {
      return vendor.connections.length;
    },
    /** Opens the connection of now, logs in, and confirms these series. */
    login(...confirmed: string[]) {
      vendor.last.open();
      say({ welcome: true });
      if (confirmed.length > 0) say({ ok: confirmed });
    },
    trade: (symbol: string, ts: number) => say({ data: [trade(symbol, ts)] }),
    lose: () => vendor.last.lose(new Error('reset')),
  };
}

/** A subscribed router over toy vendors, in virtual time. What it says is logged as `<frame> <what>`. */
export function toyRouter(config: ToyRouterConfig = {}) {
  const { names = ['x', 'y'], stream: _, parts: __, spell = {}, ...rest } = config;
  const scheduler = new VirtualTimeScheduler(undefined, Number.POSITIVE_INFINITY);
  const vendors = names.map((name) => toyVendor(name, scheduler, config));
  const gate = new Gate();
  const monitor = new PipelineMonitor();
  const stopping = new Subject<void>();
  const log: string[] = [];
  const seen: MarketEvent[] = [];
  let error: unknown;
  const note = (what: string) => log.push(`${scheduler.now()} ${what}`);
  const router$ = providerRouter({
    providers: vendors.map(({ provider }, i) => {
      const spelling = spell[names[i]!];
      return spelling ? { provider, spell: spelling } : provider;
    }),
    strategy: 'failover',
    kinds: ['trade'],
    symbols: ['A'],
    scheduler,
    onSwitch: ({ from, to, reason, symbols }) => note(`${from}->${to} ${reason}${symbols ? ` ${symbols.join()}` : ''}`),
    ...rest,
  });
  const subscription = router$.pipe(withContext({ gate, monitor, stopping })).subscribe({
    next(record) {
      seen.push(record);
      note(`${record.vendor} ${brief(record)}`);
    },
    error(failure) {
      error = failure;
      note(`error ${failure.code ?? failure}`);
    },
    complete: () => note('complete'),
  });
  return {
    scheduler,
    vendors,
    gate,
    monitor,
    stopping,
    subscription,
    log,
    seen,
    get error() {
      return error;
    },
    /** What came since it was called last. */
    take: () => log.splice(0),
    dropped: () => monitor.account().dropped,
    /** Lets time pass. */
    pass(ms: number) {
      const until = scheduler.frame + ms;
      scheduler.maxFrames = until;
      scheduler.schedule(() => {}, ms);
      scheduler.flush();
      scheduler.maxFrames = Number.POSITIVE_INFINITY;
      scheduler.frame = until;
    },
  };
}
