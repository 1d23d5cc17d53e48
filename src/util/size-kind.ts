import * as v from 'valibot';
import type { Kind } from './choices.ts';

/** The bytes of a size such as `1GB` or `512MB`; NaN for text that is not a size. */
function bytesOf(size: unknown): number {
  const [, digits, unit = '', binary] =
    /^(\d+(?:\.\d+)?)\s*(?:([kmg])(i)?)?b?$/i.exec(String(size).trim()) ?? [];
  return Number(digits) * (binary ? 1024 : 1000) ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase());
}

/** A number of bytes, of at least so many megabytes. */
export const sizeFrom = (least: number): Kind<number> => ({
  schema: v.pipe(
    v.unknown(),
    v.check((size) => bytesOf(size) >= least * 1e6, `give a size of at least ${least}MB, such as "1GB"`),
    v.transform(bytesOf),
  ),
  placeholder: 'size',
  parse: (text) => text,
});
