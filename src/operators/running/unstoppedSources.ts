import type { Stage } from '../../flow/stage.js';

/**
 * The sources that are still subscribed though the pipeline was asked to stop: by their name, or by the stage below them, because
 * a source that is not one of Sluice's has no stage. A stage without any above it is below a source.
 */
export function unstoppedSources(all: readonly Stage[]): string[] {
  const live = all.filter(({ isLive }) => isLive);
  if (live.length === 0) return ['the source of the pipeline'];
  const operators = live.filter(({ role }) => role !== 'source');
  const isAbove = (stage: Stage, below: Stage) => stage.feeds === below || below.branchOf === stage;
  const heads = operators.filter((stage) => stage.isFed && !operators.some((other) => isAbove(other, stage)));
  return heads.map((head) => {
    // One that is subscribed again and again, by `repeat()`.
    const source = all.find((stage) => stage.isLive && stage.feeds === head);
    return source?.id ?? `the source of ${head.id}`;
  });
}
