/**
 * Runs asynchronous calls one after the other, in order. ONNX Runtime's WebAssembly needs that: it keeps the arguments of a
 * call on its stack while it waits for tensors, and a second call would overwrite them.
 */
export function turns(): <T>(call: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (call) => {
    const result = last.then(call, call);
    last = result;
    return result;
  };
}
