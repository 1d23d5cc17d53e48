import fc, { type GeneratorValue } from 'fast-check';
import { type DataType, input, type Value } from '../../src/onnx/index.ts';
import { generator, shuffled, uniforms } from '../../src/util/random.ts';
import type { Elements } from './run.ts';

/** Draws shapes, tensors and choices for one try. Sizes become names at random, except along axes that must be known. */
export class Draw {
  readonly feeds = new Map<Value, Elements>();
  readonly targets: Value[] = [];
  private readonly random;
  private readonly named;

  constructor(
    private readonly draw: GeneratorValue,
    readonly dtype: DataType,
  ) {
    this.random = generator(draw(fc.integer));
    this.named = draw(fc.subarray, [2, 3, 4]);
  }

  pick<T>(choices: readonly T[]): T {
    return this.draw(fc.constantFrom<T[]>, ...choices);
  }

  below = (limit: number): number => this.draw(fc.nat, limit - 1);

  dims(minimumRank = 0, maximumRank = 3): number[] {
    const limits = { minLength: minimumRank, maxLength: maximumRank };
    return this.draw(fc.array<number>, fc.integer({ min: 1, max: 4 }), limits);
  }

  /** An axis of `dims`, counted from either end. */
  axis(dims: readonly number[]): { axis: number; index: number } {
    const index = this.below(dims.length);
    return { axis: this.pick([index, index - dims.length]), index };
  }

  /** Some axes of `dims` for a reduction, or all. */
  reduction(dims: readonly number[]) {
    const some = this.draw(fc.subarray, [...dims.keys()]);
    const axes = some.length ? some.map((index) => this.pick([index, index - dims.length])) : undefined;
    return { axes, keepDims: this.pick([true, false]) };
  }

  order = (rank: number): number[] => [...shuffled(rank, this.random)];

  /** Two shapes that can be broadcast together: sizes of 1 and missing axes on either side. */
  pair(): [number[], number[]] {
    const whole = this.dims();
    const part = () => whole.slice(this.below(whole.length + 1)).map((size) => this.pick([size, size, 1]));
    return this.pick([true, false]) ? [whole, part()] : [part(), part()];
  }

  /** Numbers far from each other, from zero, from whole numbers, and from those of the tensors drawn before. */
  tensor(dims: readonly number[], { known = [] as number[], positive = false } = {}): Value {
    const size = dims.reduce((product, dim) => product * dim, 1);
    const indices = shuffled(size, this.random);
    const lattice = Array.from(
      indices,
      (index) => 0.3 * (index - (size >> 1) + 0.5) + 0.1 * this.targets.length,
    );
    const data = positive ? Array.from(uniforms(size, this.random), (number) => 0.4 + 1.5 * number) : lattice;
    const names = dims.map((dim, axis) =>
      this.named.includes(dim) && !known.includes(axis) ? `size${dim}` : dim,
    );
    const value = input(`x${this.targets.length + 1}`, this.dtype, names);
    this.targets.push(value);
    this.feeds.set(value, { dims, data });
    return value;
  }

  /** Row numbers, duplicates included. */
  rows(dims: readonly number[], limit: number, dtype: DataType = 'int64'): Value {
    const size = dims.reduce((product, dim) => product * dim, 1);
    return this.fed(
      dtype,
      dims,
      Array.from({ length: size }, () => this.below(limit)),
    );
  }

  fed(dtype: DataType, dims: readonly number[], data: readonly number[]): Value {
    const value = input(`fed${this.feeds.size}`, dtype, dims);
    this.feeds.set(value, { dims, data });
    return value;
  }

  numbers = (count: number): number[] => Array.from(uniforms(count, this.random), (one) => 2 * one - 1);
}
