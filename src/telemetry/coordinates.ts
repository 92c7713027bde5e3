import type { Stage } from '../flow/monitor.js';

/** What writers of a coordinator are called, after the name of the coordinator. */
const WRITE = '.write';

/** Whose worker a writer is: the labels `coord_id` and `worker_id`. */
export interface Coordinates {
  readonly coordId: string;
  readonly workerId: string;
}

/** Whether a stage may be the queue of a coordinator. */
export function isBuffer({ kind }: Pick<Stage, 'kind'>): boolean {
  return kind === 'boundedBuffer';
}

/**
 * Where a writer stands. A coordinator is a buffer and writers named after it: `bars`, and `bars.write`, `bars.write#2`, …,
 * which are its workers `0`, `1`, …. A writer that stands alone is a coordinator of its own name.
 */
export function coordinatesOf(
  { id, name }: Pick<Stage, 'id' | 'name'>,
  hasBuffer: (name: string) => boolean,
): Coordinates {
  const workerId = workerIdOf(id, name);
  if (!name.endsWith(WRITE)) return { coordId: name, workerId };
  const coordId = name.slice(0, -WRITE.length);
  return { coordId: hasBuffer(coordId) ? coordId : name, workerId };
}

/** `bars.write` is `0`, `bars.write#2` is `1`: the monitor numbers stages of one name from 2. */
function workerIdOf(id: string, name: string): string {
  const ordinal = Number(id.slice(name.length + 1));
  return id.length > name.length && Number.isInteger(ordinal) ? String(ordinal - 1) : '0';
}

/** The writers of one `coord_id`, with what stands in front of them. */
export interface CoordinatorStages {
  readonly id: string;
  /** The queues; none in front of a writer that stands alone. */
  readonly buffers: readonly Stage[];
  readonly writers: readonly Stage[];
  /** Lanes and batches between queue and writers. */
  readonly between: readonly Stage[];
}

/** The coordinators among these stages. */
export function coordinatorsOf(stages: readonly Stage[]): CoordinatorStages[] {
  const buffers = groupByName(stages.filter(isBuffer));
  const writers = new Map<string, Stage[]>();
  for (const stage of stages) {
    if (stage.role !== 'writer') continue;
    const { coordId } = coordinatesOf(stage, (name) => buffers.has(name));
    push(writers, coordId, stage);
  }
  const rest = groupByName(stages.filter((stage) => stage.role !== 'writer' && !isBuffer(stage)));
  return [...writers].map(([id, ofId]) => ({
    id,
    buffers: ofId.some(({ name }) => name === id + WRITE) ? (buffers.get(id) ?? []) : [],
    writers: ofId,
    between: [...(rest.get(`${id}.lanes`) ?? []), ...(rest.get(`${id}.batch`) ?? [])],
  }));
}

function groupByName(stages: readonly Stage[]): Map<string, Stage[]> {
  const groups = new Map<string, Stage[]>();
  for (const stage of stages) push(groups, stage.name, stage);
  return groups;
}

function push<K, V>(groups: Map<K, V[]>, key: K, value: V): void {
  const group = groups.get(key);
  if (group) group.push(value);
  else groups.set(key, [value]);
}
