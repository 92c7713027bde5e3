/**
 * Sluice: lossless backpressure and an account of every item, in plain RxJS chains. Everything but `sluice/testing` is
 * here; `sluice/operators`, `sluice/sources`, `sluice/sinks` and `sluice/pipelines` have the same things by room. The core
 * that operators and sources are written with is only here.
 */

export { DecodeError, type DecodeProblem, isDecodeError } from './contracts/decodeError.js';
export type { DeadLetters, Diversion, DivertReason } from './contracts/diversion.js';
export { isWriteOutcome, type Sink, type WriteOutcome, type WriteReceipt } from './contracts/sink.js';
export { isWriteError, WriteError } from './contracts/writeError.js';
export { isWriteTimeoutError, WriteTimeoutError } from './contracts/writeTimeoutError.js';
export {
  countDeadLetters,
  type DeadLetter,
  type DeadLetterCount,
  DeadLetterError,
  type DeadLetterErrorCode,
  type DeadLetterHold,
  type DeadLetterQueue,
  type DeadLetterStats,
  type ErrorRecord,
  isDeadLetterError,
  type LetterFilter,
  type LetterProblem,
  type LetterState,
  type OpenDeadLettersConfig,
  openDeadLetters,
  type ReadDeadLettersConfig,
  type ReplayDeadLettersConfig,
  type ReplayProgress,
  readDeadLetters,
  replayDeadLetters,
  type StoredLetter,
  type Tally,
  type UnreadLine,
} from './dead-letters/index.js';
export type { Disk, DiskFile } from './disk/disk.js';
export { classifyFailure, type FailureClass, failureType } from './failures/classifyFailure.js';
export { contextOf, type FlowContext, NO_CONTEXT } from './flow/context.js';
export { BufferOverflowError, isBufferOverflowError } from './flow/errors.js';
export { Exit } from './flow/exit.js';
export { type CancelWait, Gate, type GateState } from './flow/gate.js';
export { admit, GatedQueue, type GatedQueueConfig, type Level, MAX_WAITING } from './flow/gatedQueue.js';
export { type GatedSourceConfig, gatedSource, type Outlet } from './flow/gatedSource.js';
export {
  type Account,
  type FailedWrite,
  type Monitor,
  PipelineMonitor,
  type PipelineMonitorConfig,
  type SettledWrite,
  type Stage,
  type StageInfo,
  type StageObserver,
  type StageRole,
  type WatchedBreaker,
} from './flow/monitor.js';
export {
  type Bulk,
  bulkOf,
  type Handlers,
  type InnerHandlers,
  type Operation,
  type OperationInfo,
  operate,
  subscribeInner,
} from './flow/operate.js';
export { withContext } from './flow/withContext.js';
export { type Bar, barKey } from './market/bar.js';
export { barCodec } from './market/barCodec.js';
export { foldBars } from './market/foldBars.js';
export { foldByKey } from './market/foldByKey.js';
export { type Fundamentals, fundamentalsKey } from './market/fundamentals.js';
export { fundamentalsCodec } from './market/fundamentalsCodec.js';
export { marketEventCodec } from './market/marketEventCodec.js';
export { mergeBars } from './market/mergeBars.js';
export { newsCodec } from './market/newsCodec.js';
export { type NewsItem, newsKey } from './market/newsItem.js';
export { optionCodec } from './market/optionCodec.js';
export { type OptionSnapshot, optionKey } from './market/optionSnapshot.js';
export type { MarketEvent } from './market/recordKinds.js';
export { CircuitOpenError, isCircuitOpenError } from './operators/errors/circuitOpenError.js';
export { isStaleStreamError, StaleStreamError } from './operators/errors/staleStreamError.js';
export { isUnroutedError, UnroutedError } from './operators/errors/unroutedError.js';
export {
  type BatchConfig,
  type BoundedBuffer,
  type BoundedBufferConfig,
  type BoundedMergeMapConfig,
  type BroadcastConfig,
  batch,
  boundedBuffer,
  boundedMergeMap,
  broadcast,
  type CircuitBreakerGuardConfig,
  type Codec,
  type ConflateConfig,
  type CoordinatorPolicies,
  circuitBreaker,
  conflate,
  type DecodeConfig,
  type DedupeConfig,
  type DivertConfig,
  type DivertVerdict,
  type DropReason,
  decode,
  dedupe,
  divert,
  type LanesConfig,
  lanes,
  type Overflow,
  type PaceConfig,
  pace,
  type Rejected,
  type RetryPolicy,
  type RetryWithJitterConfig,
  type RouteBranches,
  retryWithJitter,
  route,
  type UntilStoppedConfig,
  untilStopped,
  type WatchdogConfig,
  type WriteCoordinatorConfig,
  type WritePolicies,
  watchdog,
  writeCoordinator,
  writeTo,
} from './operators/index.js';
export {
  formatReport,
  isRunError,
  type MarketDataToStoreConfig,
  marketDataToStore,
  type RunConfig,
  RunError,
  type RunOutcome,
  type RunReport,
  run,
  type SignalEmitter,
  type StageReport,
} from './pipelines/index.js';
export { Backoff, type BackoffConfig, type Jitter } from './policies/backoff.js';
export {
  type BreakerState,
  CircuitBreaker,
  type CircuitBreakerConfig,
  type Permit,
} from './policies/circuitBreaker.js';
export { type MarketCalendar, type MarketSessionsConfig, marketSessions } from './policies/marketCalendar.js';
export type { PacingProfile, PacingWindow } from './policies/pacingProfile.js';
export { Ring } from './primitives/ring.js';
export { describeSettings, type SettingDescription } from './settings/describeSettings.js';
export { type LoadSettingsConfig, loadSettings, type Settings } from './settings/loadSettings.js';
export type { Environment, SettingOrigin } from './settings/readVariables.js';
export { Secret } from './settings/secret.js';
export { isSettingsError, SettingsError, type SettingsMistake } from './settings/settingsError.js';
export type { VariableName } from './settings/variables.js';
export {
  type BarsSinkConfig,
  barsSink,
  type FundamentalsSinkConfig,
  fundamentalsSink,
  isMigrationError,
  isNdjsonError,
  isStoreError,
  type MemorySink,
  type MemorySinkConfig,
  type MigrateConfig,
  MigrationError,
  type MigrationErrorCode,
  type MigrationReport,
  type MigrationStep,
  memorySink,
  migrate,
  migrationPlan,
  NdjsonError,
  type NdjsonErrorCode,
  type NdjsonSinkConfig,
  type NewsSinkConfig,
  ndjsonSink,
  newsSink,
  type OpenStoreConfig,
  type OptionsSinkConfig,
  openStore,
  optionsSink,
  SinkSubscriber,
  type SinkSubscriberConfig,
  type Store,
  StoreError,
  type StoreErrorCode,
  type Strategy,
  sinkSubscriber,
  type TableSinkConfig,
  type TimescaleConfig,
} from './sinks/index.js';
export {
  type BadRow,
  type BarDefaults,
  type BarField,
  type BarsConfig,
  bars,
  eventLoopScheduler,
  FileNotFoundError,
  type FileRecord,
  type FromAsyncIterableConfig,
  type FromIterableConfig,
  type FromReadableConfig,
  fromAsyncIterable,
  fromIterable,
  fromReadable,
  isFileNotFoundError,
  isMissingColumnError,
  isStoreReadError,
  isUnreadableFileError,
  type LatestConfig,
  latest,
  MissingColumnError,
  type RecordPlace,
  type ReplayBarsConfig,
  type ReplayDecodedConfig,
  type ReplayItemsConfig,
  replayFile,
  StoreReadError,
  type SyntheticBarsConfig,
  type SyntheticConfig,
  type SyntheticEventsConfig,
  synthetic,
  syntheticBars,
  syntheticEvents,
  UnreadableFileError,
} from './sources/index.js';
export {
  type BindConfig,
  type CountedDeadLetters,
  type CreateLoggerConfig,
  createLogger,
  type EventLoopDelayReading,
  type EventTimeOf,
  type FinishedRun,
  isTelemetryError,
  LOG_LEVELS,
  type LogDestination,
  type Logger,
  type LogLevel,
  type LogPipelineConfig,
  logPipeline,
  type MetricsFormat,
  type MetricsRegistry,
  type Obstacles,
  observers,
  type Page,
  type PageAnswer,
  type PageRequest,
  type PageServer,
  type PipelineLog,
  type PipelineTelemetry,
  type PipelineTelemetryConfig,
  PROVIDER_STATES,
  type ProviderState,
  pipelineTelemetry,
  type RenderedMetrics,
  type ServeTelemetryConfig,
  type SinkCheck,
  type StageEdge,
  type StageView,
  serveTelemetry,
  TelemetryError,
  type TelemetryErrorCode,
  type Topology,
} from './telemetry/index.js';
