import type { Stage } from '../flow/stage.js';

/** The stages of one `coord_id`. */
export interface Coordinator {
  readonly id: string;
  /** The queues; none in front of a writer that stands alone. */
  readonly buffers: Stage[];
  /** The writers, each with its label `worker_id`. */
  readonly workers: { readonly stage: Stage; readonly id: string }[];
  /** Lanes and batches between queue and writers. */
  readonly between: Stage[];
}

/**
 * The coordinators among these stages, by the group that each stage says it belongs to. A writer without one is a coordinator of
 * its own name. Writers of one name are counted through, so that two coordinators of one name have workers of their own.
 */
export function coordinatorsOf(stages: readonly Stage[]): Coordinator[] {
  const coordinators = new Map<string, Coordinator>();
  const counts = new Map<string, number>();
  for (const stage of stages) {
    const id = stage.group ?? (stage.role === 'writer' ? stage.name : undefined);
    if (id === undefined) continue;
    const coordinator = coordinators.get(id) ?? { id, buffers: [], workers: [], between: [] };
    coordinators.set(id, coordinator);
    if (stage.role === 'writer') {
      const count = counts.get(stage.name) ?? 0;
      counts.set(stage.name, count + 1);
      coordinator.workers.push({ stage, id: String(count) });
    } else if (stage.kind === 'boundedBuffer') {
      coordinator.buffers.push(stage);
    } else {
      coordinator.between.push(stage);
    }
  }
  return [...coordinators.values()];
}
