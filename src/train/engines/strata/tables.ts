import type { Tensors } from '../../../../graphs/heads/serving.ts';
import type { Model } from '../../../../graphs/models/model.ts';
import type { Blocks } from '../../../data/dataset/strata.ts';
import { mapValues } from '../../../util/map-values.ts';

/** Parameters and their optimizer state, by block of users and by block of items; `shared` has those of neither. */
export interface BlockTables {
  readonly users: Tensors[];
  readonly items: Tensors[];
  shared: Tensors;
}

/** Divides tensors into blocks. */
export function cut(tensors: Tensors, model: Model, users: Blocks, items: Blocks): BlockTables {
  const of = (side: 'user' | 'item' | undefined): Tensors =>
    Object.fromEntries(Object.entries(tensors).filter(([name]) => sideOf(model, name) === side));
  return {
    users: inBlocks(of('user'), users),
    items: inBlocks(of('item'), items),
    shared: of(undefined),
  };
}

/** Joins the blocks to whole tensors. */
export function join(tables: BlockTables, users: Blocks, items: Blocks): Tensors {
  return { ...whole(tables.users, users), ...whole(tables.items, items), ...tables.shared };
}

const sideOf = (model: Model, name: string): 'user' | 'item' | undefined =>
  model.parameters[name.split('.')[0]].rowsOf;

function inBlocks(tables: Tensors, { order, starts }: Blocks): Tensors[] {
  return Array.from(starts.subarray(1), (end, block) =>
    mapValues(tables, ({ dims: [, ...rest], data }) => {
      const width = sizeOf(rest);
      const rows = order.subarray(starts[block], end);
      const chunk = new Float32Array(rows.length * width);
      // Copies element by element, because a view per row takes ten times as long.
      for (let index = 0, to = 0; index < rows.length; index++)
        for (let from = rows[index] * width, last = from + width; from < last; ) chunk[to++] = data[from++];
      return { dims: [rows.length, ...rest], data: chunk };
    }),
  );
}

function whole(blocks: readonly Tensors[], { order, starts }: Blocks): Tensors {
  return mapValues(blocks[0], ({ dims: [, ...rest] }, name) => {
    const width = sizeOf(rest);
    const data = new Float32Array(order.length * width);
    for (const [block, tables] of blocks.entries()) {
      const chunk = tables[name].data;
      for (let index = starts[block], from = 0; index < starts[block + 1]; index++)
        for (let to = order[index] * width, last = to + width; to < last; ) data[to++] = chunk[from++];
    }
    return { dims: [order.length, ...rest], data };
  });
}

const sizeOf = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);
