import type { Stage } from '../../flow/stage.js';

interface Look {
  readonly in: number;
  readonly out: number;
  readonly gone: number;
  readonly since: number;
  isTold: boolean;
}

/**
 * Finds stages whose gate stays closed while nothing moves there. It looks now and then and compares counts, so that a gate that
 * opens and closes all the time, as backpressure has it, costs nothing and is not reported.
 */
export class ClosedGates {
  readonly #looks = new Map<Stage, Look>();
  readonly #afterMs: number;

  constructor(afterMs: number) {
    this.#afterMs = afterMs;
  }

  /**
   * The stages that have been closed for long enough, each once until it moves again: those at which the wait begins, as what is
   * upstream of a closed gate is soon closed too. A pace is closed by design.
   */
  look(stages: readonly Stage[], now: number): Stage[] {
    const stuck: Stage[] = [];
    for (const stage of stages) {
      const { gate, isLive } = stage;
      if (!gate || gate.isOpen || !isLive) {
        this.#looks.delete(stage);
        continue;
      }
      const gone = stage.written + stage.diverted + stage.droppedTotal;
      const former = this.#looks.get(stage);
      if (!former || former.in !== stage.in || former.out !== stage.out || former.gone !== gone) {
        this.#looks.set(stage, { in: stage.in, out: stage.out, gone, since: now, isTold: false });
      } else if (!former.isTold && now - former.since >= this.#afterMs) {
        former.isTold = true;
        if (stage.kind !== 'pace' && stage.feeds?.gate?.isOpen !== false) stuck.push(stage);
      }
    }
    return stuck;
  }
}
