import * as v from 'valibot';
import { UserError } from '../../errors.ts';
import type { Kind } from '../../util/choices.ts';

/** A thing of a registry by its name, with choices of its own: `{ name: 'adamw', beta2: 0.99 }`. */
export interface Named<Name extends string = string> {
  readonly name: Name;
  readonly [choice: string]: string | number;
}

type Registry<Name extends string = string> = Readonly<
  Record<Name, (config: never) => { readonly config: object }>
>;

/** Something of a registry: its name alone, or with choices of its own. */
export function named<Name extends string>(registry: Registry<Name>): Kind<Name | Named<Name>> {
  const names = Object.keys(registry) as Name[];
  const message = `give one of ${names.join(', ')}`;
  const name = v.picklist(names, message);
  return {
    schema: v.union([name, v.objectWithRest({ name }, v.number())], message) as Kind<
      Name | Named<Name>
    >['schema'],
    placeholder: 'name',
    names,
    parse: (text) => text,
  };
}

/** @throws UserError for a name that the registry does not have, or a choice that it does not know */
export function make<Thing extends { readonly config: object }>(
  kind: string,
  registry: Readonly<Record<string, (config: never) => Thing>>,
  { name, ...config }: Named,
): Thing {
  if (!Object.hasOwn(registry, name))
    throw new UserError(`there is no ${kind} "${name}"; give one of ${Object.keys(registry).join(', ')}`);
  const thing = registry[name](config as never);
  const known = Object.keys(thing.config);
  const unknown = Object.keys(config).find((choice) => !known.includes(choice));
  if (unknown !== undefined)
    throw new UserError(`${kind} ${name} has no choice "${unknown}"; it has ${known.join(', ') || 'none'}`);
  return thing;
}
