import { readRatings } from '../data/read/read.ts';
import type { Reading } from '../data/read/reading.ts';
import { UserError } from '../errors.ts';
import type { Recommender } from '../recommend/recommender.ts';
import { readingOf } from './choice-options.ts';
import { sentenceWithFlags } from './flag-names.ts';
import { printNote } from './output.ts';

/**
 * Reads data for a model as those of its training were read, unless flags say otherwise, and says on stderr what the reader
 * assumed of interactions.
 *
 * @param role whether the model was trained on these data; only then does it matter what recommendations leave out
 */
export async function readForModel(
  { artifact, kind }: Recommender,
  files: string | readonly string[],
  flags: object,
  role: 'training' | 'held-out',
): Promise<Reading['ratings']> {
  const given = { ...readingOf(flags), kind };
  const { reading: stored } = artifact.manifest.data;
  const read = async (options: typeof given): Promise<Reading> => {
    const { leaveOut, ...others } = options;
    return readRatings(files, { ...others, ...(role === 'training' && { leaveOut }) });
  };
  const asStored = given.ratingColumn === undefined && stored ? { ...stored, ...given } : given;
  const { ratings, report } = await read(asStored).catch(async (error) => {
    // A file without events, or without counts, may still be what the model is judged on.
    const isMissing = [stored?.eventColumn, stored?.countColumn].some(
      (column) => column !== undefined && String(error.message).includes(`no column "${column}"`),
    );
    if (!(error instanceof UserError) || !isMissing) throw error;
    const { eventWeights: _, leaveOut: __, ...plain } = given;
    const found = await read(given.eventColumn === undefined ? plain : given).catch(() => {
      throw error;
    });
    printNote(`Read without the columns of training: ${error.message}`);
    return found;
  });
  if (kind === 'interactions' && report.assumptions.length > 0)
    printNote(`${[files].flat().join(', ')}: ${report.assumptions.map(sentenceWithFlags).join('; ')}`);
  return ratings;
}
