import { posix } from 'node:path';
import type { Files } from '../repository.js';
import { body, docblockOf, exportsOf, importsOf, isNode, nameOf, parse, type SyntaxNode, walk } from '../syntax.js';
import { LEAD_INS } from './docblocks.js';

/** The lead-ins that stand in the table at the top of a page: what a reader compares first. */
const AT_A_GLANCE = ['Emits when', 'Backpressure', 'Completes when', 'Errors when'];

/** What follows this line on a page is written by hand, and kept. */
export const NOTES = '## Notes';

/** The parts of a docblock that a page is made of. */
export interface Docblock {
  readonly summary: string;
  readonly marble: string | undefined;
  /** Text between the drawing and the first lead-in. */
  readonly details: string;
  readonly sections: ReadonlyMap<string, string>;
  readonly example: string | undefined;
}

export function readDocblock(text: string): Docblock {
  const [before = '', tags = ''] = splitAt(text, text.search(/^@example/m));
  const marble = /^```text\n[\s\S]*?^```/m.exec(before)?.[0];
  const [intro = '', rest = ''] = marble ? splitAt(before, before.indexOf(marble)) : [before, ''];
  const body = marble ? rest.slice(marble.length) : '';
  const leadIn = new RegExp(`^\\*\\*(${LEAD_INS.join('|')})[.:]?\\*\\*:?`, 'm');
  const sections = new Map<string, string>();
  const spoken = marble ? body : intro;
  let remaining = spoken.slice(firstIndex(spoken.search(leadIn), spoken.length));
  const details = spoken.slice(0, spoken.length - remaining.length);
  for (let match = leadIn.exec(remaining); match; match = leadIn.exec(remaining)) {
    remaining = remaining.slice(match.index + match[0].length);
    const end = firstIndex(remaining.search(leadIn), remaining.length);
    sections.set(match[1] ?? '', remaining.slice(0, end).trim());
    remaining = remaining.slice(end);
  }
  return {
    summary: plain(marble ? intro : details),
    marble,
    details: marble ? plain(details) : '',
    sections,
    example: /^```ts\n[\s\S]*?^```/m.exec(tags)?.[0],
  };
}

/** The page of the function `name` of the file `path`; what is written by hand under {@link NOTES} in `former` is kept. */
export function pageOf(name: string, path: string, files: Files, former: string | undefined): string {
  const text = files.get(path) ?? '';
  const declared = exportsOf(parse(path, text)).filter((one) => one.name === name);
  // The docblock stands above the first of several overloads.
  const docblock = readDocblock(docblockOf(text, declared[0]!.node)?.text ?? '');
  const section = (title: string, content: string | undefined) => (content ? `## ${title}\n\n${content}` : undefined);
  const spoken = (title: string) => capitalised(plain(docblock.sections.get(title) ?? ''));
  const glance = AT_A_GLANCE.filter((leadIn) => docblock.sections.has(leadIn));
  const parts = [
    `# ${name}`,
    `<!-- Generated from ${path} by \`npm run docs\`. Change the docblock there; only the notes at the end are written here. -->`,
    docblock.summary,
    glance.length > 0
      ? ['| | |', '|---|---|', ...glance.map((title) => `| **${title}** | ${cell(spoken(title))} |`)].join('\n')
      : undefined,
    section('Marble', docblock.marble),
    docblock.details || undefined,
    section(
      'Signature',
      signatures(
        text,
        declared.map(({ node }) => node),
      ),
    ),
    section(
      'Options',
      optionTables(
        declared.map(({ node }) => node),
        path,
        files,
      ),
    ),
    ...LEAD_INS.filter((title) => !AT_A_GLANCE.includes(title)).map((title) =>
      section(title, docblock.sections.has(title) ? spoken(title) : undefined),
    ),
    section('Example', docblock.example),
    notesOf(former),
  ];
  return `${parts.filter((part) => part !== undefined && part !== '').join('\n\n')}\n`;
}

/** The hand-written part of a page, with its heading. */
function notesOf(page: string | undefined): string | undefined {
  const start = page?.search(new RegExp(`^${NOTES}$`, 'm')) ?? -1;
  return page === undefined || start < 0 ? undefined : page.slice(start).trimEnd();
}

/** How the function is called, without its body. */
function signatures(text: string, nodes: readonly SyntaxNode[]): string {
  const functions = nodes.map((node) => (isNode(node.declaration) ? node.declaration : node));
  const overloads = functions.filter(({ type }) => type === 'TSDeclareFunction');
  const shown = (overloads.length > 0 ? overloads : functions).map((node) => {
    const end = isNode(node.body) ? node.body.start : node.end;
    return text
      .slice(node.start, end)
      .trim()
      .replace(/^function /, '')
      .replace(/;$/, '');
  });
  return `\`\`\`text\n${shown.join('\n')}\n\`\`\``;
}

/** A declaration and the file that it stands in. */
interface Declared {
  readonly name: string;
  readonly node: SyntaxNode;
  readonly path: string;
}

/** A table for each configuration that the parameters name, and for those that their options name in turn. */
function optionTables(nodes: readonly SyntaxNode[], path: string, files: Files): string {
  const tables: string[] = [];
  const seen = new Set<string>();
  const queue = nodes.flatMap((node) => {
    const declaration = isNode(node.declaration) ? node.declaration : node;
    return (Array.isArray(declaration.params) ? declaration.params : [])
      .filter(isNode)
      .flatMap((param) => named(param, path));
  });
  for (const { name, from } of queue) {
    const found = interfaceOf(name, from, files);
    if (!found || seen.has(found.name) || !isConfig(found.name)) continue;
    seen.add(found.name);
    const rows = membersOfInterface(found, files);
    if (rows.length === 0) continue;
    tables.push(
      `**\`${found.name}\`**\n\n| Option | Type | Default | Meaning |\n|---|---|---|---|\n${rows.map(({ row }) => row).join('\n')}`,
    );
    queue.push(...rows.flatMap(({ mentions }) => mentions));
  }
  return tables.length === 1 ? tables[0]!.slice(tables[0]!.indexOf('|')) : tables.join('\n\n');
}

function isConfig(name: string): boolean {
  return /(Config|Policy|Policies|Options|Window|Profile|Requested)$/.test(name);
}

interface Mention {
  readonly name: string;
  readonly from: string;
}

function named(node: SyntaxNode, from: string): Mention[] {
  const names: Mention[] = [];
  walk(node, (one) => {
    if (one.type === 'TSTypeReference') names.push({ name: nameOf(one.typeName), from });
  });
  return names;
}

interface Row {
  readonly name: string;
  readonly row: string;
  readonly mentions: readonly Mention[];
}

/** The rows of an interface, its own first; those that it takes over from others after them. */
function membersOfInterface({ node, path }: Declared, files: Files, omitted: ReadonlySet<string> = new Set()): Row[] {
  const text = files.get(path) ?? '';
  const rows: Row[] = [];
  const own = isNode(node.body) ? body(node.body) : [];
  for (const member of own) {
    const name = nameOf(member.key);
    if (member.type !== 'TSPropertySignature' || omitted.has(name) || !isNode(member.typeAnnotation)) continue;
    const annotation = member.typeAnnotation.typeAnnotation as SyntaxNode;
    const type = typeText(annotation, path, files);
    const { meaning, byDefault } = readMeaning(docblockOf(text, member)?.text ?? '');
    const missing = member.optional ? byDefault : byDefault || 'required';
    rows.push({
      name,
      row: `| \`${name}\` | ${code(type)} | ${cell(missing)} | ${cell(meaning)} |`,
      mentions: annotation.type === 'TSIndexedAccessType' ? [] : named(annotation, path),
    });
  }
  const known = new Set([...rows.map(({ name }) => name), ...omitted]);
  for (const base of (Array.isArray(node.extends) ? node.extends : []).filter(isNode)) {
    for (const row of rowsOfBase(base, path, files, known)) {
      known.add(row.name);
      rows.push(row);
    }
  }
  return rows;
}

function rowsOfBase(base: SyntaxNode, path: string, files: Files, known: ReadonlySet<string>): Row[] {
  const name = nameOf(base.expression);
  const args = isNode(base.typeArguments) ? (base.typeArguments.params as readonly SyntaxNode[]) : [];
  const target = ['Omit', 'Pick', 'Partial'].includes(name) ? args[0] : undefined;
  const found = interfaceOf(target ? nameOf(target.typeName) : name, path, files);
  if (!found) return [];
  const listed = new Set<string>();
  if (args[1] && target) walk(args[1], (node) => typeof node.value === 'string' && listed.add(node.value));
  const rows = membersOfInterface(found, files, name === 'Omit' ? new Set([...known, ...listed]) : known);
  return name === 'Pick' ? rows.filter((row) => listed.has(row.name)) : rows;
}

/** The type as a reader wants it: literals for an alias of literals, and what an indexed access leads to. */
function typeText(node: SyntaxNode, path: string, files: Files): string {
  const text = (files.get(path) ?? '').slice(node.start, node.end);
  if (node.type === 'TSParenthesizedType' && isNode(node.typeAnnotation)) {
    return typeText(node.typeAnnotation, path, files);
  }
  if (node.type === 'TSUnionType') {
    const types = node.types as SyntaxNode[];
    // An option that may be given as undefined is of the other type.
    if (types.length === 2 && types[1]?.type === 'TSUndefinedKeyword') return typeText(types[0]!, path, files);
  }
  if (node.type === 'TSTypeReference' && !isNode(node.typeArguments)) {
    const alias = declarationOf('TSTypeAliasDeclaration', nameOf(node.typeName), path, files);
    const meant = alias && isNode(alias.node.typeAnnotation) ? alias.node.typeAnnotation : undefined;
    const isOfLiterals = (one: SyntaxNode): boolean =>
      one.type === 'TSLiteralType' || (one.type === 'TSUnionType' && (one.types as SyntaxNode[]).every(isOfLiterals));
    return meant && isOfLiterals(meant) ? typeText(meant, alias!.path, files) : text;
  }
  if (node.type === 'TSIndexedAccessType' && isNode(node.objectType) && isNode(node.indexType)) {
    const found = interfaceOf(nameOf(node.objectType.typeName), path, files);
    const key = isNode(node.indexType.literal) ? nameOf(node.indexType.literal) : '';
    const member = found && isNode(found.node.body) && body(found.node.body).find((one) => nameOf(one.key) === key);
    if (!member || !isNode(member.typeAnnotation)) return text;
    return typeText(member.typeAnnotation.typeAnnotation as SyntaxNode, found.path, files);
  }
  return text
    .replace(/\s+/g, ' ')
    .replace(/^\| /, '')
    .replace(/ \| undefined$/, '');
}

function interfaceOf(name: string, path: string, files: Files): Declared | undefined {
  return declarationOf('TSInterfaceDeclaration', name, path, files);
}

/** Finds what is declared by this name in the file, or in the one that it is imported from. */
function declarationOf(type: string, name: string, path: string, files: Files): Declared | undefined {
  const text = files.get(path);
  if (text === undefined) return undefined;
  const program = parse(path, text);
  for (const node of body(program)) {
    const declared = isNode(node.declaration) ? node.declaration : node;
    if (declared.type === type && nameOf(declared.id) === name) return { name, node: declared, path };
  }
  for (const { from, names } of importsOf(program)) {
    if (!from.startsWith('.')) continue;
    const original = [...names].find(([, local]) => local === name)?.[0];
    const source = posix.join(posix.dirname(path), from).replace(/\.js$/, '.ts');
    if (original) return declarationOf(type, original, source, files);
  }
  return undefined;
}

/** Takes the default out of the sentence or half-sentence that states it. */
export function readMeaning(docblock: string): { readonly meaning: string; readonly byDefault: string } {
  const text = plain(docblock.split(/^@/m)[0] ?? '').replace(/\s+/g, ' ');
  const match = /(?:(?<=\.|^) ?D|[,;] d)efault:? (.+?)(?=\.(?: |$)|$)(?:\.(?= |$))?/.exec(text);
  if (!match) return { meaning: text, byDefault: '' };
  const inSentence = /^[,;]/.test(match[0]);
  const before = text.slice(0, match.index);
  const after = text.slice(match.index + match[0].length);
  const closed = inSentence && !/[.]$/.test(before.trim()) ? `${before.trim()}.` : before.trim();
  return { meaning: `${closed} ${after.trim()}`.trim(), byDefault: match[1] ?? '' };
}

function code(type: string): string {
  return `\`${type.replace(/\s+/g, ' ').replace(/\|/g, '\\|')}\``;
}

/** Markdown for one cell of a table: a list becomes lines. */
function cell(text: string): string {
  return plain(text)
    .replace(/^- /gm, '\n- ')
    .split(/\n(?=- )/)
    .map((part) => part.replace(/\s+/g, ' ').trim())
    .filter((part) => part !== '')
    .join('<br>')
    .replace(/(?<!\\)\|/g, '\\|');
}

function plain(text: string): string {
  return text
    .replace(/\{@link ([^}]+)\}/g, '`$1`')
    .replace(/^:\s*/, '')
    .trim();
}

/** A section goes on from its lead-in in the docblock, and begins a sentence on the page. */
function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function splitAt(text: string, index: number): [string, string] {
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index)];
}

function firstIndex(index: number, otherwise: number): number {
  return index < 0 ? otherwise : index;
}
