import * as v from 'valibot';
import { type Kind, kinds } from '../../util/choices.ts';

/** An entry of a registry with hyperparameters: `{ name: 'adamw', beta2: 0.99 }`. */
export interface Named<Name extends string = string> {
  readonly name: Name;
  readonly [choice: string]: string | number;
}

type Registry<Name extends string, Thing> = Readonly<Record<Name, (config: never) => Thing>>;

/** The kind of an entry of a registry: its name, or its name with hyperparameters, which are numbers from 0. */
export function named<Name extends string>(
  registry: Registry<Name, { readonly config: object }>,
): Kind<Name | Named<Name>> {
  const names = Object.keys(registry) as Name[];
  const faultIn = (value: unknown): string | undefined => {
    const { name, ...config } = (
      typeof value === 'object' ? given({ ...value }) : { name: value }
    ) as Named<Name>;
    if (!names.includes(name)) return `give one of ${names.join(', ')}`;
    const known = Object.keys(make(registry, { name, learningRate: 1 }).config);
    const unknown = Object.keys(config).find((choice) => !known.includes(choice));
    if (unknown !== undefined) return `${name} has no choice "${unknown}", only ${known.join(', ')}`;
    for (const [choice, number] of Object.entries(config)) {
      const { success, issues } = v.safeParse((RANGES[choice] ?? kinds.notNegative).schema, number);
      if (!success) return issues[0].message.replace('give', `give ${choice}`);
    }
    return undefined;
  };
  return {
    schema: v.custom<Name | Named<Name>>(
      (value) => faultIn(value) === undefined,
      ({ input }) => faultIn(input) ?? '',
    ),
    placeholder: 'name',
    names,
    parse: (text) => text,
  };
}

const RANGES: Readonly<Record<string, Kind<number>>> = {
  ...{ learningRate: kinds.positive, divide: kinds.positive, divideFinal: kinds.positive },
  ...{ momentum: kinds.rate, momentumLow: kinds.rate, warmUp: kinds.rate, beta2: kinds.rate },
};

const given = (named: object): object =>
  Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));

/** Makes an entry of a registry from its name and its hyperparameters, which are checked before. */
export const make = <Thing>(registry: Registry<string, Thing>, { name, ...config }: Named): Thing =>
  registry[name](given(config) as never);
