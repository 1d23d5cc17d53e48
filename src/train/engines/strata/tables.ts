import type { Tensors } from '../../../../graphs/heads/serving.ts';
import type { Model } from '../../../../graphs/models/model.ts';
import type { Blocks } from '../../../data/dataset/strata.ts';
import { mapValues } from '../../../util/map-values.ts';

/** Parameters and their optimizer state: of each block of users, of each block of items, and of neither. */
export interface BlockTables {
  readonly users: Tensors[];
  readonly items: Tensors[];
  shared: Tensors;
}

export function cut(tensors: Tensors, model: Model, users: Blocks, items: Blocks): BlockTables {
  const of = (side: 'user' | 'item' | undefined): Tensors =>
    Object.fromEntries(Object.entries(tensors).filter(([name]) => sideOf(model, name) === side));
  return {
    users: pieces(of('user'), users),
    items: pieces(of('item'), items),
    shared: of(undefined),
  };
}

export function join(tables: BlockTables, users: Blocks, items: Blocks): Tensors {
  return { ...whole(tables.users, users), ...whole(tables.items, items), ...tables.shared };
}

const sideOf = (model: Model, name: string): 'user' | 'item' | undefined =>
  model.parameters[name.split('.')[0]].rowsOf;

function pieces(tables: Tensors, { order, starts }: Blocks): Tensors[] {
  return Array.from(starts.subarray(1), (end, block) =>
    mapValues(tables, ({ dims: [, ...rest], data }) => {
      const width = sizeOf(rest);
      const rows = order.subarray(starts[block], end);
      const piece = new Float32Array(rows.length * width);
      // Element by element: to make a view of each row takes ten times as long.
      for (let place = 0, to = 0; place < rows.length; place++)
        for (let from = rows[place] * width, last = from + width; from < last; ) piece[to++] = data[from++];
      return { dims: [rows.length, ...rest], data: piece };
    }),
  );
}

function whole(blocks: readonly Tensors[], { order, starts }: Blocks): Tensors {
  return mapValues(blocks[0], ({ dims: [, ...rest] }, name) => {
    const width = sizeOf(rest);
    const data = new Float32Array(order.length * width);
    for (const [block, tables] of blocks.entries()) {
      const piece = tables[name].data;
      for (let place = starts[block], from = 0; place < starts[block + 1]; place++)
        for (let to = order[place] * width, last = to + width; to < last; ) data[to++] = piece[from++];
    }
    return { dims: [order.length, ...rest], data };
  });
}

const sizeOf = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);
