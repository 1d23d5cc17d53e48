import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { FORMAT } from '../../src/artifact/format.ts';
import type { Artifact } from '../../src/artifact/manifest.ts';
import { sha256 } from './sha256.ts';

/** An artifact whose files hold random bytes: nothing here looks into them. */
export function made(label: string, names = ['predict.onnx'], size = 1000): Artifact {
  const files = Object.fromEntries(names.map((name) => [name, new Uint8Array(randomBytes(size))]));
  return {
    files,
    manifest: {
      format: FORMAT,
      cofactor: '0.1.0',
      model: { name: label, config: { factors: 2, range: [0, 5.5] } },
      data: {
        kind: 'ratings',
        users: 2,
        items: 3,
        ratings: 4,
        low: 1,
        high: 5,
        mean: 3,
        fingerprint: 'f00d',
      },
      training: { objective: 'rating', epochs: 1, optimizer: { name: 'adamw' } },
      history: [{ loss: 0.5, valid: { rmse: 1, mae: 0.8 } }, { loss: 0.1 + 0.2 }],
      metrics: { train: { rmse: 0.7 }, valid: { rmse: 1, mae: 0.8 } },
      libraries: { 'onnxruntime-node': '1.0.0' },
      files: Object.fromEntries(names.map((name) => [name, { bytes: size, sha256: sha256(files[name]) }])),
    },
  };
}

/** Bytes are compared as such: what is read is a Buffer, and large ones are slow to compare one by one. */
export function expectSame(found: Artifact, expected: Artifact) {
  expect(found.manifest).toEqual(expected.manifest);
  expect(sums(found)).toEqual(sums(expected));
}

const sums = ({ files }: Artifact) => Object.entries(files).map(([name, bytes]) => [name, sha256(bytes)]);
