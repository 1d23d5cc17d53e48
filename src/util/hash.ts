export async function sha256(bytes: Uint8Array): Promise<string> {
  // A page that came neither over HTTPS nor from its own machine has no `crypto.subtle`.
  const digest = crypto.subtle
    ? new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
    : (await import('@noble/hashes/sha2.js')).sha256(bytes);
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
