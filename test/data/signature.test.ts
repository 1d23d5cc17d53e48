import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { literal, withDatabase } from '../../src/data/read/duckdb.ts';
import { nameOfFormat } from '../../src/data/read/signature.ts';
import { temporaryFolder, unzipped } from '../support/files.ts';
import { zip } from './zip.ts';

const folder = temporaryFolder();

/** One character a byte. */
const named = (content: string | Buffer, file = 'ratings.csv') =>
  nameOfFormat(Buffer.from(content as string, 'latin1'), file);

const text = 'user,item,rating\nann,x,4.5\nbob,y,3\n';

const ZIP = 'a zip archive or a spreadsheet; unzip it, or save it as CSV';
const WORKBOOK = 'an Excel workbook; export the sheet as CSV';
const PICKLE = 'a Python pickle; save its table as CSV or Parquet';
const HTML = 'a web page (HTML); download the file that it shows or links to';

const SCRIPT = `
import bz2, lzma, os, pickle, sqlite3, sys, tarfile, zipfile
os.chdir(sys.argv[1])
text = ${JSON.stringify(text)}
def write(name, content):
    with open(name, 'wb') as file:
        file.write(content)
write('plain.csv', text.encode())
with sqlite3.connect('ratings.db') as database:
    database.execute('create table ratings (user, item, rating)')
for protocol in range(2, 6):
    write(f'ratings{protocol}.pkl', pickle.dumps([('ann', 'x', 4.5)], protocol))
write('ratings.csv.bz2', bz2.compress(text.encode()))
write('ratings.csv.xz', lzma.compress(text.encode()))
write('ratings.csv.lzma', lzma.compress(text.encode(), format=lzma.FORMAT_ALONE))
for name, kind in ('gnu', tarfile.GNU_FORMAT), ('pax', tarfile.PAX_FORMAT):
    with tarfile.open(f'{name}.tar', 'w', format=kind) as archive:
        archive.add('plain.csv')
with zipfile.ZipFile('ratings.zip', 'w', zipfile.ZIP_DEFLATED) as archive:
    archive.write('plain.csv')
zipfile.ZipFile('empty.zip', 'w').close()
`;

const hasPython = spawnSync('python3', ['--version']).status === 0;

describe.skipIf(!hasPython)('files by Python', () => {
  beforeAll(() => {
    const { status, stderr } = spawnSync('python3', ['-c', SCRIPT, folder.path], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  });

  test.each<[string, string | undefined]>([
    ['plain.csv', undefined],
    ['ratings.db', 'an SQLite database; export the table as CSV'],
    ['ratings2.pkl', PICKLE],
    ['ratings3.pkl', PICKLE],
    ['ratings4.pkl', PICKLE],
    ['ratings5.pkl', PICKLE],
    ['ratings.csv.bz2', 'compressed with bzip2; decompress it with bunzip2'],
    ['ratings.csv.xz', 'compressed with xz; decompress it with unxz'],
    ['ratings.csv.lzma', 'compressed with lzma; decompress it with unlzma'],
    ['gnu.tar', 'a tar archive; unpack it'],
    ['pax.tar', 'a tar archive; unpack it'],
    ['ratings.zip', ZIP],
    ['empty.zip', ZIP],
  ])('%s', async (name, expected) => {
    expect(nameOfFormat(await readFile(join(folder.path, name)), name)).toBe(expected);
  });
});

test('files by DuckDB', async () => {
  const [database, parquet] = ['ratings.duckdb', 'ratings.parquet'].map((name) => join(folder.path, name));
  await withDatabase(async (connection) => {
    await connection.run(`ATTACH ${literal(database)} AS other`);
    await connection.run('CREATE TABLE other.ratings AS SELECT 1 AS "user", 2 AS item');
    await connection.run('DETACH other');
    await connection.run(`COPY (SELECT 1 AS "user", 2 AS item) TO ${literal(parquet)}`);
  });
  expect(nameOfFormat(await readFile(database), database)).toBe(
    'a DuckDB database; export the table as CSV or Parquet',
  );
  expect(nameOfFormat(await readFile(parquet), parquet)).toBeUndefined();
});

test.each<[string, Record<string, string>, string]>([
  ['book.xlsx', { '[Content_Types].xml': '<Types/>', '_rels/.rels': '', 'xl/workbook.xml': '' }, WORKBOOK],
  ['book.csv', { 'docProps/app.xml': '<Properties/>', 'xl/styles.xml': '' }, WORKBOOK],
  ['long.xlsx', { '[Content_Types].xml': '<Types/>' }, WORKBOOK],
  ['text.docx', { '[Content_Types].xml': '<Types/>', 'word/document.xml': '' }, ZIP],
  ['ml-100k.zip', { 'ml-100k/u.data': text, 'ml-100k/xl': text }, ZIP],
  ['ratings.npz', { 'row.npy': '', 'col.npy': '' }, 'a NumPy archive (.npz); save its table as CSV'],
  ['model.pt', { 'archive/data.pkl': '' }, 'a PyTorch file; save its table as CSV'],
])('zip archives: %s', (name, entries, expected) => {
  expect(named(zip(entries), name)).toBe(expected);
});

const stored = (name: string, content: string) => `PK\x03\x04${'\0'.repeat(26)}${name}${content}`;

const OLD_OFFICE = `\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1${'\0'.repeat(16)}`;
const DUMP = 'a database dump; restore it, and export the table as CSV';
const R_DATA = 'an R data file; save its table with write.csv';
const ARROW = 'an Arrow or Feather file; save it as Parquet or CSV';
const STATA = 'a Stata file; export it as CSV';

test.each<[string, string, string]>([
  [
    'book.ods',
    stored('mimetype', 'application/vnd.oasis.opendocument.spreadsheet'),
    'an OpenDocument spreadsheet; export the sheet as CSV',
  ],
  ['text.odt', stored('mimetype', 'application/vnd.oasis.opendocument.text'), ZIP],
  ['book.XLS', OLD_OFFICE, WORKBOOK],
  ['text.doc', OLD_OFFICE, 'a document of an old Office; export its table as CSV'],
  ['r.mdb', '\0\x01\0\0Standard Jet DB\0', 'an Access database; export the table as CSV'],
  ['r.dump', 'PGDMP\x01\x0e\0\x04', DUMP],
  ['pg.sql', '--\n-- PostgreSQL database dump\n--\n\n', DUMP],
  ['pgall.sql', '--\n-- PostgreSQL database cluster dump\n--\n\n', DUMP],
  ['my.sql', '-- MySQL dump 10.13  Distrib 8.0.36\n', DUMP],
  ['maria.sql', '/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n', DUMP],
  ['php.sql', '-- phpMyAdmin SQL Dump\n-- version 5.2.1\n', DUMP],
  [
    'sqlite.sql',
    'PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE ratings (user, item, rating);\n',
    DUMP,
  ],
  ['r.h5', '\x89HDF\r\n\x1a\n\0\0', 'an HDF5 file; save its table as CSV or Parquet'],
  ['r.npy', "\x93NUMPY\x01\0v\0{'descr': '<f8'", 'a NumPy array; save it as CSV with numpy.savetxt'],
  ['r.rda', 'RDX3\nX\n\0\0\0\x03', R_DATA],
  ['r.rds', 'X\n\0\0\0\x03\0\x04\x02\x01', R_DATA],
  ['r.orc', 'ORC\n\x0b\n\x03\0\0\0', 'an ORC file; save it as Parquet or CSV'],
  ['r.avro', 'Obj\x01\x04\x16avro.schema', 'an Avro file; save it as Parquet or CSV'],
  ['r.arrow', 'ARROW1\0\0\xff\xff\xff\xff\x78\x01\0\0\x10\0\0\0', ARROW],
  ['stream.arrow', '\xff\xff\xff\xff\x78\x01\0\0\x10\0\0\0\0\0\n\0', ARROW],
  ['r.feather', 'FEA1\0\0\0\0', ARROW],
  ['r.parquet', 'PARE\x15\x04', 'an encrypted Parquet file; decrypt it first'],
  ['r.mat', 'MATLAB 5.0 MAT-file, Platform: GLNXA64', 'a MATLAB file; save its table as CSV'],
  ['r.dta', '<stata_dta><header><release>118</release>', STATA],
  ['old.dta', 'r\x02\x01\0\x03\0', STATA],
  [
    'r.sas7bdat',
    `${'\0'.repeat(12)}\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08\0`,
    'a SAS file; export it as CSV',
  ],
  ['r.xpt', 'HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!00000', 'a SAS file; export it as CSV'],
  ['r.sav', '$FL2@(#) SPSS DATA FILE', 'an SPSS file; export it as CSV'],
  ['r.lz4', '\x04"M\x18d@\xa7', 'compressed with lz4; decompress it with unlz4'],
  ['r.Z', '\x1f\x9d\x90', 'compressed with compress; decompress it with uncompress'],
  ['r.7z', "7z\xbc\xaf'\x1c\0\x04", 'a 7-Zip archive; unpack it'],
  ['r.rar', 'Rar!\x1a\x07\x01\0', 'a RAR archive; unpack it'],
  [
    'r.csv',
    'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n',
    'a Git LFS pointer; fetch the file itself with git lfs pull',
  ],
  [
    'r.csv',
    '../.git/annex/objects/Xk/1M/SHA256E-s12--4d7a.csv',
    'a git-annex pointer; fetch the file itself with git annex get',
  ],
  ['._r.csv', '\0\x05\x16\x07\0\x02\0\0', 'what macOS keeps about another file; give the one without "._"'],
  ['r.pdf', '%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'a PDF document; give its table as CSV'],
  ['r.csv', '<!DOCTYPE html>\n<html lang="en">', HTML],
  ['r.csv', '\xef\xbb\xbf\r\n  <!-- one --><!-- two\n-->\n<html>', HTML],
  ['r.csv', '<?xml version="1.0"?>\n<!doctype HTML PUBLIC "-//W3C//DTD XHTML 1.0">', HTML],
  ['r.xml', '\xef\xbb\xbf<?xml version="1.0"?>\n<ratings>', 'an XML file; convert it to CSV'],
  [
    'r.ipynb',
    '{\n "cells": [\n  {\n   "cell_type": "markdown",',
    'a Jupyter notebook; give the file that it reads',
  ],
  [
    'r.mtx',
    '%%MatrixMarket matrix coordinate real general\n%\n2 2 3\n1 1 5\n',
    'a Matrix Market file; remove its first lines, up to the line of the sizes',
  ],
])('%s: %j', (file, content, expected) => {
  expect(named(content, file)).toBe(expected);
});

test.each([
  ['nothing', ''],
  ['a picture', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR'],
  ['unknown bytes', '\x01\x02\x03\xfe\xff'],
  ['gzip', gzipSync(text)],
  ['zstd', '\x28\xb5\x2f\xfd\x24\0'],
  ['UTF-16', Buffer.from(`\ufeff${text}`, 'utf16le')],
  ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${text}`)],
  ['JSON lines', '{"user":"ann","cells":[1],"cell_type":2}\n'],
  ['a table called ORC', 'ORC,PARE,rating\nBZh9,DUCK,4\n'],
  ['a table with DUCK where DuckDB has it', 'user,itmDUCK,ustar\n'],
  ['a column called PK', 'PK,user,xl/item,rating\n'],
  ['a column called X', 'X\n1\n2\n'],
  ['items in angle brackets', '<a>,<html5>,4\n'],
  ['comment lines', '-- my ratings\n%user,item\n'],
])('not named: %s', (_, content) => {
  expect(named(content)).toBeUndefined();
});

test.each(['ml-latest-small/ratings.csv', 'shop/orders.csv'])('not named: the sample %s', async (name) => {
  expect(nameOfFormat(await unzipped(name), name)).toBeUndefined();
});

test('takes no time for what resembles a page', () => {
  expect(named('<!---->'.repeat(1000))).toBeUndefined();
  expect(named(' '.repeat(5000))).toBeUndefined();
  expect(named('--\n'.repeat(2000))).toBeUndefined();
  expect(named('{"cells":['.padEnd(5000, '"cell_'))).toBeUndefined();
});
