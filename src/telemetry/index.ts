export { PROVIDER_STATES, type ProviderState } from './catalogue.js';
export {
  type CreateLoggerConfig,
  createLogger,
  LOG_LEVELS,
  type LogDestination,
  type Logger,
  type LogLevel,
} from './createLogger.js';
export type { EventLoopDelayReading } from './eventLoopDelay.js';
export { type LogPipelineConfig, logPipeline, type PipelineLog } from './logPipeline.js';
export type { MetricsFormat, MetricsRegistry, RenderedMetrics } from './metrics.js';
export {
  type BindConfig,
  type FeedStatus,
  type PipelineTelemetry,
  type PipelineTelemetryConfig,
  pipelineTelemetry,
  type ReadinessBlockers,
} from './pipelineTelemetry.js';
export type { DeadLetterCounts, OpenGaps, OpenGapsOfCause } from './pipelineView.js';
export type { SinkCheck } from './readiness.js';
export type { Page, PageAnswer, PageRequest, PageServer } from './servePages.js';
export { type ServeTelemetryConfig, serveTelemetry } from './serveTelemetry.js';
export { isTelemetryError, TelemetryError, type TelemetryErrorCode } from './telemetryError.js';
export type { FeedView, StageEdge, StageView, Topology } from './topology.js';
export type { EventTimeOf } from './writerRecord.js';
