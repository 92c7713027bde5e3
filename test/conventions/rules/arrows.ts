import { posix } from 'node:path';
import { type Files, lineAt } from '../repository.js';
import { importsOf, parse } from '../syntax.js';

/**
 * The house from the ground floor up: what each room of src may import besides itself. A room is listed above all that it
 * imports, so that no arrow can lead up. The index of a room may hand on more than the room imports: what users look for there.
 * `providers/*` stands for each venue: it is a room of its own, which no other room may import. The folders of providers that
 * venues share belong to `providers`. Its registry loads a venue once that is named.
 */
export const ARROWS: Readonly<Record<string, readonly string[]>> = {
  // Ground floor: what everything stands on.
  primitives: [],
  failures: [],
  market: ['primitives'],
  contracts: ['primitives', 'failures', 'market'],
  disk: ['primitives', 'failures'],
  // Pipelines in general: decisions, plumbing, settings.
  policies: ['primitives', 'failures', 'contracts'],
  flow: ['primitives', 'contracts'],
  settings: ['primitives'],
  // Verbs, and the doors to the outside.
  operators: ['primitives', 'failures', 'contracts', 'market', 'policies', 'flow'],
  postgres: ['primitives', 'failures', 'contracts', 'market', 'disk', 'flow'],
  files: ['primitives', 'failures', 'contracts', 'market', 'disk', 'flow'],
  telemetry: ['primitives', 'flow', 'operators'],
  // Nouns.
  sources: ['primitives', 'market', 'flow'],
  'sources/index.ts': ['primitives', 'files', 'postgres'],
  sinks: ['primitives', 'contracts', 'market', 'flow', 'operators', 'postgres'],
  'sinks/index.ts': ['files', 'postgres'],
  'dead-letters': ['primitives', 'failures', 'contracts', 'disk', 'flow', 'operators'],
  providers: ['primitives', 'failures', 'contracts', 'market', 'disk', 'policies', 'flow', 'operators'],
  'providers/*': ['primitives', 'failures', 'contracts', 'market', 'policies', 'flow', 'operators', 'providers'],
  testing: [
    'primitives',
    'failures',
    'contracts',
    'market',
    'policies',
    'flow',
    'operators',
    'dead-letters',
    'providers',
  ],
  // What a program starts.
  pipelines: ['primitives', 'contracts', 'market', 'flow', 'operators', 'postgres', 'dead-letters', 'sinks'],
  'index.ts': ['contracts', 'failures', 'market', 'policies', 'flow', 'operators', 'sources', 'sinks', 'pipelines'],
  cli: [
    'primitives',
    'failures',
    'contracts',
    'market',
    'policies',
    'flow',
    'operators',
    'settings',
    'postgres',
    'dead-letters',
    'sinks',
    'providers',
    'testing',
    'pipelines',
  ],
};

/**
 * The rooms that may import a package, so that who does not import their subpath does not load it. RxJS may be imported by all
 * rooms but those of plain decisions.
 */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  rxjs: Object.keys(ARROWS).filter((room) => !['failures', 'market', 'policies', 'settings'].includes(room)),
  'fastest-levenshtein': ['primitives'],
  effect: ['settings', 'dead-letters'],
  'io-ts': ['market'],
  pg: ['postgres'],
  'pg-copy-streams': ['postgres'],
  '@electric-sql/pglite': ['postgres'],
  yauzl: ['files'],
  fzstd: ['files'],
  'xxhash-wasm': ['files'],
  negotiator: ['telemetry'],
  pino: ['telemetry'],
  'prom-client': ['telemetry'],
  commander: ['cli'],
  '@msgpack/msgpack': ['providers/*', 'testing'],
  ws: ['providers', 'testing'],
  ix: ['providers'],
};

/** Rooms that run wherever RxJS does. */
const WITHOUT_NODE = ['primitives', 'failures', 'contracts', 'market', 'policies', 'flow', 'operators'];

/** Folders of providers that are no venue. */
const SHARED_BY_VENUES = ['backfill', 'decode', 'frames', 'rest', 'router', 'stream'];

/**
 * `src/operators/batch.ts` → `operators`; `src/index.ts` → `index.ts`; `src/sinks/index.ts`, an index with arrows of its own;
 * `src/providers/ibkr/connect.ts` → `providers/ibkr`.
 */
function roomOf(path: string): string {
  const place = path.slice('src/'.length);
  if (place in ARROWS) return place;
  const [first = '', second = ''] = place.split('/');
  const isVenue = first === 'providers' && !second.endsWith('.ts') && !SHARED_BY_VENUES.includes(second);
  return isVenue ? `${first}/${second}` : first;
}

function rowOf(room: string): string {
  return room.startsWith('providers/') ? 'providers/*' : room;
}

/** Arrows of the table that lead to a room that is not listed above. */
export function floorProblems(arrows: Readonly<Record<string, readonly string[]>>): string[] {
  const above = new Set<string>();
  return Object.entries(arrows).flatMap(([room, targets]) => {
    const up = targets.filter((target) => !above.has(target));
    above.add(room);
    return up.map((target) => `${room} may import ${target}, which is not listed above it`);
  });
}

interface Edge {
  readonly path: string;
  readonly line: number;
  readonly to: string;
  /** Whether only types are imported. */
  readonly isType: boolean;
  /** Whether it is loaded only once the code runs. */
  readonly isDynamic: boolean;
}

function edgesOf(files: Files): Edge[] {
  return [...files].flatMap(([path, text]) =>
    importsOf(parse(path, text)).map(({ from, node }) => ({
      path,
      line: lineAt(text, node.start),
      isDynamic: node.type === 'ImportExpression',
      isType: node.importKind === 'type' || node.exportKind === 'type',
      to: from.startsWith('.') ? posix.join(posix.dirname(path), from).replace(/\.js$/, '.ts') : from,
    })),
  );
}

/** Imports against the arrows; `declared` are the packages that the package depends on. */
export function arrowProblems(src: Files, declared: readonly string[]): string[] {
  const problems: string[] = [];
  for (const edge of edgesOf(src)) {
    const { path, line, to } = edge;
    const room = roomOf(path);
    const at = `${path}:${line}`;
    const allowed = ARROWS[rowOf(room)];
    if (!allowed) {
      problems.push(`${at}: src/${room} has no arrows yet: say in test/conventions/rules/arrows.ts what it may import`);
    } else if (to.startsWith('src/')) {
      const target = to === 'src/index.ts' ? roomOf(to) : roomOf(to.replace(/index\.ts$/, ''));
      const own = room.replace(/\/index\.ts$/, '');
      const isRegistry = path === 'src/providers/registry.ts' && edge.isDynamic;
      if (target.startsWith('providers/') && target !== own && !isRegistry) {
        problems.push(`${at}: ${room} must not know ${target}: a venue is reached by its own subpath alone`);
      } else if (target !== own && !isRegistry && !allowed.includes(target)) {
        problems.push(`${at}: ${room} must not know ${target} (it may import ${allowed.join(', ') || 'nothing else'})`);
      }
      if (!src.has(to)) problems.push(`${at}: there is no ${to}`);
    } else if (to.startsWith('.') || /^(test|examples|bench|marble-tests)\//.test(to)) {
      problems.push(`${at}: src must not import ${to}, which lies outside of it`);
    } else if (to.startsWith('rxjs/internal') || to.startsWith('rxjs/dist')) {
      problems.push(`${at}: ${to} is not public: import from 'rxjs'`);
    } else if (to === 'sluice' || to.startsWith('sluice/')) {
      problems.push(`${at}: src imports itself by relative path, not as ${to}`);
    } else if (to.startsWith('node:')) {
      if (WITHOUT_NODE.includes(room)) {
        problems.push(`${at}: ${room} must not import ${to}: it runs wherever RxJS does`);
      }
    } else {
      problems.push(...packageProblems(edge, room, declared));
    }
  }
  return problems;
}

function packageProblems({ path, line, to, isType }: Edge, room: string, declared: readonly string[]): string[] {
  const name = packageOf(to);
  const at = `${path}:${line}`;
  if (!declared.includes(name)) return [`${at}: ${name} is neither a dependency nor a peer of the package`];
  // A type loads nothing. RxJS is more than a package: a room without it is not even typed by it.
  if (isType && name !== 'rxjs') return [];
  // A venue brings a client of its own, as an optional peer.
  const rooms = PACKAGES[name] ?? (room.startsWith('providers/') ? [rowOf(room)] : []);
  if (rooms.includes(rowOf(room))) return [];
  return [`${at}: ${room} must not import ${name} (${rooms.join(', ') || 'no room'} may)`];
}

/** Optional peers that a module imports as it loads: without them nothing that imports it would load either. */
export function peerProblems(src: Files, optional: readonly string[]): string[] {
  return edgesOf(src)
    .filter(({ to, isType, isDynamic }) => !isType && !isDynamic && optional.includes(packageOf(to)))
    .map(
      ({ path, line, to }) => `${path}:${line}: ${to} is an optional peer: load it by loadPeers() where it is needed`,
    );
}

/** Packages that every user of this one installs and nothing of it imports. Types count for the package they describe. */
export function unusedPackages(src: Files, declared: readonly string[]): string[] {
  const used = new Set(edgesOf(src).map(({ to }) => packageOf(to)));
  return declared
    .filter((name) => !used.has(name.replace(/^@types\//, '')))
    .map((name) => `package.json: nothing in src imports ${name}: it is a devDependency, if anything`);
}

/** `@electric-sql/pglite/node-postgres` → `@electric-sql/pglite`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Each cycle of imports once, types included, as the files along it. */
export function importCycles(src: Files): string[] {
  const targets = new Map<string, string[]>();
  for (const { path, to } of edgesOf(src)) if (src.has(to)) targets.set(path, [...(targets.get(path) ?? []), to]);

  const cycles = new Set<string>();
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      const cycle = trail.slice(start);
      // Turned so that the same cycle reads the same wherever it was entered.
      const first = cycle.indexOf([...cycle].sort()[0] ?? path);
      const turned = [...cycle.slice(first), ...cycle.slice(0, first)];
      cycles.add([...turned, turned[0]].join(' → '));
      return;
    }
    if (done.has(path)) return;
    trail.push(path);
    for (const to of targets.get(path) ?? []) visit(to);
    trail.pop();
    done.add(path);
  };
  for (const path of src.keys()) visit(path);
  return [...cycles];
}
