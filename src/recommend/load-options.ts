import type { FetchOptions } from '../artifact/fetch.ts';
import type { Device } from '../run/device-names.ts';
import type { Runtime } from '../run/runtime.ts';

/** Options of `load`, in Node and in a page. */
export interface LoadOptions extends FetchOptions {
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
