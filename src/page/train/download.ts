import { zipSync } from 'fflate';
import type { Artifact } from '../../web.ts';

export function download({ manifest, files }: Artifact, name: string): void {
  const text = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
  const zip = zipSync({ 'manifest.json': text, ...files }, { level: 6 });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([zip], { type: 'application/zip' }));
  link.download = `${name}.zip`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
