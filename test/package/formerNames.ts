/**
 * Where each of the 284 names is that `sluice` exported before its root became small. A name that is renamed stands as
 * `Former -> Present`.
 */
export const FORMER_NAMES: Readonly<Record<string, string>> = {
  flow: `
    Account, admit -> operateQueued, BufferOverflowError, CancelWait, contextOf, Exit -> operateQueued, FailedWrite, FlowContext, Gate, GatedQueue,
    GatedQueueConfig, gatedSource, GatedSourceConfig, GateState, Handlers, InnerHandlers, isBufferOverflowError,
    Level, Monitor, operate, Operation, OperationInfo, Outlet, PipelineMonitor, PipelineMonitorConfig, SettledWrite,
    Stage, StageInfo, StageObserver, StageRole, subscribeInner, WatchedBreaker, withContext
  `,
  operators: `
    batch, BatchConfig, BoundedBuffer, boundedBuffer, BoundedBufferConfig, boundedMergeMap, BoundedMergeMapConfig,
    broadcast, BroadcastConfig, circuitBreaker, CircuitBreakerGuardConfig -> CircuitBreakerOptions, CircuitOpenError, Codec, conflate,
    ConflateConfig, CoordinatorPolicies, DeadLetters, decode, DecodeConfig, DecodeError, DecodeProblem, dedupe,
    DedupeConfig, Diversion, divert, DivertConfig, DivertReason, DivertVerdict, DropReason, isCircuitOpenError,
    isDecodeError, isStaleStreamError, isUnroutedError, isWriteError, isWriteOutcome, isWriteTimeoutError, lanes,
    LanesConfig, Overflow, pace, PaceConfig, Rejected, RetryPolicy, retryWithJitter, RetryWithJitterConfig, route,
    RouteBranches, Sink, StaleStreamError, UnroutedError, untilStopped, UntilStoppedConfig, watchdog,
    WatchdogConfig, writeCoordinator, WriteCoordinatorConfig, WriteError, WriteOutcome, WritePolicies, WriteReceipt,
    WriteTimeoutError, writeTo
  `,
  policies: `
    Backoff, BackoffConfig, BreakerState, CircuitBreaker, CircuitBreakerConfig, classifyFailure, FailureClass,
    failureType, Jitter, MarketCalendar, marketSessions, MarketSessionsConfig, PacingProfile, PacingWindow, Permit
  `,
  sources: `
    eventLoopScheduler, fromAsyncIterable, FromAsyncIterableConfig, fromIterable, FromIterableConfig, fromReadable,
    FromReadableConfig, synthetic, syntheticBars, SyntheticBarsConfig, SyntheticConfig, syntheticEvents,
    SyntheticEventsConfig
  `,
  sinks: `
    barsSink, BarsSinkConfig -> TableSinkConfig, fundamentalsSink, FundamentalsSinkConfig -> TableSinkConfig, MemorySink, memorySink, MemorySinkConfig,
    newsSink, NewsSinkConfig -> TableSinkConfig, optionsSink, OptionsSinkConfig -> TableSinkConfig, SinkSubscriber, sinkSubscriber, SinkSubscriberConfig
  `,
  pipelines: `
    FinishedRun -> RunReport, formatReport, isRunError, marketDataToStore, MarketDataToStoreConfig, run, RunConfig, RunError, RunOutcome,
    RunReport, SignalEmitter, StageReport
  `,
  market: `
    Bar, barCodec, barKey, Fundamentals, fundamentalsCodec, fundamentalsKey, MarketEvent, marketEventCodec,
    mergeBars, newsCodec, NewsItem, newsKey, optionCodec, optionKey, OptionSnapshot
  `,
  postgres: `
    bars, BarsConfig, isMigrationError, isStoreError, isStoreReadError, latest, LatestConfig, migrate,
    MigrateConfig, MigrationError, MigrationErrorCode, migrationPlan, MigrationReport, MigrationStep, openStore,
    OpenStoreConfig, Store, StoreError, StoreErrorCode, StoreReadError, Strategy, TableSinkConfig, TimescaleConfig
  `,
  files: `
    BadRow, BarDefaults, BarField, Disk, DiskFile, FileNotFoundError, FileRecord, isFileNotFoundError,
    isMissingColumnError, isNdjsonError, isUnreadableFileError, MissingColumnError, NdjsonError, NdjsonErrorCode,
    ndjsonSink, NdjsonSinkConfig, RecordPlace, ReplayBarsConfig, ReplayDecodedConfig, replayFile, ReplayItemsConfig,
    UnreadableFileError
  `,
  'dead-letters': `
    countDeadLetters, DeadLetter, DeadLetterCount, DeadLetterError, DeadLetterErrorCode, DeadLetterHold,
    DeadLetterQueue, DeadLetterStats, ErrorRecord, isDeadLetterError, LetterFilter, LetterProblem, LetterState,
    openDeadLetters, OpenDeadLettersConfig, readDeadLetters, ReadDeadLettersConfig, replayDeadLetters,
    ReplayDeadLettersConfig, ReplayProgress, StoredLetter, Tally -> LetterCount, UnreadLine
  `,
  telemetry: `
    BindConfig, CountedDeadLetters -> DeadLetterCounts, createLogger, CreateLoggerConfig, EventLoopDelayReading, EventTimeOf,
    isTelemetryError, LOG_LEVELS, LogDestination, Logger, LogLevel, logPipeline, LogPipelineConfig,
    MetricsFormat, MetricsRegistry, Obstacles -> ReadinessBlockers, PipelineLog, PipelineTelemetry, pipelineTelemetry,
    PipelineTelemetryConfig, PROVIDER_STATES, ProviderState, RenderedMetrics, serveTelemetry, ServeTelemetryConfig,
    SinkCheck, StageEdge, StageView, TelemetryError, TelemetryErrorCode, TelemetryServer -> PageServer, Topology
  `,
  settings: `
    describeSettings, Environment, isSettingsError, loadSettings, LoadSettingsConfig, Secret, SettingDescription,
    SettingOrigin, Settings, SettingsError, SettingsMistake, VariableName
  `,
  testing: `
    foldBars, foldByKey
  `,
};

/** The former names that no subpath exports, each with the reason. */
export const GONE_NAMES: Readonly<Record<string, string>> = {
  Bulk: 'internal: how a batch of items is handed over within one chain of Sluice operators',
  bulkOf: 'internal: how a batch of items is handed over within one chain of Sluice operators',
  MAX_WAITING: 'internal: the bound of a queue that has no configured one',
  NO_CONTEXT: 'internal: contextOf() returns it where a chain has no context',
  observers: 'PipelineMonitor.observe() adds an observer, and run({ observe }) takes several',
  Ring: 'internal: the array behind GatedQueue',
};
