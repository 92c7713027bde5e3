import { posix } from 'node:path';
import type { Files } from '../repository.js';
import { docblockOf, type Export, exportsOf, isNode, parse, type SyntaxNode } from '../syntax.js';
import { cell, plain } from './tables.js';

/** A name that a subpath exports, and where it is declared. */
export interface Exported {
  readonly name: string;
  readonly kind: 'function' | 'class' | 'value' | 'type';
  /** The file that declares it. */
  readonly path: string;
  readonly node: SyntaxNode;
}

/** `src/providers/ibkr/index.ts` → `sluice/providers/ibkr`. */
export function subpathOf(index: string): string {
  return index.replace(/^src/, 'sluice').replace(/\/index\.ts$/, '');
}

/** The indexes that are subpaths of the package: the root first, then by name. */
export function indexesOf(files: Files): string[] {
  return [...files.keys()]
    .filter((path) => /^src\/(?:.+\/)?index\.ts$/.test(path))
    .sort((a, b) => (subpathOf(a) < subpathOf(b) ? -1 : 1));
}

/** What an index exports, types included, by name. */
export function exportedBy(files: Files, index: string): Exported[] {
  const found = exportsOf(parse(index, files.get(index) ?? '')).flatMap((one) => declared(files, index, one) ?? []);
  const byName = new Map(found.map((one) => [one.name, one]));
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Follows a name to the file that declares it. */
function declared(files: Files, path: string, { name, kind, from, node }: Export): Exported | undefined {
  if (from === undefined) return kind === 'from' ? undefined : { name, kind, path, node };
  const specifier = (node.specifiers as readonly SyntaxNode[]).find((one) => textOf(one.exported) === name);
  const original = specifier ? textOf(specifier.local) : name;
  const next = posix.join(posix.dirname(path), from).replace(/\.js$/, '.ts');
  const text = files.get(next);
  if (text === undefined) return undefined;
  const one = exportsOf(parse(next, text)).find((candidate) => candidate.name === original);
  const target = one && declared(files, next, one);
  return target && { ...target, name };
}

/** Where a name is explained: a page of its own, else the page of the file that declares it, else a guide to its folder. */
export interface PagesOf {
  /** By name, and by the file that declares it: `docs/operators/batch.md`. */
  readonly byName: ReadonlyMap<string, string>;
  readonly byFile: ReadonlyMap<string, string>;
  /** Folders and files of src by the beginning of their path; the first that fits counts. */
  readonly byFolder: readonly (readonly [prefix: string, page: string])[];
}

/** The page that explains an export, if one does. */
export function pageFor({ name, path }: Exported, pages: PagesOf): string | undefined {
  const about = name.replace(/^is(?=[A-Z])/, '').replace(/(?:Config|Options|ErrorOptions)$/, '');
  const lower = about.charAt(0).toLowerCase() + about.slice(1);
  const own = pages.byName.get(name) ?? pages.byName.get(about) ?? pages.byName.get(lower);
  return own ?? pages.byFile.get(path) ?? pages.byFolder.find(([prefix]) => path.startsWith(prefix))?.[1];
}

/** The index of all exports, with what each is in a sentence, and a link to its page. */
export function exportsPage(files: Files, pages: PagesOf): string {
  const indexes = indexesOf(files);
  const names = new Set(indexes.flatMap((index) => exportedBy(files, index).map(({ name }) => name)));
  const parts = indexes.map((index) => {
    const rows = exportedBy(files, index).map((one) => {
      const page = pageFor(one, pages)?.replace(/^docs\//, '');
      const name = page ? `[\`${one.name}\`](${page})` : `\`${one.name}\``;
      return `| ${name} | ${one.kind} | ${cell(summaryOf(files, one, names))} |`;
    });
    return [`## ${subpathOf(index)}`, ['| Name | | What it is |', '|---|---|---|', ...rows].join('\n')].join('\n\n');
  });
  const intro = [
    '# Index of exports',
    '<!-- Generated from the docblocks by `npm run docs`. -->',
    'Every name that each subpath exports, in the first sentence of its docblock, with a link to the page that explains it. The root,',
    '`sluice`, is a selection: everything in it has a subpath too. [Imports](imports.md) says what each subpath loads.',
  ];
  return `${[intro.slice(0, 2).join('\n\n'), intro.slice(2).join('\n'), ...parts].join('\n\n')}\n`;
}

function textOf(node: unknown): string {
  return isNode(node) ? String(node.name ?? node.value ?? '') : '';
}

/** A sentence that is longer ends at its colon. */
const MAX_SENTENCE = 140;

/**
 * The first sentence of the docblock of an export. Where there is none: what its name says, for guards, options and the codes of errors,
 * and the literals of a type that is made of them; else `''`. `names` are all that are exported.
 */
export function summaryOf(files: Files, { name, kind, path, node }: Exported, names: ReadonlySet<string>): string {
  const source = files.get(path) ?? '';
  const paragraph = (docblockOf(source, node)?.text ?? '').trim().split(/\n\s*\n|\n@|\n```/)[0] ?? '';
  const flat = plain(paragraph.replace(/\s+/g, ' '));
  const whole = /^.*?\.(?= |$)/.exec(flat)?.[0] ?? flat;
  const sentence = whole.length > MAX_SENTENCE ? whole.replace(/: .*/, '.') : whole;
  if (sentence !== '') return sentence;
  const guarded = /^is([A-Z]\w+)$/.exec(name)?.[1];
  if (guarded) return `Whether a value is ${/^[AEIOU]/.test(guarded) ? 'an' : 'a'} \`${guarded}\`.`;
  const failing = /^(\w+Error)Code$/.exec(name)?.[1];
  if (failing) return `What the \`code\` of the error \`${failing}\` can be.`;
  const configured = /^(\w+?)(?:Config|Options)$/.exec(name)?.[1] ?? '';
  const subject = [configured, configured.charAt(0).toLowerCase() + configured.slice(1)].find((one) => names.has(one));
  if (subject) return `The options of \`${subject}\`.`;
  const declaration = isNode(node.declaration) ? node.declaration : node;
  const meant = isNode(declaration.typeAnnotation)
    ? source.slice(declaration.typeAnnotation.start, declaration.typeAnnotation.end)
    : '';
  const literals = meant.replace(/\s+/g, ' ').replace(/^\| /, '');
  return kind === 'type' && /^'[\w-]+'(?: \| '[\w-]+')*$/.test(literals) ? `\`${literals}\`.` : '';
}
