import { posix } from 'node:path';
import type { Files } from '../repository.js';
import { body, docblockOf, importsOf, isNode, nameOf, parse, type SyntaxNode, walk } from '../syntax.js';

/** A declaration and the file that it stands in. */
interface Declared {
  readonly name: string;
  readonly node: SyntaxNode;
  /** With the `export` around it. */
  readonly outer: SyntaxNode;
  readonly path: string;
}

/** A table for each configuration that the parameters name, and for those that their options name in turn. */
export function optionTables(nodes: readonly SyntaxNode[], path: string, files: Files): string {
  const tables: string[] = [];
  const seen = new Set<string>();
  const queue = nodes.flatMap((node) => paramsOf(node).flatMap((param) => named(param, path)));
  for (const { name, from } of queue) {
    const found = interfaceOf(name, from, files);
    if (!found || seen.has(found.name) || !isConfig(found.name)) continue;
    seen.add(found.name);
    const rows = membersOfInterface(found, files).filter(({ isMethod }) => !isMethod);
    if (rows.length === 0) continue;
    tables.push(
      `**\`${found.name}\`**\n\n| Option | Type | Default | Meaning |\n|---|---|---|---|\n${rows.map(optionRow).join('\n')}`,
    );
    queue.push(...rows.flatMap(({ mentions }) => mentions));
  }
  return tables.length === 1 ? tables[0]!.slice(tables[0]!.indexOf('|')) : tables.join('\n\n');
}

/** The parameters of an exported function, or of the constructor of a class. */
function paramsOf(node: SyntaxNode): readonly SyntaxNode[] {
  const declaration = isNode(node.declaration) ? node.declaration : node;
  const called = declaration.type === 'ClassDeclaration' ? constructorOf(declaration)?.value : declaration;
  return isNode(called) && Array.isArray(called.params) ? called.params.filter(isNode) : [];
}

export function constructorOf(node: SyntaxNode): SyntaxNode | undefined {
  return isNode(node.body) ? body(node.body).find(({ kind }) => kind === 'constructor') : undefined;
}

function optionRow({ name, type, docblock, isOptional }: Row): string {
  const { meaning, byDefault } = readMeaning(docblock);
  const missing = isOptional ? byDefault : byDefault || 'required';
  return `| \`${name}\` | ${code(type)} | ${cell(missing)} | ${cell(meaning)} |`;
}

/**
 * What an interface or a class is for, and a table of its members: for what a callback is given, or a function returns. Of `owner`,
 * whose page it is on, the table alone.
 */
export function memberSection(name: string, path: string, files: Files, owner = ''): string {
  const inFile = (file: string) =>
    interfaceOf(name, file, files) ?? declarationOf('ClassDeclaration', name, file, files);
  const elsewhere = () =>
    [...files].filter(
      ([file, text]) => file.startsWith('src/') && new RegExp(`(?:interface|class) ${name}\\b`).test(text),
    );
  const found = inFile(path) ?? elsewhere().flatMap(([file]) => inFile(file) ?? [])[0];
  if (!found) throw new Error(`no interface or class ${name}: it is named for the page of ${path}`);
  const about = docblockOf(files.get(found.path) ?? '', found.outer)?.text.split(/^(?:@example|```)/m)[0] ?? '';
  const rows = found.node.type === 'ClassDeclaration' ? membersOfClass(found, files) : membersOfInterface(found, files);
  const table = rows.map(
    ({ signature, docblock }) => `| ${code(signature)} | ${cell(docblock.split(/^@/m)[0] ?? '')} |`,
  );
  return [
    name === owner ? '## Members' : `## ${name}`,
    name === owner ? '' : plain(about),
    ['| Member | What it is |', '|---|---|', ...table].join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** The public members of a class, but its constructor. */
function membersOfClass({ node, path }: Declared, files: Files): Row[] {
  const text = files.get(path) ?? '';
  return (isNode(node.body) ? body(node.body) : []).flatMap((member) => {
    const isPublic = (member.accessibility ?? 'public') === 'public';
    const isNamed = isNode(member.key) && member.key.type !== 'PrivateIdentifier' && member.computed !== true;
    if (!isPublic || !isNamed || member.kind === 'constructor' || member.static === true) return [];
    const called = isNode(member.value) && isNode(member.value.body) ? member.value : undefined;
    const end = called ? (called.body as SyntaxNode).start : member.end;
    const isMethod = called !== undefined && member.kind === 'method';
    const docblock = docblockOf(text, member)?.text ?? '';
    const declared = text.slice(member.start, end);
    // Of what is set to begin with, only a literal says something to a reader.
    const spoken = called
      ? isMethod
        ? declared
        : declared.replace('()', '')
      : declared.replace(/ = (?!['"\d])[^;]*/, '');
    const signature = signatureOf(spoken);
    return { name: nameOf(member.key), signature, docblock, type: '', isOptional: false, isMethod, mentions: [] };
  });
}

/** A member as it is declared, on one line. */
function signatureOf(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/^(?:(?:override|declare|readonly|get) )+/, '')
    .replace(/([([]) /g, '$1')
    .replace(/,? ([)\]])/g, '$1')
    .replace(/;? *$/, '');
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

/** What a table says of one member of an interface or a class. */
interface Row {
  readonly name: string;
  /** As it is declared, without `readonly`. */
  readonly signature: string;
  readonly docblock: string;
  /** Of a property: its type as a reader wants it, and whether it may be left out. */
  readonly type: string;
  readonly isOptional: boolean;
  readonly isMethod: boolean;
  readonly mentions: readonly Mention[];
}

/** The rows of an interface, its own first; those that it takes over from others after them. */
function membersOfInterface({ node, path }: Declared, files: Files, omitted: ReadonlySet<string> = new Set()): Row[] {
  const text = files.get(path) ?? '';
  const rows: Row[] = [];
  const own = isNode(node.body) ? body(node.body) : [];
  for (const member of own) {
    const name = nameOf(member.key);
    const isMethod = member.type === 'TSMethodSignature';
    const annotation = isNode(member.typeAnnotation) ? (member.typeAnnotation.typeAnnotation as SyntaxNode) : undefined;
    if ((member.type !== 'TSPropertySignature' && !isMethod) || omitted.has(name)) continue;
    rows.push({
      name,
      signature: signatureOf(text.slice(member.start, member.end)),
      docblock: docblockOf(text, member)?.text ?? '',
      type: annotation ? typeText(annotation, path, files) : '',
      isOptional: member.optional === true,
      isMethod,
      mentions: !annotation || annotation.type === 'TSIndexedAccessType' ? [] : named(annotation, path),
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
      one.type === 'TSLiteralType' ||
      one.type === 'TSTypeLiteral' ||
      (one.type === 'TSUnionType' && (one.types as SyntaxNode[]).every(isOfLiterals));
    return meant && isOfLiterals(meant) ? typeText(meant, alias!.path, files).replace(/\breadonly /g, '') : text;
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
    if (declared.type === type && nameOf(declared.id) === name) return { name, node: declared, outer: node, path };
  }
  // By `import`, or handed on by `export … from`.
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
export function cell(text: string): string {
  return plain(text)
    .replace(/^- /gm, '\n- ')
    .split(/\n(?=- )/)
    .map((part) => part.replace(/\s+/g, ' ').trim())
    .filter((part) => part !== '')
    .join('<br>')
    .replace(/(?<!\\)\|/g, '\\|');
}

export function plain(text: string): string {
  return text
    .replace(/\{@link ([^}]+)\}/g, '`$1`')
    .replace(/^:\s*/, '')
    .trim();
}
