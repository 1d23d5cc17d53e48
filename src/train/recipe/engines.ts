/** What takes the steps of training: the epoch graph, the same by strata, or ONNX Runtime's training API. */
export const ENGINES = ['epoch-graph', 'strata', 'ort-training'] as const;

export type EngineName = (typeof ENGINES)[number];
