import { describe, expect, it } from 'vitest';
import { loadSettings } from './loadSettings.js';

const of = (env: Record<string, string>) => loadSettings({ env, dotenvFile: false });

/** What Kubernetes sets for a service of this name. */
function service(name: string, host = '10.96.0.7', port = '9000', portName = 'HTTP'): Record<string, string> {
  const prefix = name.toUpperCase().replaceAll('-', '_');
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    [`${prefix}_SERVICE_HOST`]: host,
    [`${prefix}_SERVICE_PORT`]: port,
    [`${prefix}_SERVICE_PORT_${portName}`]: port,
    [`${prefix}_PORT`]: `tcp://${shown}:${port}`,
    [`${prefix}_PORT_${port}_TCP`]: `tcp://${shown}:${port}`,
    [`${prefix}_PORT_${port}_TCP_PROTO`]: 'tcp',
    [`${prefix}_PORT_${port}_TCP_PORT`]: port,
    [`${prefix}_PORT_${port}_TCP_ADDR`]: host,
    [`${prefix}_PORT_${port}_UDP`]: `udp://${shown}:${port}`,
    [`${prefix}_PORT_${port}_UDP_PROTO`]: 'udp',
  };
}

describe('variables that Kubernetes puts in', () => {
  it.each(['mds', 'mds-writer', 'mds-metrics', 'mds-dlq-dir', 'mds-coordinator-workers'])(
    'of a service %s are no settings, and no mistakes',
    (name) => {
      expect(of(service(name))).toEqual(of({}));
      expect(of(service(name, 'fd00::7', '5432', 'PG_MAIN'))).toEqual(of({}));
    },
  );

  it('leave a setting of the same name to .env and the default', () => {
    expect(of({ MDS_METRICS_PORT: 'tcp://10.96.0.7:9000' }).metricsPort).toBe(9_000);
    expect(of({ MDS_METRICS_PORT: '9100', MDS_METRICS_SERVICE_HOST: '10.96.0.7' }).metricsPort).toBe(9_100);
  });

  it.each([
    { MDS_PORT: '9000' },
    { MDS_PORT: 'http://10.0.0.1:9000' },
    { MDS_SERVICE_HOST: 'db.example' },
    { MDS_SERVICE_PORT: 'http' },
    { MDS_SERVICE: '10.0.0.1' },
    { MDS_PORT_80_TCP_PROTO: 'http' },
    { mds_metrics_port: '9000' },
    { MDS_METRICS_PORT: 'tcp://' },
  ] as Record<string, string>[])('are told from mistakes by their values: %j', (env) => {
    expect(() => of(env)).toThrow(expect.objectContaining({ code: 'SLUICE_SETTINGS_INVALID' }));
  });
});
