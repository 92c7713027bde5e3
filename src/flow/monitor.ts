import { type Account, accountOf } from './account.js';
import { combineObservers } from './combineObservers.js';
import { type Feed, type FeedAccount, FeedList } from './feed.js';
import { Deliveries } from './pipelineEnd.js';
import { type Routing, type RoutingAccount, RoutingList } from './routing.js';
import { type Stage, StageAccount, type StageInfo, type StageObserver } from './stage.js';

/**
 * Marks what a subscription registers, which takes up the account of a former subscription of the same stage. Anybody else who
 * registers gets an account of its own. Shared by every copy of the package in a process.
 */
export const MAY_RETURN = Symbol.for('sluice/mayReturn/1');

/** What a subscription registers. */
export interface Registration extends StageInfo {
  readonly [MAY_RETURN]?: true;
}

/** Where stages register themselves, and what topology, metrics and the final report are read from. */
export interface Monitor {
  /**
   * The account to keep; its `stage` is what everybody else sees. It is a new one, but for operators and sources that are
   * subscribed again. A monitor that hands on to another must pass the same `info`, or a copy with all its keys.
   */
  register(info: StageInfo): StageAccount;
  /** The account of a provider's stream that is subscribed: a new one, or that of a former subscription which has ended. */
  registerFeed?(name: string): FeedAccount;
  /** The account of a router that is subscribed: a new one, or that of a former subscription which has ended. */
  registerRouting?(name: string, strategy: string): RoutingAccount;
  /** Counts what the subscribers of its pipelines get. Without it, what the last stage hands on counts as delivered. */
  readonly deliveries?: Deliveries | undefined;
}

export interface PipelineMonitorConfig {
  /** Receives what happens at the stages, batch by batch. Default: none. */
  readonly observer?: StageObserver | undefined;
}

/** A {@link Monitor} that keeps the stages of one pipeline, or of all those of a program. */
export class PipelineMonitor implements Monitor {
  readonly deliveries = new Deliveries();
  readonly #accounts: StageAccount[] = [];
  #stages: readonly Stage[] | undefined;
  readonly #ordinals = new Map<string, number>();
  readonly #observers: StageObserver[] = [];
  #observer: StageObserver | undefined;
  readonly #feeds = new FeedList(() => this.#observer);
  readonly #routings = new RoutingList(() => this.#observer);

  constructor({ observer }: PipelineMonitorConfig = {}) {
    if (observer) this.observe(observer);
  }

  /** Tells `observer` of the stages that register from now on, and of all feeds. The function that is returned ends that. */
  observe(observer: StageObserver): () => void {
    const combine = () => {
      this.#observer = this.#observers.length > 1 ? combineObservers(this.#observers) : this.#observers[0];
    };
    this.#observers.push(observer);
    combine();
    return () => {
      const index = this.#observers.indexOf(observer);
      if (index >= 0) this.#observers.splice(index, 1);
      combine();
    };
  }

  register(info: Registration): StageAccount {
    const name = info.name ?? info.kind;
    const former = info[MAY_RETURN] && this.#formerOf(info, name);
    if (former) {
      former.reopen(info.gate, this.#observer, info.end);
      return former;
    }
    const ordinal = (this.#ordinals.get(name) ?? 0) + 1;
    this.#ordinals.set(name, ordinal);
    const account = new StageAccount(ordinal === 1 ? name : `${name}#${ordinal}`, info, this.#observer);
    this.#accounts.push(account);
    this.#stages = undefined;
    try {
      this.#observer?.registered?.(account.stage);
    } catch (error) {
      // The operator is not subscribed, and closes nothing.
      account.close();
      throw error;
    }
    return account;
  }

  /** Every stage until now, the last in a chain first, as they were subscribed. */
  get stages(): readonly Stage[] {
    this.#stages ??= Object.freeze(this.#accounts.map(({ stage }) => stage));
    return this.#stages;
  }

  registerFeed(name: string): FeedAccount {
    return this.#feeds.register(name);
  }

  /** The streams of providers until now, each as it is at this moment. */
  get feeds(): readonly Feed[] {
    return this.#feeds.feeds;
  }

  registerRouting(name: string, strategy: string): RoutingAccount {
    return this.#routings.register(name, strategy);
  }

  /** The routers until now, each as it is at this moment. */
  get routings(): readonly Routing[] {
    return this.#routings.routings;
  }

  account(): Account {
    return accountOf(this.stages, this.deliveries);
  }

  /** A retried or switched source comes back under its old account, so a flapping one does not grow the list. */
  #formerOf(info: StageInfo, name: string): StageAccount | undefined {
    return this.#accounts.find(
      ({ isLive, stage }) =>
        !isLive &&
        stage.kind === info.kind &&
        stage.name === name &&
        stage.feeds === info.feeds &&
        stage.worker === info.worker &&
        stage.branchOf === info.branchOf,
    );
  }
}

/** Registers nothing: each stage gets an account of its own that nobody reads. */
export const NO_MONITOR: Monitor = { register: (info) => new StageAccount(info.kind, info) };
