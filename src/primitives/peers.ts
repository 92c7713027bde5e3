/** The optional peers of this package, with the version that an installation is told to take. */
export const PEER_VERSIONS = {
  '@electric-sql/pglite': '0.5',
  '@stoqey/ib': '1.6.10',
  pg: '8',
} as const;

export type Peer = keyof typeof PEER_VERSIONS;

/** What `import()` takes for a peer. */
type PeerModule = Peer | `${Peer}/${string}`;

/** A package that only some programs need is not installed. The message says how to install it. */
export class MissingPackageError extends Error {
  override readonly name = 'MissingPackageError';
  readonly code = 'SLUICE_PACKAGE_MISSING';
  readonly failureClass = 'fatal';
  readonly packages: readonly Peer[];

  constructor(user: string, packages: readonly Peer[], remedy: string | undefined, cause: unknown) {
    const [names, which] =
      packages.length === 1
        ? [`the package ${packages[0]}`, 'which is']
        : [`the packages ${packages.join(' and ')}`, 'which are'];
    const versions = packages.map((name) => `${name}@${PEER_VERSIONS[name]}`).join(' ');
    const other = remedy === undefined ? '' : `, or ${remedy}`;
    super(`${user} needs ${names}, ${which} not installed: run "npm install ${versions}"${other}`, { cause });
    this.packages = packages;
  }
}

export function isMissingPackageError(error: unknown): error is MissingPackageError {
  return error instanceof Error && error.name === 'MissingPackageError';
}

export interface PeerUse {
  /** What needs the packages: `the embedded store`. */
  readonly user: string;
  /** What else a person can do. */
  readonly remedy?: string;
}

/**
 * Loads optional peers when they are needed. Each loader is an `import()` of the name that it stands under, written out so that
 * bundlers find it. Rejects with one {@link MissingPackageError} that names all that are not installed, and with any other
 * error as it is.
 */
export async function loadPeers<L extends { readonly [M in PeerModule]?: () => Promise<unknown> }>(
  { user, remedy }: PeerUse,
  loaders: L,
): Promise<{ readonly [M in keyof L]: L[M] extends () => Promise<infer R> ? R : never }> {
  const names = Object.keys(loaders) as PeerModule[];
  const settled = await Promise.allSettled(names.map((name) => loaders[name]?.()));
  const missing = new Set<Peer>();
  let cause: unknown;
  const loaded: Record<string, unknown> = {};
  settled.forEach((result, index) => {
    const name = names[index]!;
    if (result.status === 'fulfilled') {
      loaded[name] = result.value;
      return;
    }
    const peer = peerOf(name);
    if (!isMissing(peer, result.reason)) throw result.reason;
    missing.add(peer);
    cause ??= result.reason;
  });
  if (missing.size > 0) throw new MissingPackageError(user, [...missing], remedy, cause);
  return loaded as Awaited<ReturnType<typeof loadPeers<L>>>;
}

/** `@electric-sql/pglite/node-postgres` → `@electric-sql/pglite` */
function peerOf(name: PeerModule): Peer {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/') as Peer;
}

/** Whether the package itself was not found, rather than one that it needs, which is named after it in the message. */
function isMissing(peer: Peer, error: unknown): boolean {
  const { code, message } = Object(error) as { readonly code?: unknown; readonly message?: unknown };
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return false;
  return new RegExp(`^Cannot find (?:package|module) ['"]${peer}['"/]`).test(String(message));
}
