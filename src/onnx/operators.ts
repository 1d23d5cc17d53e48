import * as shapes from './shapes.ts';
import { type Attributes, type DataType, GraphError } from './value.ts';

/** How the builder knows an operator: the opset its form is valid from (up to 17), and its output types. */
export interface Operator {
  readonly since: number | ((attributes: Attributes) => number);
  readonly domain?: string;
  readonly infer: shapes.Infer;
}

/** One entry an operator. Forms that newer opsets changed are the older ones, so that files run on old runtimes. */
export const operators = {
  Add: { since: 7, infer: shapes.binary },
  Sub: { since: 7, infer: shapes.binary },
  Mul: { since: 7, infer: shapes.binary },
  Div: { since: 7, infer: shapes.binary },
  Pow: { since: 7, infer: shapes.binary },
  Max: { since: 12, infer: shapes.binary },
  Min: { since: 12, infer: shapes.binary },
  Neg: { since: 6, infer: shapes.unaryNumeric },
  Abs: { since: 6, infer: shapes.unaryNumeric },
  Sign: { since: 9, infer: shapes.unaryNumeric },
  Exp: { since: 6, infer: shapes.unary },
  Log: { since: 6, infer: shapes.unary },
  Sqrt: { since: 6, infer: shapes.unary },
  Reciprocal: { since: 6, infer: shapes.unary },
  Floor: { since: 6, infer: shapes.unary },
  Sigmoid: { since: 6, infer: shapes.unary },
  Tanh: { since: 6, infer: shapes.unary },
  Relu: { since: 6, infer: shapes.unary },
  LeakyRelu: { since: 6, infer: shapes.unary },
  Elu: { since: 6, infer: shapes.unary },
  Softplus: { since: 1, infer: shapes.unary },
  Erf: { since: 9, infer: shapes.unary },
  Softmax: { since: 13, infer: shapes.alongAxis },
  LogSoftmax: { since: 13, infer: shapes.alongAxis },
  Equal: { since: 11, infer: shapes.equality },
  Less: { since: 9, infer: shapes.comparison },
  LessOrEqual: { since: 12, infer: shapes.comparison },
  Greater: { since: 9, infer: shapes.comparison },
  GreaterOrEqual: { since: 12, infer: shapes.comparison },
  And: { since: 7, infer: shapes.logical },
  Or: { since: 7, infer: shapes.logical },
  Not: { since: 1, infer: shapes.logical },
  Where: { since: 9, infer: shapes.where },
  Cast: { since: 9, infer: ([x], attributes) => [{ dtype: castTarget(attributes), dims: x.dims }] },
  Identity: { since: 1, infer: shapes.same },
  MatMul: { since: 9, infer: shapes.matmul },
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
  ReduceSum: { since: 13, infer: shapes.reduceSum },
  ReduceMean: { since: 11, infer: shapes.reduce },
  ReduceMax: { since: 12, infer: shapes.reduce },
  ReduceMin: { since: 12, infer: shapes.reduce },
  Shape: { since: 1, infer: shapes.shape },
  Size: { since: 1, infer: shapes.scalarInt },
  ConstantOfShape: {
    since: 9,
    infer: (_, attributes, dims) => {
      if (!dims || !('tensor' in attributes.value))
        throw new GraphError('say what the dims are called, and the value');
      return [{ dtype: attributes.value.tensor.dtype, dims }];
    },
  },
  Range: { since: 11, infer: shapes.range },
  CumSum: { since: 11, infer: ([x]) => [{ dtype: x.dtype, dims: x.dims }] },
  Loop: { since: 13, infer: shapes.loop },
  Dropout: { since: 13, infer: shapes.dropout },
  GatherGrad: { since: 1, domain: 'com.microsoft', infer: shapes.gatherGrad },
  InPlaceAccumulatorV2: { since: 1, domain: 'com.microsoft', infer: shapes.flag },
  AdamWOptimizer: { since: 1, domain: 'com.microsoft', infer: shapes.flag },
  LabelEncoder: { since: 2, domain: 'ai.onnx.ml', infer: ([x]) => [{ dtype: 'int64', dims: x.dims }] },
} satisfies Record<string, Operator>;

export type OperatorName = keyof typeof operators;

/** The operators above by name, as the general type. */
export const operatorTable: Readonly<Record<OperatorName, Operator>> = operators;

const CAST: Record<number, DataType> = {
  1: 'float',
  3: 'int8',
  4: 'uint16',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'double',
};

function castTarget(attributes: Attributes): DataType {
  const target = CAST[shapes.intOf(attributes, 'to', 0)];
  if (!target) throw new GraphError('an unknown type to cast to');
  return target;
}
