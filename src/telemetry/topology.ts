import type { Account } from '../flow/account.js';
import type { Feed } from '../flow/feed.js';
import type { PipelineMonitor } from '../flow/monitor.js';
import type { Routing } from '../flow/routing.js';
import type { Stage } from '../flow/stage.js';
import { COUNTS } from '../operators/running/runReport.js';
import { pick } from '../primitives/pick.js';

/** What the stages of a pipeline are, how they are connected, and what each has counted. */
export interface Topology {
  readonly pipeline: string;
  readonly account: Account;
  /** In the order in which items pass them. */
  readonly stages: readonly StageView[];
  readonly edges: readonly StageEdge[];
  /** The streams of its providers. */
  readonly feeds: readonly FeedView[];
  /** Its routers: who delivers, and why others do not. */
  readonly routers: readonly RouterView[];
}

/** What of a stage is shown as it is. */
const SHOWN = ['id', 'kind', 'name', 'role', 'isLive', ...COUNTS, 'held', 'abandoned'] as const;

/** A stage in a topology: what it is, what it has counted, and its gate. */
export interface StageView extends Pick<Stage, (typeof SHOWN)[number]> {
  /** The coordinator that it belongs to, and the worker of it; `null` where it has none. */
  readonly group: string | null;
  readonly worker: number | null;
  /** The gate that the stage shows to what is upstream; `null` where it has none. */
  readonly gate: 'open' | 'closed' | null;
  /** How long its own gate has been closed, in seconds; `null` where it has none. */
  readonly closedSeconds: number | null;
  readonly dropped: Readonly<Record<string, number>>;
}

/** A feed; times in Unix epoch milliseconds. */
export interface FeedView extends Omit<Feed, 'gapsBy' | 'lastMessageAt' | 'lastNotice' | 'lastError'> {
  /** By cause. */
  readonly gapsBy: Readonly<Record<string, number>>;
  readonly lastMessageAt: number | null;
  readonly lastNotice: string | null;
  readonly lastError: string | null;
}

/** A router; times in Unix epoch milliseconds. */
export interface RouterView extends Omit<Routing, 'switches' | 'lastSwitch'> {
  /** By reason. */
  readonly switches: Readonly<Record<string, number>>;
  readonly lastSwitch: Routing['lastSwitch'] | null;
}

/** A way from one stage to the next, in a topology. */
export interface StageEdge {
  readonly from: string;
  readonly to: string;
  /** What it carries. After a writer there are outcomes only. */
  readonly carries: 'items' | 'outcomes';
}

export function topologyOf(
  pipeline: string,
  monitor: PipelineMonitor,
  closedSeconds: (stage: Stage) => number | undefined,
): Topology {
  const stages = [...monitor.stages].reverse();
  const known = new Set(stages);
  const forks = new Set(stages.map(({ branchOf }) => branchOf));
  const edges = stages.flatMap((stage): StageEdge[] => {
    const { id, feeds, branchOf, role } = stage;
    const into: StageEdge[] = branchOf && known.has(branchOf) ? [{ from: branchOf.id, to: id, carries: 'items' }] : [];
    // A stage with branches hands on through them.
    if (!feeds || !known.has(feeds) || forks.has(stage)) return into;
    return [...into, { from: id, to: feeds.id, carries: role === 'writer' ? 'outcomes' : 'items' }];
  });
  const views = stages.map((stage) => viewOf(stage, closedSeconds(stage)));
  const feeds = monitor.feeds.map(feedViewOf);
  const routers = monitor.routings.map(routerViewOf);
  return { pipeline, account: monitor.account(), stages: views, edges, feeds, routers };
}

function viewOf(stage: Stage, closedSeconds: number | undefined): StageView {
  const { gate, isLive, group = null, worker = null, dropped } = stage;
  return {
    ...pick(stage, SHOWN),
    group,
    worker,
    gate: gate && isLive ? gate.state : null,
    closedSeconds: closedSeconds ?? null,
    dropped: Object.fromEntries(dropped),
  };
}

function routerViewOf({ lastSwitch, switches, ...routing }: Routing): RouterView {
  return { ...routing, switches: Object.fromEntries(switches), lastSwitch: lastSwitch ?? null };
}

function feedViewOf(feed: Feed): FeedView {
  const { lastMessageAt = null, lastNotice = null, lastError = null } = feed;
  return { ...feed, lastMessageAt, lastNotice, lastError, gapsBy: Object.fromEntries(feed.gapsBy) };
}
