/** The form that our messages and the manual show. */
export const CONNECTION_STRING = 'postgres://user:password@host:port/database';

const ESCAPES = '%40 for an @, %2F for a /, %3F for a ?, %23 for a #, %3A for a : and %25 for a % in user and password';

/** What is said of a text that is no connection string at all. */
export const NO_CONNECTION_STRING = `is not a connection string: write ${CONNECTION_STRING}, and ${ESCAPES}`;

/** Parameters whose value may hold an `@`. Anything else before an `@` may be a piece of a password that has a `?` in it. */
const PARAMETERS = new Set([
  ...['user', 'password', 'host', 'port', 'db', 'database', 'encoding', 'client_encoding', 'options', 'replication'],
  ...['application_name', 'fallback_application_name', 'statement_timeout', 'lock_timeout', 'query_timeout'],
  ...['ssl', 'sslmode', 'sslcert', 'sslkey', 'sslrootcert', 'sslnegotiation', 'uselibpqcompat'],
]);

/** A name, an IPv4 address, or an IPv6 address, with its zone. */
const HOST = /^(?:[\w.-]*|[\da-f:.]+(?:%[\w.-]+)?)$/i;

/**
 * Why a text is not the connection string of one Postgres server, as the end of a sentence that begins with its name; undefined
 * if the driver takes it, and takes it as it is meant. Any piece of the text may be of a password, so none is quoted.
 */
export function connectionStringProblem(text: string): string | undefined {
  if (/^["'`\u2018-\u201f]/.test(text)) return 'is in quotes, which are part of its value: remove them';
  if (/^\s*\w+\s*=/.test(text)) return `is a list of names and values: write it as ${CONNECTION_STRING}`;
  // The socket's folder and the database, with a space between.
  if (/^\/(?!\/)/.test(text)) return /[@:?#]/.test(text) ? NO_CONNECTION_STRING : undefined;
  const [, scheme, authority = '', rest = ''] =
    /^(postgres(?:ql)?:\/\/|socket:(?:\/\/)?)([^/?#]*)(.*)$/is.exec(text) ?? [];
  if (scheme === undefined) return NO_CONNECTION_STRING;
  if (hasStrayAt(rest)) {
    return `has an @ behind its first /, ? or #, so that it cannot be told where the password ends: write ${ESCAPES}`;
  }
  const url = parse(text);
  if (!url) return authority.includes(',') ? severalHosts() : NO_CONNECTION_STRING;
  const parts = partsOf(url);
  if (!parts) return NO_CONNECTION_STRING;
  const { user, hosts, port } = parts;
  if (user.includes(':') && url.password === '') return 'has an escaped : between user and password: write it as it is';
  if (hosts.some((host) => host.includes(',')) || port.includes(',')) return severalHosts();
  if (!hosts.every((host) => host.startsWith('/') || HOST.test(host))) return NO_CONNECTION_STRING;
  return undefined;
}

function severalHosts(): string {
  return 'names several hosts, which is not supported: name one, such as an address or a pooler that leads to the primary';
}

/** An `@` after the host. A user or password that should have been escaped has moved the end of the host forward then. */
function hasStrayAt(rest: string): boolean {
  if (!rest.includes('@')) return false;
  const [, path = '', query = '', fragment = ''] = /^([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(rest) ?? [];
  if (path.includes('@') || fragment.includes('@')) return true;
  return query.split('&').some((parameter) => {
    const [name = '', value = ''] = parameter.split(/=(.*)/s);
    return name.includes('@') || (value.includes('@') && !PARAMETERS.has(name));
  });
}

/** As the driver parses; undefined if it cannot, or if it would read something else than what is meant. */
function parse(text: string): URL | undefined {
  const spelled = escaped(text);
  if (spelled === undefined) return undefined;
  // A user without a host is no URL to Node.
  for (const candidate of [spelled, spelled.replace('@/', '@localhost/')]) {
    if (URL.canParse(candidate)) return new URL(candidate);
  }
  return undefined;
}

/** The driver escapes a string that has a space or a lone `%`, and with them the `%` of what is escaped already. */
function escaped(text: string): string | undefined {
  if (!/ |%[^a-f\d]|%[a-f\d][^a-f\d]/i.test(text)) return text;
  if (/%(?:[a-f][\da-f]|\d[a-f])/i.test(text)) return undefined;
  try {
    return encodeURI(text).replace(/%25(\d\d)/g, '%$1');
  } catch {
    return undefined;
  }
}

/** The parts as the driver decodes them; undefined if it cannot. */
function partsOf(url: URL) {
  try {
    decodeURIComponent(url.password);
    decodeURI(url.pathname);
    const inBrackets = /^\[(.+)\]$/.exec(url.hostname)?.[1];
    const hosts = [inBrackets ?? decodeURIComponent(url.hostname), url.searchParams.get('host') ?? ''];
    return { user: decodeURIComponent(url.username), hosts, port: url.searchParams.get('port') ?? '' };
  } catch {
    return undefined;
  }
}
