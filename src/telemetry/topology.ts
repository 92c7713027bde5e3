import type { Account, PipelineMonitor, Stage } from '../flow/monitor.js';

/** What the stages of a pipeline are, how they are connected, and what each has counted. */
export interface Topology {
  readonly pipeline: string;
  readonly account: Account;
  /** In the order in which items pass them. */
  readonly stages: readonly StageView[];
  readonly edges: readonly StageEdge[];
}

export interface StageView {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly role: Stage['role'];
  /** The coordinator that it belongs to, and the worker of it; `null` where it has none. */
  readonly group: string | null;
  readonly worker: number | null;
  readonly isLive: boolean;
  /** The gate that the stage shows to what is upstream; `null` where it has none. */
  readonly gate: 'open' | 'closed' | null;
  /** How long its own gate has been closed, in seconds; `null` where it has none. */
  readonly closedSeconds: number | null;
  readonly in: number;
  readonly out: number;
  readonly written: number;
  readonly diverted: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly held: number;
  readonly abandoned: number;
}

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
  return { pipeline, account: monitor.account(), stages: views, edges };
}

function viewOf(stage: Stage, closedSeconds: number | undefined): StageView {
  const { id, kind, name, role, isLive, gate } = stage;
  return {
    id,
    kind,
    name,
    role,
    group: stage.group ?? null,
    worker: stage.worker ?? null,
    isLive,
    gate: gate && isLive ? gate.state : null,
    closedSeconds: closedSeconds ?? null,
    in: stage.in,
    out: stage.out,
    written: stage.written,
    diverted: stage.diverted,
    dropped: Object.fromEntries(stage.dropped),
    held: stage.held,
    abandoned: stage.abandoned,
  };
}
