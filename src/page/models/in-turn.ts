import type { Runtime } from '../../web.ts';

/**
 * A runtime that does one thing at a time, whatever the session. ONNX Runtime's WebAssembly keeps a call's arguments on
 * its stack while it waits for tensors; a second call meanwhile would overwrite them.
 */
export function inTurn(runtime: Promise<Runtime>): Runtime {
  let last: Promise<unknown> = runtime;
  const wait = <T>(act: () => Promise<T>): Promise<T> => {
    const result = last.then(act, act);
    last = result;
    return result;
  };
  return {
    name: 'onnxruntime-web',
    version: '',
    createSession: (bytes, options) =>
      wait(async () => {
        const session = await (await runtime).createSession(bytes, options);
        const run = session.run.bind(session) as typeof session.run;
        session.run = ((...call: Parameters<typeof run>) => wait(() => run(...call))) as typeof run;
        return session;
      }),
  };
}
