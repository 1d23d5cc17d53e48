import { UserError } from '../web.ts';

/** What to tell a visitor of an error: its own words if they are meant for people. */
export function messageOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  const text = error instanceof Error ? error.message : String(error);
  return `something went wrong that should not: ${text.split('\n')[0]}`;
}

export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
