/** Devices that can execute models: execution providers of ONNX Runtime. */
export const DEVICES = ['cpu', 'cuda', 'webgpu'] as const;

export type Device = (typeof DEVICES)[number];
