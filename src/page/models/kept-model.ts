import type { Artifact } from '../../web.ts';

/** A model that was trained in the page, as it is kept for the next visit. */
export interface KeptModel {
  readonly source: string;
  readonly artifact: Artifact;
}

const DATABASE = 'cofactor';
const STORE = 'models';
const KEY = 'used';

/** @returns undefined where none is kept, or the browser keeps nothing */
export const keptModel = (): Promise<KeptModel | undefined> =>
  inStore('readonly', (store) => store.get(KEY)).catch(() => undefined);

/** @returns whether there was room for it */
export const keepModel = (model: KeptModel): Promise<boolean> =>
  inStore('readwrite', (store) => store.put(model, KEY)).then(
    () => true,
    () => false,
  );

export const forgetModel = (): Promise<void> =>
  inStore('readwrite', (store) => store.delete(KEY)).catch(() => undefined);

async function inStore<T>(
  mode: IDBTransactionMode,
  act: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await finished(opening);
  try {
    const transaction = database.transaction(STORE, mode);
    const result = await finished(act(transaction.objectStore(STORE)));
    if (mode === 'readwrite')
      await new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error);
      });
    return result;
  } finally {
    database.close();
  }
}

function finished<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
