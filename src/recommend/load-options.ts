import type { FetchOptions } from '../artifact/fetch.ts';
import { UserError } from '../errors.ts';
import type { Device } from '../run/device-names.ts';
import type { Runtime } from '../run/runtime.ts';
import {
  abortSignal,
  callback,
  checkArgument,
  checkOptions,
  type Expected,
  flag,
  having,
  type OptionTable,
  path,
  text,
} from '../util/options.ts';

/** Options of `load`, in Node and in a page. */
export interface LoadOptions extends Omit<FetchOptions, 'heads' | 'private'> {
  /** Heads to read or fetch, such as `predict`. @default all, in a page all that are public */
  readonly heads?: readonly string[];
  /**
   * Whether private files are read or fetched, which are about users: what `predict` and `recommend` need. @default true in Node,
   * false in a page
   */
  readonly private?: boolean | undefined;
  /**
   * What the model runs on. `auto` is a GPU if one is available, and the CPU otherwise. A page has the CPU alone, through
   * WebAssembly.
   *
   * @default 'cpu'
   */
  readonly device?: Device | 'auto';
  /** Runtime that executes the model, in place of `device`. @default ONNX Runtime */
  readonly runtime?: Runtime;
}

export const LOAD_OPTIONS: OptionTable<LoadOptions> = {
  heads: { fits: (value) => Array.isArray(value) && value.every(text.fits), give: 'a list of names' },
  private: flag,
  maxBytes: { fits: (value) => (value as number) > 0, give: 'a number of bytes' },
  cache: flag,
  signal: abortSignal,
  onProgress: callback,
  device: text,
  runtime: having('what nodeRuntime or webRuntime returns', 'createSession'),
};

/** A page's `load` has one more, of its runtime. */
export const WEB_LOAD_OPTIONS = { ...LOAD_OPTIONS, wasmPaths: text };

/** @throws UserError for anything but a path or a URL, and for options that do not fit, or that exclude each other */
export function checkLoad(
  source: unknown,
  options: LoadOptions,
  table: Readonly<Record<string, Expected>> = LOAD_OPTIONS,
): void {
  const isUrl: Expected = {
    fits: (value) => value instanceof URL || path.fits(value),
    give: 'a path or a URL',
  };
  checkArgument("the model's folder is", source, isUrl);
  checkOptions(options, table);
  if (options.runtime && options.device !== undefined)
    throw new UserError('argument', 'runtime and device are both given; give one of them');
}
