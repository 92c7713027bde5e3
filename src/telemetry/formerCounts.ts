import type { PipelineMonitor } from '../flow/monitor.js';
import {
  type DeadLetterCounts,
  type MetricSources,
  type PipelineView,
  scrapePipeline,
  scrapeStages,
} from './pipelineView.js';
import { Scrape } from './scrape.js';

/**
 * What the pipelines counted that are shown no more. Their monitors and queues of dead letters go on counting from where they were,
 * and may be shown again: what they had counted by then is not counted twice.
 */
export class FormerCounts {
  readonly #total = new Scrape();
  readonly #monitors = new WeakSet<PipelineMonitor>();
  readonly #letters = new WeakMap<DeadLetterCounts, { appended: number; replayed: number }>();

  /** Takes over what a pipeline has counted, which is shown no more. */
  add(view: PipelineView, sources: MetricSources): void {
    const { monitor, deadLetters } = view;
    const own = new Scrape();
    scrapePipeline(view, own, sources);
    own.addCountsTo(this.#total);
    this.#monitors.add(monitor);
    if (!deadLetters) return;
    const { appended, replayed } = deadLetters.stats();
    this.#letters.set(deadLetters, { appended: appended.letters, replayed: replayed.letters });
  }

  addTo(scrape: Scrape): void {
    this.#total.addCountsTo(scrape);
  }

  /** What of the counts of a pipeline that is to be shown belongs to former ones. */
  before({ name, monitor, deadLetters }: Omit<PipelineView, 'before'>, sources: MetricSources): Scrape {
    const before = new Scrape();
    if (this.#monitors.has(monitor)) scrapeStages(name, monitor, before, sources);
    const letters = deadLetters && this.#letters.get(deadLetters);
    if (letters) {
      before.add('lettersAppended', [name], letters.appended);
      before.add('lettersReplayed', [name], letters.replayed);
    }
    return before;
  }
}
