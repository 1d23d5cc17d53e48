import { dataTypeOf } from './file.ts';
import * as shapes from './shapes.ts';
import { type Attributes, type DataType, GraphError } from './value.ts';

/** What the builder knows about an operator. */
export interface Operator {
  /** The opset since which this form of the operator is valid, up to 17. */
  readonly since: number | ((attributes: Attributes) => number);
  readonly domain?: string;
  /** Infers the types of the outputs. */
  readonly infer: shapes.Infer;
  /** Whether each element of the output depends only on the elements of the broadcast inputs at the same index. */
  readonly elementwise?: true;
}

/** One entry per operator. Where a newer opset changed an operator, this is the older form, which old runtimes run too. */
export const operators = {
  Add: { since: 7, infer: shapes.binary, elementwise: true },
  Sub: { since: 7, infer: shapes.binary, elementwise: true },
  Mul: { since: 7, infer: shapes.binary, elementwise: true },
  Div: { since: 7, infer: shapes.binary, elementwise: true },
  Pow: { since: 7, infer: shapes.binary, elementwise: true },
  Max: { since: 12, infer: shapes.binary, elementwise: true },
  Min: { since: 12, infer: shapes.binary, elementwise: true },
  Neg: { since: 6, infer: shapes.unaryNumeric, elementwise: true },
  Abs: { since: 6, infer: shapes.unaryNumeric, elementwise: true },
  Sign: { since: 9, infer: shapes.unaryNumeric, elementwise: true },
  Exp: { since: 6, infer: shapes.unary, elementwise: true },
  Log: { since: 6, infer: shapes.unary, elementwise: true },
  Sqrt: { since: 6, infer: shapes.unary, elementwise: true },
  Reciprocal: { since: 6, infer: shapes.unary, elementwise: true },
  Floor: { since: 6, infer: shapes.unary, elementwise: true },
  Sigmoid: { since: 6, infer: shapes.unary, elementwise: true },
  Tanh: { since: 6, infer: shapes.unary, elementwise: true },
  Relu: { since: 6, infer: shapes.unary, elementwise: true },
  LeakyRelu: { since: 6, infer: shapes.unary, elementwise: true },
  Elu: { since: 6, infer: shapes.unary, elementwise: true },
  Softplus: { since: 1, infer: shapes.unary, elementwise: true },
  Erf: { since: 9, infer: shapes.unary, elementwise: true },
  Softmax: { since: 13, infer: shapes.alongAxis },
  LogSoftmax: { since: 13, infer: shapes.alongAxis },
  Equal: { since: 11, infer: shapes.equality, elementwise: true },
  Less: { since: 9, infer: shapes.comparison, elementwise: true },
  LessOrEqual: { since: 12, infer: shapes.comparison, elementwise: true },
  Greater: { since: 9, infer: shapes.comparison, elementwise: true },
  GreaterOrEqual: { since: 12, infer: shapes.comparison, elementwise: true },
  And: { since: 7, infer: shapes.logical, elementwise: true },
  Or: { since: 7, infer: shapes.logical, elementwise: true },
  Not: { since: 1, infer: shapes.logical, elementwise: true },
  Where: { since: 9, infer: shapes.where, elementwise: true },
  Cast: {
    since: 9,
    infer: ([x], attributes) => [{ dtype: castTarget(attributes), dims: x.dims }],
    elementwise: true,
  },
  Identity: { since: 1, infer: shapes.same, elementwise: true },
  MatMul: { since: 9, infer: shapes.matmul },
  Gemm: { since: 11, infer: shapes.gemm },
  Transpose: { since: 1, infer: shapes.transpose },
  Reshape: { since: 5, infer: shapes.reshape },
  Expand: { since: 8, infer: shapes.shapeInput },
  Squeeze: { since: 13, infer: shapes.squeeze },
  Unsqueeze: { since: 13, infer: shapes.unsqueeze },
  Concat: { since: 4, infer: shapes.concat },
  Split: { since: 13, infer: shapes.split },
  Slice: { since: 10, infer: shapes.slice },
  Gather: { since: 11, infer: shapes.gather },
  ScatterND: { since: (attributes) => (attributes.reduction ? 16 : 11), infer: shapes.scatterNd },
  GatherElements: { since: 11, infer: shapes.gatherElements },
  ScatterElements: { since: (attributes) => (attributes.reduction ? 16 : 11), infer: shapes.scatterElements },
  TopK: { since: 11, infer: shapes.topK },
  ReduceSum: { since: 13, infer: shapes.reduce },
  ReduceMean: { since: 11, infer: shapes.reduce },
  ReduceMax: { since: 12, infer: shapes.reduce },
  ReduceMin: { since: 12, infer: shapes.reduce },
  Shape: { since: 1, infer: shapes.shape },
  Size: { since: 1, infer: shapes.scalarInt },
  ConstantOfShape: {
    since: 9,
    infer: (_, attributes, dims) => {
      if (!dims || !('tensor' in attributes.value))
        throw new GraphError('name the sizes in `dims`, and give the value');
      return [{ dtype: attributes.value.tensor.dtype, dims }];
    },
  },
  Range: { since: 11, infer: shapes.range },
  CumSum: { since: 11, infer: shapes.same },
  Loop: { since: 13, infer: shapes.loop },
  Dropout: { since: 13, infer: shapes.dropout },
  GatherGrad: { since: 1, domain: 'com.microsoft', infer: shapes.gatherGrad },
  InPlaceAccumulatorV2: { since: 1, domain: 'com.microsoft', infer: shapes.flag },
  AdamWOptimizer: { since: 1, domain: 'com.microsoft', infer: shapes.flag },
  LabelEncoder: { since: 2, domain: 'ai.onnx.ml', infer: ([x]) => [{ dtype: 'int64', dims: x.dims }] },
} satisfies Record<string, Operator>;

export type OperatorName = keyof typeof operators;

/** `operators`, with the general type. */
export const operatorTable: Readonly<Record<OperatorName, Operator>> = operators;

function castTarget(attributes: Attributes): DataType {
  const target = dataTypeOf(shapes.intOf(attributes, 'to', 0));
  if (!target) throw new GraphError('the type to cast to is unknown');
  return target;
}
