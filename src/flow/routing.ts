/** What a router makes of one of its providers, at one moment. */
export interface RoutedState {
  readonly name: string;
  /** Whether what it sends is delivered. */
  readonly isActive: boolean;
  /** Whether nothing is against it: a provider that is not asked is well until it fails. */
  readonly isWell: boolean;
  /** In a word: `fresh`, `trying`, `live`, `resting`, `proving`, `ended`. */
  readonly state: string;
  /** Why its stream ended last, without secrets. */
  readonly lastError: string | undefined;
}

/** One provider has taken over from another. */
export interface RouteSwitch {
  /** In epoch milliseconds. */
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  /** Why the one before ended last, without secrets. */
  readonly error?: string;
  /** What it is about; left out for everything. */
  readonly symbols?: readonly string[];
}

/** How one subscription of a router is doing: counts since it was first subscribed, at one moment. */
export interface Routing {
  /** The name of the router, with a number from the second of that name in a pipeline on. */
  readonly id: string;
  readonly name: string;
  readonly strategy: string;
  /** Whether it is subscribed. */
  readonly isLive: boolean;
  /** In the order of preference. */
  readonly providers: readonly RoutedState[];
  /** Switches by their reason. */
  readonly switches: ReadonlyMap<string, number>;
  readonly lastSwitch: RouteSwitch | undefined;
}

/** Receives what happens at the routers of a monitor; nothing of it per item. What it throws fails the router. */
export interface RoutingObserver {
  /** A provider has taken over from another. */
  routeSwitched?(routing: Routing, change: RouteSwitch): void;
  /** A provider has ended for good; the error is `undefined` where its stream has completed. */
  routeEnded?(routing: Routing, provider: string, error: unknown): void;
}

const NOBODY: readonly RoutedState[] = [];

/** What a router counts with. */
export class RoutingAccount {
  readonly id: string;
  readonly name: string;
  readonly strategy: string;
  isLive = true;
  readonly #observer: () => RoutingObserver | undefined;
  readonly #switches = new Map<string, number>();
  #lastSwitch: RouteSwitch | undefined;
  #providers: () => readonly RoutedState[] = () => NOBODY;

  constructor(id: string, name: string, strategy: string, observer: () => RoutingObserver | undefined) {
    this.id = id;
    this.name = name;
    this.strategy = strategy;
    this.#observer = observer;
  }

  /** Gives the way to ask how the providers are doing. */
  reads(providers: () => readonly RoutedState[]): void {
    this.#providers = providers;
  }

  switched(change: RouteSwitch): void {
    this.#switches.set(change.reason, (this.#switches.get(change.reason) ?? 0) + 1);
    this.#lastSwitch = change;
    const observer = this.#observer();
    if (observer?.routeSwitched) observer.routeSwitched(this.routing, change);
  }

  ended(provider: string, error: unknown): void {
    const observer = this.#observer();
    if (observer?.routeEnded) observer.routeEnded(this.routing, provider, error);
  }

  /** As it is now, for those who only look. */
  get routing(): Routing {
    const { id, name, strategy, isLive } = this;
    return Object.freeze({
      ...{ id, name, strategy, isLive },
      providers: this.#providers(),
      switches: new Map(this.#switches),
      lastSwitch: this.#lastSwitch,
    });
  }

  /** Takes up the counts again for a new subscription. */
  reopen(): void {
    this.isLive = true;
  }

  /** The subscription has ended. How the providers were stays, but that nobody delivers. */
  close(): void {
    if (!this.isLive) return;
    this.isLive = false;
    const last = this.#providers().map((state) => ({ ...state, isActive: false }));
    this.#providers = () => last;
  }
}

/** The routers of one monitor. */
export class RoutingList {
  readonly #accounts: RoutingAccount[] = [];
  readonly #observer: () => RoutingObserver | undefined;

  /** `observer` is asked at each event who listens then. */
  constructor(observer: () => RoutingObserver | undefined) {
    this.#observer = observer;
  }

  /** The account of a former subscription of the same router that has ended, or a new one. */
  register(name: string, strategy: string): RoutingAccount {
    const former = this.#accounts.find((one) => !one.isLive && one.name === name && one.strategy === strategy);
    if (former) {
      former.reopen();
      return former;
    }
    const ordinal = this.#accounts.filter((account) => account.name === name).length + 1;
    const account = new RoutingAccount(ordinal === 1 ? name : `${name}#${ordinal}`, name, strategy, this.#observer);
    this.#accounts.push(account);
    return account;
  }

  get routings(): readonly Routing[] {
    return this.#accounts.map(({ routing }) => routing);
  }
}
