import type { FeedState } from '../flow/feed.js';
import type { MetricInfo } from './metrics.js';

/** The states of a provider that its gauge can show. */
export const PROVIDER_STATES = ['connecting', 'live', 'stale', 'down'] as const satisfies readonly FeedState[];
/** The state of the connection of a provider, as metrics show it. */
export type ProviderState = FeedState;

/** From a millisecond, for a batch to a server nearby, to beyond the usual time limit of a write. */
export const LATENCY_BOUNDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** From trades that are written immediately to daily bars, which are a day old when they are complete. */
export const FRESHNESS_BOUNDS: readonly number[] = [
  0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3_600, 21_600, 86_400,
];

const define =
  (type: MetricInfo['type']) =>
  (name: string, labels: string, help: string): MetricInfo => {
    return { name, type, help, labels: labels.match(/\w+/g) ?? [] };
  };
const counter = define('counter');
const gauge = define('gauge');
const histogram = define('histogram');

/**
 * Every metric, by exact name, labels and help. docs/telemetry.md has the same table, and a test keeps the two equal.
 */
export const METRICS = {
  submitted: counter('mds_coord_items_submitted_total', 'coord_id', 'Items that arrived at a coordinator.'),
  coordDropped: counter(
    'mds_coord_items_dropped_total',
    'coord_id reason',
    'Items that a coordinator dropped, by reason.',
  ),
  queueDepth: gauge('mds_coord_queue_depth', 'coord_id', 'Items in the queue of a coordinator.'),
  workersAlive: gauge('mds_coord_workers_alive', 'coord_id', 'Running workers of a coordinator.'),
  circuitState: gauge('mds_coord_circuit_state', 'coord_id', 'Circuit breaker: 0 closed, 1 open, 2 half-open.'),
  batchesWritten: counter('mds_worker_batches_written_total', 'coord_id worker_id', 'Batches committed by a worker.'),
  writeErrors: counter(
    'mds_worker_write_errors_total',
    'coord_id worker_id error_type',
    'Failed write attempts, by type.',
  ),
  writeLatency: histogram('mds_worker_write_latency_seconds', 'coord_id worker_id', 'From first attempt to commit.'),
  sinkWrites: counter('sink_writes_total', 'sink status', 'Commits (success) and failed attempts (failure) of a sink.'),
  sinkLatency: histogram('sink_write_latency_seconds', 'sink', 'From first attempt to commit, over all workers.'),
  received: counter('sluice_items_received_total', 'pipeline', 'Items that entered a pipeline.'),
  written: counter('sluice_items_written_total', 'pipeline', 'Items committed by a sink.'),
  diverted: counter('sluice_items_diverted_total', 'pipeline reason', 'Items with a durable dead letter, by reason.'),
  dropped: counter('sluice_items_dropped_total', 'pipeline reason', 'Items dropped anywhere in a pipeline, by reason.'),
  delivered: counter(
    'sluice_items_delivered_total',
    'pipeline',
    'Items delivered to a subscriber rather than written.',
  ),
  held: gauge('sluice_items_held', 'pipeline', 'Items that a pipeline holds.'),
  filtered: gauge('sluice_items_filtered', 'pipeline', 'Items that RxJS operators between two stages removed or hold.'),
  conservation: gauge('sluice_conservation_items', 'pipeline', 'Items unaccounted for: zero unless there is a fault.'),
  gateOpen: gauge('sluice_gate_open', 'pipeline stage', 'The gate of a stage: 1 open, 0 closed.'),
  gateClosed: counter(
    'sluice_gate_closed_seconds_total',
    'pipeline stage',
    'How long the gate of a stage has been closed.',
  ),
  retries: counter('sluice_retries_total', 'coord_id', 'Retried writes.'),
  freshness: histogram('sluice_freshness_seconds', 'coord_id', 'From event to commit, for the ends of each batch.'),
  lettersOpen: gauge('sluice_dead_letters_open', 'pipeline', 'Dead letters waiting to be replayed.'),
  lettersParked: gauge('sluice_dead_letters_parked', 'pipeline', 'Dead letters parked for manual review.'),
  lettersQuarantined: gauge('sluice_dead_letters_quarantined', 'pipeline', 'Damaged parts of the dead letter folder.'),
  lettersHolding: gauge(
    'sluice_dead_letters_holding',
    'pipeline',
    'Whether items wait because letters cannot be stored.',
  ),
  lettersAppended: counter('sluice_dead_letters_appended_total', 'pipeline', 'Dead letters stored.'),
  lettersReplayed: counter('sluice_dead_letters_replayed_total', 'pipeline', 'Dead letters removed once written.'),
  providerState: gauge(
    'sluice_provider_state',
    'pipeline provider state',
    'The state of a provider: 1 for its current state.',
  ),
  providerMessages: counter('sluice_provider_messages_total', 'pipeline provider', 'Messages received of a provider.'),
  providerBytes: counter('sluice_provider_bytes_total', 'pipeline provider', 'The size of these messages.'),
  providerRecords: counter('sluice_provider_records_total', 'pipeline provider', 'Records made of these messages.'),
  providerUnreadable: counter(
    'sluice_provider_unreadable_total',
    'pipeline provider',
    'Elements of messages that could not be read.',
  ),
  providerReconnects: counter(
    'sluice_provider_reconnects_total',
    'pipeline provider',
    'Connections to a provider after the first.',
  ),
  providerSilence: gauge(
    'sluice_provider_silence_seconds',
    'pipeline provider',
    'Seconds since the last message of a provider.',
  ),
  providerSubscriptions: gauge(
    'sluice_provider_subscriptions',
    'pipeline provider state',
    'Subscriptions that are asked for, and how many of them the provider has confirmed or refused.',
  ),
  providerWaiting: gauge(
    'sluice_provider_waiting_records',
    'pipeline provider',
    'Records of a provider that wait for a slow pipeline.',
  ),
  providerConflated: counter(
    'sluice_provider_conflated_total',
    'pipeline provider reason',
    'Quotes (conflated) and forming bars (replaced) for which newer ones came while they waited.',
  ),
  providerOverflowed: counter(
    'sluice_provider_overflowed_total',
    'pipeline provider',
    'Records for which there was no room, and of which gap records tell.',
  ),
  providerGaps: counter(
    'sluice_provider_gaps_total',
    'pipeline provider cause',
    'Gap records of a provider, by cause.',
  ),
  routerActive: gauge(
    'sluice_router_active',
    'pipeline router provider',
    'Whether a provider of a router delivers: 1 it does, 0 not.',
  ),
  routerWell: gauge(
    'sluice_router_well',
    'pipeline router provider',
    'Whether a router has nothing against a provider: 1 well, 0 away.',
  ),
  routerSwitches: counter(
    'sluice_router_switches_total',
    'pipeline router reason',
    'Providers that took over from others, by what was wrong with these.',
  ),
  gapsOpen: gauge('sluice_gaps_open', 'pipeline cause', 'Gaps in the store that are open, by cause.'),
  gapsOldest: gauge(
    'sluice_gaps_oldest_seconds',
    'pipeline cause',
    'Time since the end of the oldest open gap, by cause: zero without one.',
  ),
  draining: gauge('sluice_draining', '', 'Whether a pipeline is draining: 1 draining, 0 not.'),
  loopMean: gauge('sluice_event_loop_delay_mean_seconds', '', 'Recent delay of event loop timers, on average.'),
  loopP99: gauge('sluice_event_loop_delay_p99_seconds', '', 'Recent delay of event loop timers, 99th percentile.'),
  loopMax: gauge('sluice_event_loop_delay_max_seconds', '', 'Recent delay of event loop timers, maximum.'),
} as const;

export type MetricKey = keyof typeof METRICS;
