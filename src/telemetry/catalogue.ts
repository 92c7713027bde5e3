import type { MetricInfo } from './metrics.js';

/** The states of a provider that its gauge can show. */
export const PROVIDER_STATES = ['connecting', 'live', 'stale', 'down'] as const;
export type ProviderState = (typeof PROVIDER_STATES)[number];

/** From a millisecond, for a batch to a server nearby, to beyond the usual time limit of a write. */
export const LATENCY_BOUNDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** From trades that are written immediately to daily bars, which are a day old when they are complete. */
export const FRESHNESS_BOUNDS: readonly number[] = [
  0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3_600, 21_600, 86_400,
];

const metric = (type: MetricInfo['type'], name: string, labels: readonly string[], help: string): MetricInfo => ({
  name,
  type,
  help,
  labels,
});

/** Every metric, by exact name and label. docs/telemetry.md has the same table, and a test keeps the two equal. */
export const METRICS = {
  submitted: metric('counter', 'mds_coord_items_submitted_total', ['coord_id'], 'Items that arrived at a coordinator.'),
  coordDropped: metric(
    'counter',
    'mds_coord_items_dropped_total',
    ['coord_id', 'reason'],
    'Items that a coordinator dropped on purpose, by reason.',
  ),
  queueDepth: metric('gauge', 'mds_coord_queue_depth', ['coord_id'], 'Items currently in the queue of a coordinator.'),
  workersAlive: metric('gauge', 'mds_coord_workers_alive', ['coord_id'], 'Running workers of a coordinator.'),
  circuitState: metric(
    'gauge',
    'mds_coord_circuit_state',
    ['coord_id'],
    'The circuit breaker of a coordinator: 0 closed, 1 open, 2 half-open.',
  ),
  batchesWritten: metric(
    'counter',
    'mds_worker_batches_written_total',
    ['coord_id', 'worker_id'],
    'Batches committed by a worker.',
  ),
  writeErrors: metric(
    'counter',
    'mds_worker_write_errors_total',
    ['coord_id', 'worker_id', 'error_type'],
    'Failed write attempts of a worker, by type of error.',
  ),
  writeLatency: metric(
    'histogram',
    'mds_worker_write_latency_seconds',
    ['coord_id', 'worker_id'],
    'Time from the first attempt to write a batch to its commit, including retries.',
  ),
  sinkWrites: metric(
    'counter',
    'sink_writes_total',
    ['sink', 'status'],
    'Writes to a sink: success counts commits, failure counts failed attempts.',
  ),
  sinkLatency: metric(
    'histogram',
    'sink_write_latency_seconds',
    ['sink'],
    'Time from the first attempt to write a batch to its commit, over all workers.',
  ),
  received: metric('counter', 'sluice_items_received_total', ['pipeline'], 'Items that entered a pipeline.'),
  written: metric('counter', 'sluice_items_written_total', ['pipeline'], 'Items committed by a sink.'),
  diverted: metric(
    'counter',
    'sluice_items_diverted_total',
    ['pipeline', 'reason'],
    'Items whose dead letter is durable, by reason.',
  ),
  dropped: metric(
    'counter',
    'sluice_items_dropped_total',
    ['pipeline', 'reason'],
    'Items dropped on purpose anywhere in a pipeline, by reason.',
  ),
  delivered: metric(
    'counter',
    'sluice_items_delivered_total',
    ['pipeline'],
    'Items delivered to a subscriber, in a pipeline that does not end in a write.',
  ),
  held: metric('gauge', 'sluice_items_held', ['pipeline'], 'Items that a pipeline holds now.'),
  filtered: metric(
    'gauge',
    'sluice_items_filtered',
    ['pipeline'],
    'Items removed by RxJS operators between two stages, including those in flight there.',
  ),
  conservation: metric(
    'gauge',
    'sluice_conservation_items',
    ['pipeline'],
    'Items that entered, less all that are accounted for: zero unless there is a fault.',
  ),
  gateOpen: metric('gauge', 'sluice_gate_open', ['pipeline', 'stage'], 'The gate of a stage: 1 open, 0 closed.'),
  gateClosed: metric(
    'counter',
    'sluice_gate_closed_seconds_total',
    ['pipeline', 'stage'],
    'How long the gate of a stage has been closed.',
  ),
  retries: metric('counter', 'sluice_retries_total', ['coord_id'], 'Retried writes.'),
  freshness: metric(
    'histogram',
    'sluice_freshness_seconds',
    ['coord_id'],
    'Time from the event to its commit, for the first and the last item of each batch.',
  ),
  lettersOpen: metric('gauge', 'sluice_dead_letters_open', ['pipeline'], 'Dead letters waiting to be replayed.'),
  lettersParked: metric('gauge', 'sluice_dead_letters_parked', ['pipeline'], 'Dead letters parked for manual review.'),
  lettersQuarantined: metric(
    'gauge',
    'sluice_dead_letters_quarantined',
    ['pipeline'],
    'Damaged parts of the dead letter folder, set aside.',
  ),
  lettersHolding: metric(
    'gauge',
    'sluice_dead_letters_holding',
    ['pipeline'],
    'Whether the pipeline holds its items because dead letters cannot be stored: 1 holding, 0 not.',
  ),
  lettersAppended: metric('counter', 'sluice_dead_letters_appended_total', ['pipeline'], 'Dead letters stored.'),
  lettersReplayed: metric(
    'counter',
    'sluice_dead_letters_replayed_total',
    ['pipeline'],
    'Dead letters removed after their items were written.',
  ),
  providerState: metric(
    'gauge',
    'sluice_provider_state',
    ['provider', 'state'],
    'The state of a provider: 1 for its current state, 0 for the others.',
  ),
  gapsOpen: metric('gauge', 'sluice_gaps_open', [], 'Gaps in the data that are not filled yet.'),
  draining: metric('gauge', 'sluice_draining', [], 'Whether a pipeline is draining: 1 draining, 0 not.'),
  loopMean: metric(
    'gauge',
    'sluice_event_loop_delay_mean_seconds',
    [],
    'Recent delay of event loop timers, on average.',
  ),
  loopP99: metric(
    'gauge',
    'sluice_event_loop_delay_p99_seconds',
    [],
    'Recent delay of event loop timers, 99th percentile.',
  ),
  loopMax: metric('gauge', 'sluice_event_loop_delay_max_seconds', [], 'Recent delay of event loop timers, maximum.'),
} as const;

export type MetricKey = keyof typeof METRICS;
