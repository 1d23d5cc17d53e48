import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { checkNotInSite } from '../artifact/site.ts';
import { isId } from '../data/read/ids.ts';
import { option, UserError } from '../errors.ts';
import { checkOwn } from '../recommend/checks.ts';
import { checkNotHidden } from '../util/own-folder.ts';
import { badRequest } from './errors.ts';
import { FeedbackFiles, Quota } from './feedback-file.ts';
import { LIMITS } from './limits.ts';
import type { Metrics } from './metrics.ts';
import { modelNamed, type ServedModel } from './models.ts';
import type { OpenModel } from './open-model.ts';
import { list, model, object, text } from './schemas.ts';

/** That a user rated an item, or did something with it. */
interface Event {
  readonly user: string;
  readonly item: string;
  readonly value?: number;
  /** Seconds since 1970. */
  readonly time?: number;
}

interface Placed extends Event {
  /** Where it stands in the body, for messages. */
  readonly at: string;
}

interface Body extends Partial<Event> {
  readonly events?: readonly Event[];
}

/** Stores events, each model's in a folder of its own, as lines of JSON that training reads. */
export class Feedback {
  private readonly quota: Quota;
  /** By folder and kind, because a file has either ratings or counts. */
  private readonly files = new Map<string, FeedbackFiles>();

  private constructor(private readonly folder: string) {
    this.quota = new Quota(folder);
  }

  /**
   * Nothing is created before the first event.
   *
   * @param models the folders of the models
   * @throws UserError if the folder is none, or cannot be made or written, or if a model is where its feedback would be
   */
  static async in(folder: string, models: readonly string[]): Promise<Feedback> {
    const path = resolve(folder);
    const same = models.find((model) => join(path, basename(resolve(model))) === resolve(model));
    if (same !== undefined)
      throw new UserError(
        'argument',
        `${same}: the feedback would be in the folder of the model; give another folder for ${option('feedback')}`,
      );
    await checkFolder(path, folder);
    return new Feedback(path);
  }

  /** @throws HttpError if an event is not valid, or cannot be stored now; then none is stored */
  async add({ name, recommender }: OpenModel, events: readonly Placed[]): Promise<void> {
    const { kind, artifact } = recommender;
    const column = kind === 'ratings' ? 'rating' : 'count';
    const now = Date.now() / 1000;
    const lines = events.map(({ at, user, item, value, time = now }) => {
      for (const [role, id] of Object.entries({ user, item })) checkId(id, `${at}${role}`);
      if (time < 0 || time > now + LIMITS.feedbackAhead)
        throw badRequest(`${at}time is ${time}; give seconds since 1970, up to now`);
      const strength = kind === 'ratings' ? ratingOf(value, at) : strengthOf(value, at);
      if (kind === 'ratings') checkOwn([{ item, rating: strength }], artifact);
      return `${JSON.stringify({ user, item, [column]: strength, time: new Date(1000 * time) })}\n`;
    });
    if (lines.length > 0) await this.filesOf(name, kind).append(lines.join(''));
  }

  /** Stores what was accepted. */
  async close(): Promise<void> {
    await Promise.all([...this.files.values()].map((files) => files.close()));
  }

  private filesOf(name: string, kind: string): FeedbackFiles {
    const key = `${kind} ${name}`;
    const known = this.files.get(key) ?? new FeedbackFiles(join(this.folder, name), this.quota);
    this.files.set(key, known);
    return known;
  }
}

function ratingOf(value: number | undefined, at: string): number {
  if (value !== undefined) return value;
  throw badRequest(`there is no ${at}value; the model was trained on ratings, so give one`);
}

function strengthOf(value = 1, at: string): number {
  // Training has numbers of 32 bits.
  if (Math.fround(value) > 0) return value;
  throw badRequest(`${at}value is ${value}; give how often or how much, a 32-bit number above 0`);
}

/** @throws HttpError for an id that training would not read, or not as it is */
function checkId(id: string, what: string): void {
  if (id !== id.trim())
    throw badRequest(`${what} has white space at an end, which training cuts off; send it without`);
  if (!isId(id))
    throw badRequest(`${what} is ${JSON.stringify(id)}, which training takes for a missing id; send another`);
}

/** Checks the folder, or the first above it that there is. */
async function checkFolder(path: string, given: string): Promise<void> {
  checkNotHidden(given, path);
  await checkNotInSite(given, path);
  const refuse = (reason: string): never => {
    throw new UserError('file', `${given}: ${reason}; give another folder for ${option('feedback')}`);
  };
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) {
    if (found.code === 'ENOENT' && dirname(path) !== path) return checkFolder(dirname(path), given);
    return refuse(`cannot be opened (${found.code})`);
  }
  if (!found.isDirectory())
    return refuse(path === resolve(given) ? 'is not a folder' : `${path} is not a folder`);
  await access(path, constants.W_OK | constants.X_OK).catch((error: NodeJS.ErrnoException) =>
    refuse(`cannot be written (${error.code})`),
  );
}

const number = { type: 'number' };
const event = {
  user: text,
  item: text,
  value: {
    ...number,
    description: 'The rating; of a model of interactions how often or how much, by default 1',
  },
  time: { ...number, description: 'Seconds since 1970. Default: now' },
};

const schema = {
  tags: ['Recommendations'],
  summary: 'Stores what users rated, or did, for the next training',
  querystring: object({ model }, []),
  body: object(
    {
      events: {
        ...list(object(event, ['user', 'item'])),
        maxItems: LIMITS.events,
        description: 'Several events, in place of one',
      },
      ...event,
    },
    [],
  ),
  response: { 200: object({ stored: { type: 'integer' } }) },
};

/** Adds the endpoint that collects feedback. */
export function addFeedback(
  app: FastifyInstance,
  models: readonly ServedModel[],
  feedback: Feedback,
  { feedbackEvents }: Metrics,
): void {
  app.post<{ Body: Body; Querystring: { readonly model?: string } }>(
    '/feedback',
    { schema },
    async ({ body, query, allowance }) => {
      const events = eventsOf(body);
      const served = modelNamed(models, query.model);
      await allowance.run(async () => {
        await served.ask((model) => feedback.add(model, events));
        feedbackEvents.inc({ model: served.name }, events.length);
      });
      return { stored: events.length };
    },
  );
}

function eventsOf({ events, ...event }: Body): readonly Placed[] {
  const { user, item } = event;
  if (events && Object.keys(event).length === 0)
    return events.map((one, index) => ({ ...one, at: `events.${index}.` }));
  if (!events && user !== undefined && item !== undefined) return [{ ...event, user, item, at: '' }];
  throw badRequest(
    'send one event, {"user": "ID", "item": "ID", "value": 4}, or several as {"events": [{"user": "ID", "item": "ID", "value": 4}]}',
  );
}
