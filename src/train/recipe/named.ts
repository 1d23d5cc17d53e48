import * as v from 'valibot';
import { type Kind, kinds } from '../../util/choices.ts';

/** A thing of a registry by its name, with choices of its own: `{ name: 'adamw', beta2: 0.99 }`. */
export interface Named<Name extends string = string> {
  readonly name: Name;
  readonly [choice: string]: string | number;
}

type Registry<Name extends string, Thing> = Readonly<Record<Name, (config: never) => Thing>>;

/** Something of a registry: its name alone, or with choices of its own, which are numbers from 0. */
export function named<Name extends string>(
  registry: Registry<Name, { readonly config: object }>,
): Kind<Name | Named<Name>> {
  const names = Object.keys(registry) as Name[];
  const faultIn = (value: unknown): string | undefined => {
    const { name, ...config } = (typeof value === 'object' ? { ...value } : { name: value }) as Named<Name>;
    if (!names.includes(name)) return `give one of ${names.join(', ')}`;
    const known = Object.keys(make(registry, { name, learningRate: 1 }).config);
    const unknown = Object.keys(config).find((choice) => !known.includes(choice));
    if (unknown !== undefined) return `${name} has no choice "${unknown}", only ${known.join(', ')}`;
    const bad = known.find((choice) => choice in config && !v.is(kinds.notNegative.schema, config[choice]));
    return bad && `give ${bad} a number from 0`;
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

/** Makes what a name and its choices, which have been checked, stand for. */
export const make = <Thing>(registry: Registry<string, Thing>, { name, ...config }: Named): Thing =>
  registry[name](config as never);
