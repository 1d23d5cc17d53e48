import { broadcast } from './shapes.ts';
import { type DataType, GraphError } from './value.ts';

/** What is known of a value before the graph runs. */
export interface Known {
  readonly dtype: DataType;
  /** Of a value that depends on no input. ONNX Runtime computes it when it loads the model. */
  readonly constant?: {
    readonly elements: number;
    readonly dims?: readonly number[];
    readonly ints?: readonly number[];
  };
  /** Largest number that the value can be. */
  readonly most?: number;
}

/** Operators that `precomputed` leaves: they only give the elements of a table in another form. */
const VIEWS: ReadonlySet<string> = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Transpose']);
const COPIES: ReadonlySet<string> = new Set(['Cast', 'Identity']);

/** How many elements a model may have besides what is in its file. */
const SMALL = 2 ** 20;
const TIMES_THE_FILE = 8;

/** Bounds the memory that a small file could take: what it computes from constants, and the sizes that it declares. */
export class Constants {
  private readonly room: number;
  private used = 0;

  constructor(bytes: number) {
    this.room = SMALL + TIMES_THE_FILE * bytes;
  }

  /** @throws GraphError if a tensor of these sizes is out of proportion to the file */
  fit(dims: readonly number[], where: string): void {
    // An axis without elements may not hide the others: a sum over it has as many elements as they say.
    const elements = dims.reduce((product, dim) => product * Math.max(1, dim), 1);
    if (dims.some((dim) => dim < 0) || elements > this.room)
      throw new GraphError(`${where} has the sizes [${dims.join(', ')}], too large for this file`);
  }

  /** What is known of the result of a node because of its inputs. @throws GraphError if it could take too much memory */
  result(operator: string, inputs: readonly Known[], label: string): Omit<Known, 'dtype'> {
    if (!inputs.every(({ constant }) => constant)) {
      if (operator === 'Expand') this.fit(inputs[1]?.constant?.ints ?? [], label);
      return operator === 'Min' ? { most: smallest(inputs) } : {};
    }
    const constant = resultOf(operator, inputs);
    if (!constant)
      throw new GraphError(`${label} computes from constants alone, whose result a trained model stores`);
    this.used += constant.elements;
    if (this.used > this.room)
      throw new GraphError(
        `${label} computes from constants more than ${this.room} elements, too many for this file`,
      );
    return { constant };
  }
}

function resultOf(operator: string, inputs: readonly Known[]): Known['constant'] {
  const [first, second] = inputs.map(({ constant }) => constant);
  if (!first) return undefined;
  if (COPIES.has(operator)) return { elements: first.elements, dims: first.dims };
  if (VIEWS.has(operator)) return { elements: first.elements };
  if (operator !== 'Mul' || !second) return undefined;
  if (!first.dims || !second.dims) return { elements: first.elements * second.elements };
  const dims = broadcast(first.dims, second.dims) as number[];
  return { dims, elements: dims.reduce((product, dim) => product * dim, 1) };
}

/** The smallest of the numbers of which a minimum is taken. */
function smallest(inputs: readonly Known[]): number | undefined {
  const bounds = inputs.flatMap(({ constant }) => (constant?.ints?.length === 1 ? constant.ints : []));
  return bounds.length > 0 ? Math.min(...bounds) : undefined;
}
