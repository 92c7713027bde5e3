import { describe, expect, it } from 'vitest';
import { describeSettings } from './describeSettings.js';
import { loadSettings } from './loadSettings.js';
import { VARIABLE_NAMES, VARIABLES } from './variables.js';

const describeAll = (env: Record<string, string>) =>
  describeSettings(loadSettings({ env, dotenvFile: false, cwd: '/srv' }));

describe('the description of settings', () => {
  it('has every variable, with its default in its own unit', () => {
    const rows = describeAll({});
    expect(rows.map(({ variable }) => variable)).toEqual(VARIABLE_NAMES);
    for (const { variable, value, origin } of rows) {
      const known = VARIABLES[variable];
      const text = 'byDefault' in known ? known.byDefault : undefined;
      expect([variable, value === undefined ? undefined : String(value), origin]).toEqual([
        variable,
        variable === 'MDS_DLQ_DIR' ? '/srv/.dlq' : text,
        'default',
      ]);
    }
  });

  it('shows what was given, and where', () => {
    const given: Record<string, string> = {
      MDS_COORDINATOR_CAPACITY: '11',
      MDS_COORDINATOR_WORKERS: '12',
      MDS_COORDINATOR_BATCH_SIZE: '13',
      MDS_COORDINATOR_EAGER: 'false',
      MDS_COORDINATOR_FLUSH_INTERVAL: '0.014',
      MDS_RETRY_MAX_ATTEMPTS: '15',
      MDS_RETRY_INITIAL_BACKOFF_MS: '16',
      MDS_RETRY_MAX_BACKOFF_MS: '17.5',
      MDS_RETRY_BACKOFF_MULTIPLIER: '1.8',
      MDS_RETRY_JITTER: 'false',
      MDS_CB_FAILURE_THRESHOLD: '19',
      MDS_CB_HALF_OPEN_AFTER_SEC: '2.25',
      MDS_METRICS_PORT: '21',
      MDS_DLQ_DIR: '/letters',
      DATABASE_URL: 'postgres://u:p@h/d',
    };
    expect(Object.keys(given)).toEqual(VARIABLE_NAMES);
    for (const { variable, value, origin } of describeAll(given)) {
      expect([variable, String(value), origin]).toEqual([
        variable,
        variable === 'DATABASE_URL' ? 'postgres://***@h/d' : given[variable],
        'environment',
      ]);
    }
  });
});
