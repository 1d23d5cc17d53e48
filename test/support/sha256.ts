import { createHash } from 'node:crypto';

/** By Node's own code, and at once. */
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
