import { WorkerHandle } from './worker-handle.ts';

/** The number of the session that threads of `startThreads` have. */
export const SESSION = 0;

/** Starts threads that have a session with the same graph. */
export async function startThreads(count: number, graph: Uint8Array): Promise<WorkerHandle[]> {
  const starting = Array.from({ length: count }, async () => {
    const { handle } = await WorkerHandle.start({ device: 'cpu' });
    await handle.create(SESSION, graph).catch(async (error) => {
      await handle.terminate();
      throw error;
    });
    return handle;
  });
  const ended = await Promise.allSettled(starting);
  const threads = ended.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
  const failed = ended.find((end) => end.status === 'rejected');
  if (!failed) return threads;
  await Promise.all(threads.map((thread) => thread.terminate()));
  throw failed.reason;
}
