import { isIP } from 'node:net';

const ADDRESS = /^(?:tcp|udp|sctp):\/\/\S+:\d+$/;
const PROTOCOL = /^(?:tcp|udp|sctp)$/;
const PORT = /^\d+$/;

/** What Kubernetes names its variables, of a service `mds` or `mds-…`, and what they look like. */
const FORMS: readonly (readonly [name: RegExp, isValue: (value: string) => boolean])[] = [
  [/_SERVICE_HOST$/, (value) => isIP(value) !== 0],
  [/_SERVICE_PORT(?:_\w+)?$/, (value) => PORT.test(value)],
  [/_PORT(?:_\d+_(?:TCP|UDP|SCTP))?$/, (value) => ADDRESS.test(value)],
  [/_PORT_\d+_(?:TCP|UDP|SCTP)_PROTO$/, (value) => PROTOCOL.test(value)],
  [/_PORT_\d+_(?:TCP|UDP|SCTP)_PORT$/, (value) => PORT.test(value)],
  [/_PORT_\d+_(?:TCP|UDP|SCTP)_ADDR$/, (value) => isIP(value) !== 0],
];

/**
 * Whether Kubernetes has put a variable into the environment of a container rather than a person: for each service of the
 * namespace, in the manner of Docker's links, so that a service `mds-metrics` sets `MDS_METRICS_PORT=tcp://10.0.0.7:9000`. See
 * "Discovering services" in its documentation.
 */
export function isServiceVariable(name: string, value: string): boolean {
  return FORMS.some(([pattern, isValue]) => pattern.test(name) && isValue(value));
}
