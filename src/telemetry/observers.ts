import type { StageObserver } from '../flow/monitor.js';

/**
 * Several observers as one, told in this order: metrics and a log of the same monitor.
 *
 * @example
 * ```ts
 * import { createLogger, logPipeline, observers, pipelineTelemetry } from 'sluice/telemetry';
 * import { PipelineMonitor } from 'sluice';
 *
 * const telemetry = pipelineTelemetry();
 * const log = logPipeline(createLogger());
 * const monitor = new PipelineMonitor({ observer: observers(telemetry.observer, log.observer) });
 * telemetry.bind(monitor);
 * ```
 */
export function observers(...all: readonly StageObserver[]): StageObserver {
  return {
    registered(stage) {
      for (const observer of all) observer.registered?.(stage);
    },
    settled(stage, outcome) {
      for (const observer of all) observer.settled?.(stage, outcome);
    },
    writeFailed(stage, failure) {
      for (const observer of all) observer.writeFailed?.(stage, failure);
    },
    retrying(stage, delayMs) {
      for (const observer of all) observer.retrying?.(stage, delayMs);
    },
    guarded(stage, breaker) {
      for (const observer of all) observer.guarded?.(stage, breaker);
    },
  };
}
