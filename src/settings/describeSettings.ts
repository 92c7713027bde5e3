import type { Settings } from './loadSettings.js';
import type { SettingOrigin } from './readVariables.js';
import { withoutPassword } from './secret.js';
import type { VariableName } from './variableName.js';
import { VARIABLE_NAMES, VARIABLES } from './variables.js';

/** The effective value of one variable. */
export interface SettingDescription {
  readonly variable: VariableName;
  /** In the unit of the variable; `undefined` if it has no value. A secret is redacted. */
  readonly value: string | number | boolean | undefined;
  readonly unit: string | undefined;
  readonly origin: SettingOrigin;
  readonly meaning: string;
}

/** The effective value of each variable, and where it came from. Contains no secrets. */
export function describeSettings(settings: Settings): readonly SettingDescription[] {
  const { coordinator, retry, breaker, databaseUrl } = settings;
  const values: Readonly<Record<VariableName, SettingDescription['value']>> = {
    MDS_COORDINATOR_CAPACITY: coordinator.capacity,
    MDS_COORDINATOR_WORKERS: coordinator.workers,
    MDS_COORDINATOR_BATCH_SIZE: coordinator.batchSize,
    MDS_COORDINATOR_EAGER: coordinator.eager,
    MDS_COORDINATOR_FLUSH_INTERVAL: coordinator.lingerMs / 1_000,
    MDS_RETRY_MAX_ATTEMPTS: retry.maxAttempts,
    MDS_RETRY_INITIAL_BACKOFF_MS: retry.initialMs,
    MDS_RETRY_MAX_BACKOFF_MS: retry.maxMs,
    MDS_RETRY_BACKOFF_MULTIPLIER: retry.multiplier,
    MDS_RETRY_JITTER: retry.jitter !== 'none',
    MDS_CB_FAILURE_THRESHOLD: breaker.minimumCalls,
    MDS_CB_HALF_OPEN_AFTER_SEC: breaker.openMs / 1_000,
    MDS_METRICS_PORT: settings.metricsPort,
    MDS_DLQ_DIR: settings.deadLetterFolder,
    DATABASE_URL: databaseUrl && withoutPassword(databaseUrl),
  };
  return VARIABLE_NAMES.map((variable) => {
    const known = VARIABLES[variable];
    return {
      variable,
      value: values[variable],
      unit: 'unit' in known ? known.unit : undefined,
      origin: settings.origins[variable],
      meaning: known.meaning,
    };
  });
}
