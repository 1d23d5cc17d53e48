/** A format, and what to do with its files. A file has the format if everything that is stated here holds. */
interface Format {
  readonly is: string;
  /** One of these stands in the file at `place`. Each character is a byte. */
  readonly magic?: readonly string[];
  /** @default 0 */
  readonly place?: number;
  /** What the first bytes match, each as a character. */
  readonly pattern?: RegExp;
  /** What the name of the file matches. */
  readonly file?: RegExp;
}

/** Control characters, for formats whose first bytes may start a text, too. */
const BINARY = /[^\t\n\r -\xff]/;

const WORKBOOK = 'an Excel workbook; export the sheet as CSV';
const DUMP = 'a database dump; restore it, and export the table as CSV';
const STATA = 'a Stata file; export it as CSV';
const ARROW = 'an Arrow or Feather file; save it as Parquet or CSV';
const ZIP = ['PK\x03\x04', 'PK\x05\x06'];
const OLD_OFFICE = ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'];

/** In the order of trial. In a zip archive, the name of an entry stands 30 bytes after its start. */
const FORMATS: readonly Format[] = [
  { magic: ZIP, pattern: /PK.{28}xl\//s, is: WORKBOOK },
  { magic: ZIP, pattern: /PK.{28}\[Content_Types\]\.xml/s, file: /\.xls[xmb]/i, is: WORKBOOK },
  {
    magic: ZIP,
    pattern: /^PK.{28}mimetypeapplication\/vnd\.oasis\.opendocument\.spreadsheet/s,
    is: 'an OpenDocument spreadsheet; export the sheet as CSV',
  },
  { magic: ZIP, pattern: /^PK.{28}[\w.-]+\.npy/s, is: 'a NumPy archive (.npz); save its table as CSV' },
  { magic: ZIP, pattern: /^PK.{28}[\w.-]+\/data\.pkl/s, is: 'a PyTorch file; save its table as CSV' },
  { magic: ZIP, is: 'a zip archive or a spreadsheet; unzip it, or save it as CSV' },
  { magic: OLD_OFFICE, file: /\.xl[st]/i, is: WORKBOOK },
  { magic: OLD_OFFICE, is: 'a document of an old Office; export its table as CSV' },
  { magic: ['SQLite format 3\0'], is: 'an SQLite database; export the table as CSV' },
  { magic: ['DUCK'], place: 8, pattern: BINARY, is: 'a DuckDB database; export the table as CSV or Parquet' },
  { magic: ['\0\x01\0\0Standard '], is: 'an Access database; export the table as CSV' },
  { magic: ['PGDMP'], pattern: BINARY, is: DUMP },
  { pattern: /^(?:--\s*)+PostgreSQL database (?:cluster )?dump/, is: DUMP },
  { pattern: /^(?:\/\*M?![^\n]*\n)?-- (?:MySQL|MariaDB|phpMyAdmin SQL) dump/i, is: DUMP },
  { pattern: /^PRAGMA foreign_keys=OFF;\s+BEGIN TRANSACTION;/, is: DUMP },
  { magic: ['\x89HDF\r\n\x1a\n'], is: 'an HDF5 file; save its table as CSV or Parquet' },
  { magic: ['\x93NUMPY'], is: 'a NumPy array; save it as CSV with numpy.savetxt' },
  {
    magic: ['\x80\x02', '\x80\x03', '\x80\x04', '\x80\x05'],
    is: 'a Python pickle; save its table as CSV or Parquet',
  },
  {
    magic: ['RDX2\nX\n', 'RDX3\nX\n', 'RDA2\nA\n', 'RDA3\nA\n', 'X\n\0\0\0\x02\0', 'X\n\0\0\0\x03\0'],
    is: 'an R data file; save its table with write.csv',
  },
  { magic: ['ORC'], pattern: BINARY, is: 'an ORC file; save it as Parquet or CSV' },
  { magic: ['Obj\x01'], is: 'an Avro file; save it as Parquet or CSV' },
  { magic: ['ARROW1\0\0', 'FEA1\0\0\0\0'], is: ARROW },
  { magic: ['\0\0\x10\0\0\0'], place: 6, pattern: /^\xff{4}/, is: ARROW },
  { magic: ['PARE'], pattern: BINARY, is: 'an encrypted Parquet file; decrypt it first' },
  { pattern: /^MATLAB \d\.\d MAT-file/, is: 'a MATLAB file; save its table as CSV' },
  { magic: ['<stata_dta>'], is: STATA },
  { magic: ['\x01\x01', '\x02\x01'], place: 1, pattern: /^[iln-s]/, is: STATA },
  { magic: ['\xc2\xea\x81\x60\xb3\x14\x11\xcf'], place: 12, is: 'a SAS file; export it as CSV' },
  { magic: ['HEADER RECORD*******LIB'], is: 'a SAS file; export it as CSV' },
  { magic: ['$FL2@(#)', '$FL3@(#)'], is: 'an SPSS file; export it as CSV' },
  { pattern: /^BZh[1-9]1AY&SY/, is: 'compressed with bzip2; decompress it with bunzip2' },
  { magic: ['\xfd7zXZ\0'], is: 'compressed with xz; decompress it with unxz' },
  { magic: [']\0\0'], pattern: /^.{5}\xff{8}/s, is: 'compressed with lzma; decompress it with unlzma' },
  { magic: ['\x04"M\x18', '\x02!L\x18'], is: 'compressed with lz4; decompress it with unlz4' },
  { magic: ['\x1f\x9d'], is: 'compressed with compress; decompress it with uncompress' },
  { magic: ["7z\xbc\xaf'\x1c"], is: 'a 7-Zip archive; unpack it' },
  { magic: ['Rar!\x1a\x07'], is: 'a RAR archive; unpack it' },
  { magic: ['ustar'], place: 257, pattern: BINARY, is: 'a tar archive; unpack it' },
  {
    magic: ['version https://git-lfs.github.com/spec'],
    is: 'a Git LFS pointer; fetch the file itself with git lfs pull',
  },
  {
    pattern: /^(?:\/|(?:\.\.\/)*\.git\/)annex\/objects\//,
    is: 'a git-annex pointer; fetch the file itself with git annex get',
  },
  { magic: ['\0\x05\x16\x07'], is: 'what macOS keeps about another file; give the one without "._"' },
  { pattern: /^%PDF-\d/, is: 'a PDF document; give its table as CSV' },
  {
    pattern:
      /^(?:\xef\xbb\xbf)?(?:\s|<\?xml[^>]*>|<!--(?:(?!-->).)*-->)*<(?:!doctype\s+html|html|head)[\s>]/is,
    is: 'a web page (HTML); download the file that it shows or links to',
  },
  { pattern: /^(?:\xef\xbb\xbf)?\s*<\?xml\s/, is: 'an XML file; convert it to CSV' },
  {
    pattern: /^\s*\{\s*"cells"\s*:\s*\[.*"cell_type"/s,
    is: 'a Jupyter notebook; give the file that it reads',
  },
  {
    pattern: /^%%MatrixMarket matrix /,
    is: 'a Matrix Market file; remove its first lines, up to the line of the sizes',
  },
];

/**
 * What a file is that cannot be read, and what to do: the end of a sentence that starts with `FILE: is `.
 *
 * @param start first bytes of the file, of which at most 4096 count
 * @returns undefined for what can be read, and for what is unknown
 */
export function nameOfFormat(start: Uint8Array, file: string): string | undefined {
  const text = String.fromCharCode(...start.subarray(0, 4096));
  return FORMATS.find(
    (format) =>
      (format.magic?.some((magic) => text.startsWith(magic, format.place)) ?? true) &&
      (format.pattern?.test(text) ?? true) &&
      (format.file?.test(file) ?? true),
  )?.is;
}
