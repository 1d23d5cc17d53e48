/**
 * Makes calls one after the other, in the order they were asked for: ONNX Runtime's WebAssembly keeps a call's arguments
 * on its stack while it waits for tensors, and a second call meanwhile overwrites them.
 */
export function turns(): <T>(call: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (call) => {
    const result = last.then(call, call);
    last = result;
    return result;
  };
}
