/** The engines that train: the epoch graph, the same by strata, and ONNX Runtime's training API. */
export const ENGINES = ['epoch-graph', 'strata', 'ort-training'] as const;

export type EngineName = (typeof ENGINES)[number];
