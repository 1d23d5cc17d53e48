import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { DARK, FONT, LIGHT, variableOf } from '../../src/style/palette.ts';

const css = await readFile(new URL('../../src/page/styles/base.css', import.meta.url), 'utf8');

test('the page’s style sheet has the colours and the font of charts and documents', () => {
  const { genres: _, second: __, third: ___, other: ____, ...shared } = LIGHT;
  for (const [name, light] of Object.entries(shared))
    expect(css).toContain(`${variableOf(name)}: light-dark(${light}, ${DARK[name as 'ink']});`);
  expect(css.replace(/\s+/g, ' ')).toContain(FONT);
});

test('text can be read on every ground, in light and in dark', () => {
  for (const { page, card, accentSoft, badSoft, ...colours } of [LIGHT, DARK])
    for (const ground of [page, card, accentSoft, badSoft])
      for (const name of ['ink', 'soft', 'accent', 'bad'] as const)
        expect(contrast(colours[name], ground), `${name} on ${ground}`).toBeGreaterThanOrEqual(4.5);
});

/** Contrast of two colours by WCAG 2. */
function contrast(one: string, other: string): number {
  const [low, high] = [one, other].map(luminance).sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
