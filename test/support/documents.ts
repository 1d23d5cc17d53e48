import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** A fenced block of a document, in the order of the document. */
export interface Block {
  /** Such as `docs/training.md 3, sh`. */
  readonly name: string;
  readonly language: string;
  /** What stands after the language: `page` for programs of a page, `no-test: why` for what cannot run in a test. */
  readonly note: string;
  readonly code: string;
}

export interface Document {
  /** Such as `docs/training.md`. */
  readonly name: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

const read = (name: string): Document => {
  const text = readFileSync(`${root}${name}`, 'utf8');
  const fences = text.matchAll(/^```(\S+)(.*)\n([\s\S]*?)^```$/gm);
  return {
    name,
    text,
    blocks: Array.from(fences, ([, language, note, code], index) => ({
      name: `${name} ${index + 1}, ${language}`,
      language,
      note: note.trim(),
      code,
    })),
  };
};

const pages = readdirSync(`${root}docs`).filter((name) => name.endsWith('.md'));

/** What users read. */
export const documents = ['README.md', ...pages.map((name) => `docs/${name}`)].map(read);

/** What those read who work on cofactor, too. */
export const allDocuments = [
  ...documents,
  ...[
    'ARCHITECTURE.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'artifacts/README.md',
    'test/conformance/README.md',
  ].map(read),
];

export const isTested = ({ note }: Block): boolean => !note.startsWith('no-test');
/** Programs of a page, which a browser runs. */
export const isOfPage = ({ note }: Block): boolean => note === 'page';
