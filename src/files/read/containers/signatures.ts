/** A kind of file that is no text, and what makes one that `replayFile` reads. */
interface Signature {
  /** With its article: `a Parquet file`. */
  readonly what: string;
  /** A sentence that begins with a verb. `FILE` stands for the file. */
  readonly remedy: string;
  readonly begins: (first: Buffer) => boolean;
}

const bytes = (start: string, offset = 0) => {
  const wanted = Buffer.from(start, 'latin1');
  return (first: Buffer) => first.subarray(offset, offset + wanted.length).equals(wanted);
};

/** For signatures that could also begin a text: control characters must follow. */
const binary = (start: string) => {
  const isStart = bytes(start);
  return (first: Buffer) => isStart(first) && first.some((byte) => byte < TAB || (byte > CR && byte < SPACE));
};

const TAB = 0x09;
const CR = 0x0d;
const SPACE = 0x20;

const text = (start: RegExp) => (first: Buffer) => start.test(first.subarray(0, 1024).toString('latin1'));

const duckdb = (reader: string) =>
  `convert it: duckdb -c "COPY (FROM ${reader.replace('FILE', "'FILE'")}) TO 'FILE.csv'"`;
const decompress = (tool: string) => `decompress it first: ${tool} FILE`;
const pandas = (reader: string) =>
  `convert it: python3 -c "import pandas; pandas.${reader}('FILE').to_csv('FILE.csv')"`;

/** The signatures are those of the libmagic of file(1), and of the specification of each format. */
const SIGNATURES: readonly Signature[] = [
  { what: 'a Parquet file', remedy: duckdb('FILE'), begins: binary('PAR1') },
  {
    what: 'a SQLite database',
    remedy: 'export the table: sqlite3 -header -csv FILE "SELECT * FROM bars" > bars.csv',
    begins: bytes('SQLite format 3\0'),
  },
  {
    what: 'a DuckDB database',
    remedy: `export the table: duckdb FILE -c "COPY bars TO 'bars.csv'"`,
    begins: bytes('DUCK', 8),
  },
  { what: 'an Arrow or Feather file', remedy: pandas('read_feather'), begins: bytes('ARROW1\0\0') },
  { what: 'a Feather file', remedy: pandas('read_feather'), begins: binary('FEA1') },
  { what: 'an Avro file', remedy: duckdb('read_avro(FILE)'), begins: bytes('Obj\x01') },
  { what: 'an ORC file', remedy: pandas('read_orc'), begins: binary('ORC') },
  { what: 'an HDF5 file', remedy: pandas('read_hdf'), begins: bytes('\x89HDF\r\n\x1a\n') },
  {
    what: 'an old Excel file (.xls) or another document of Microsoft Office',
    remedy: 'save it as CSV in Excel, or: soffice --headless --convert-to csv FILE',
    begins: bytes('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'),
  },
  { what: 'a NumPy array', remedy: 'convert it with numpy.savetxt', begins: bytes('\x93NUMPY') },
  {
    what: 'a Python pickle',
    remedy: 'write CSV where it was made: to read it runs the code that it holds',
    begins: (first) => first[0] === 0x80 && first[1]! >= 2 && first[1]! <= 5,
  },
  { what: 'a DBN file of Databento', remedy: 'convert it: dbn FILE --csv > FILE.csv', begins: binary('DBN') },
  {
    what: 'a PDF document',
    remedy: 'find the data as CSV or NDJSON where it came from',
    begins: bytes('%PDF-'),
  },
  {
    what: 'a web page (HTML), such as a login or error page that was saved in place of the data',
    remedy: 'open it in a browser to see what it says, and download the data again',
    begins: text(/^(?:\xef\xbb\xbf)?\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b/is),
  },
  {
    what: 'an XML document, which may be an error message in place of the data',
    remedy: 'read what it says, and download the data again as CSV or NDJSON',
    begins: text(/^(?:\xef\xbb\xbf)?\s*<\?xml\s/i),
  },
  { what: 'compressed with xz', remedy: decompress('xz -dk'), begins: bytes('\xfd7zXZ\0') },
  { what: 'compressed with bzip2', remedy: decompress('bzip2 -dk'), begins: isBzip2 },
  { what: 'compressed with lz4', remedy: decompress('lz4 -d'), begins: bytes('\x04\x22\x4d\x18') },
  { what: 'compressed with lzip', remedy: decompress('lzip -dk'), begins: binary('LZIP') },
  {
    what: 'compressed with compress',
    remedy: 'decompress it first: gzip -dc FILE > FILE.csv',
    begins: bytes('\x1f\x9d'),
  },
  { what: 'compressed with snappy', remedy: decompress('snzip -dk'), begins: bytes('\xff\x06\0\0sNaPpY') },
  { what: 'a 7z archive', remedy: 'unpack it first: 7z x FILE', begins: bytes('7z\xbc\xaf\x27\x1c') },
  { what: 'a RAR archive', remedy: 'unpack it first: unrar x FILE', begins: bytes('Rar!\x1a\x07') },
  { what: 'a tar archive', remedy: 'unpack it first: tar -xf FILE', begins: bytes('ustar', 257) },
];

/** How much of the beginning suffices to tell any kind but tar, if the file has that much. */
export const SIGNATURE_BYTES = 16;

/** `BZh`, the size of blocks, and the first block, or the end of an empty file. */
function isBzip2(first: Buffer): boolean {
  return bytes('BZh')(first) && (bytes('1AY&SY', 4)(first) || bytes('\x17rE8P\x90', 4)(first));
}

/** What a file is that begins so and is neither text nor decompressed here; `undefined` if it is none that is known. */
export function foreignKind(first: Buffer): Omit<Signature, 'begins'> | undefined {
  return SIGNATURES.find(({ begins }) => begins(first));
}
