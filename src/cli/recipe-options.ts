import { type Command, Option } from 'commander';
import { optimizers } from '../train/recipe/of-manifest.ts';
import { type Recipe, recipeParts } from '../train/recipe/recipe.ts';
import { schedules } from '../train/step/schedules.ts';
import { number, numbers } from './options.ts';

type RecipeKey = keyof typeof recipeParts;

/** Flags as `withRecipeOptions` gives them. */
export type RecipeFlags = Recipe & { seed: number };

/**
 * The flags that say which model is trained, and how.
 *
 * @param without parts of a recipe that the command chooses itself
 * @param engines beside those of every recipe
 */
export function withRecipeOptions(
  command: Command,
  { without = [], engines = [] }: { without?: readonly RecipeKey[]; engines?: readonly string[] } = {},
): Command {
  for (const [heading, options] of Object.entries(recipeOptions(engines)))
    for (const option of options)
      if (!without.includes(option.attributeName() as RecipeKey))
        command.addOption(heading === '' ? option : option.helpGroup(heading));
  return command;
}

/** Only what a recipe has. */
export const recipeOf = (flags: RecipeFlags): Recipe =>
  Object.fromEntries(
    Object.entries(flags).filter(([name, value]) => name in recipeParts && value !== undefined),
  );

/** By the heading of the help that they stand under. */
const recipeOptions = (engines: readonly string[]): Readonly<Record<string, Option[]>> => ({
  '': [
    new Option('--model <name>', 'what to train').choices(['dot-bias', 'mlp']).default('dot-bias'),
    new Option('--seed <number>', 'the same seed gives the same bytes')
      .argParser(number({ whole: true, from: 0 }))
      .default(1),
  ],
  'Model:': [
    new Option(
      '--factors <number>',
      'length of a user’s and an item’s vector, or auto for the MLP (default: 50)',
    ).argParser(factors),
    new Option('--hidden <widths>', 'MLP: the hidden layers, such as 64,32 (default: 64)').argParser(
      numbers({ whole: true, from: 1 }),
    ),
    new Option(
      '--dropout <rates>',
      'MLP: on the embeddings, then after each hidden layer (default: 0.1 each)',
    ).argParser(numbers({ from: 0, below: 1 })),
    new Option(
      '--range <low,high>',
      'the lowest and highest rating the model can give, such as 0,5.5 (default: a little wider than the data)',
    ).argParser(numbers({})),
    new Option(
      '--spread <number>',
      'standard deviation of the first random factors (default: 0.01)',
    ).argParser(number({ from: 0 })),
    new Option(
      '--spectral <users,items>',
      'how much of who rated what the first factors have (default: 0.08,0.2; MLP: 0.5,0.8)',
    ).argParser(numbers({ from: 0 })),
  ],
  'Training:': [
    new Option('--epochs <number>', 'times through the ratings (default: 6)').argParser(
      number({ whole: true, from: 1 }),
    ),
    new Option(
      '--batch <number>',
      'ratings a step (default: for row-adagrad 16 to 8192, by how many there are; else 64)',
    ).argParser(number({ whole: true, from: 1 })),
    new Option(
      '--learning-rate <number>',
      'the highest learning rate (default: 0.06 for row-adagrad, 0.1 with many ratings; others by optimizer and model)',
    ).argParser(number({ above: 0 })),
    new Option(
      '--schedule <name>',
      'of the learning rate (default: cosine for row-adagrad, else one-cycle)',
    ).choices(Object.keys(schedules)),
    new Option(
      '--optimizer <name>',
      'how steps are taken (default: row-adagrad; adamw on GPUs and by the training API)',
    ).choices(Object.keys(optimizers)),
    new Option(
      '--weight-decay <number>',
      'pull towards zero (default: 0.03 for row-adagrad, 0.1 for adamw, 0 for the others)',
    ).argParser(number({ from: 0 })),
    new Option('--loss <name>', 'what is made small').choices(['mse', 'l1', 'huber']).default('mse'),
    new Option('--lazy', 'update only the rows of a batch (default: for tables of over 50,000 rows)'),
    new Option('--no-lazy', 'update all rows at every step').default(undefined),
    new Option(
      '--engine <name>',
      `what takes the steps: one graph for many, the same by strata on all cores${engines.includes('ort-training') ? ', or ONNX Runtime’s training API' : ''}; auto is strata from 500,000 ratings on`,
    )
      .choices(['auto', 'epoch-graph', 'strata', ...engines])
      .default('auto'),
  ],
});

function factors(text: string): number | 'auto' {
  return text === 'auto' ? text : number({ whole: true, from: 1 })(text);
}
