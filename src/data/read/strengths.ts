import { tooStrong } from '../dataset/ratings.ts';
import { ROUNDING } from '../dataset/rows.ts';
import { type Connection, rows } from './duckdb.ts';

/** SQL expression of the strength of a group of values `rating`, as `StrengthSum` adds them up. */
export const STRENGTH = `(CASE WHEN abs(sum(rating::DOUBLE)) < ${ROUNDING} * max(abs(rating)) THEN 0
  ELSE sum(rating::DOUBLE ORDER BY rating) END)::FLOAT`;

/** The largest 32-bit float. */
const LARGEST = 3.4028234663852886e38;

/**
 * @param values query of user_id, item_id and rating
 * @throws UserError for a pair whose strength is no 32-bit number
 */
export async function checkStrengths(connection: Connection, values: string, name: string): Promise<void> {
  const [[most]] = await rows(connection, `SELECT max(abs(rating))::DOUBLE * count(*) FROM (${values})`);
  if (Number(most) < LARGEST) return;
  const [pair] = await rows(
    connection,
    `SELECT user_id::VARCHAR, item_id::VARCHAR FROM (${values})
     GROUP BY user_id, item_id HAVING abs(sum(rating::DOUBLE)) > ${LARGEST} ORDER BY ALL LIMIT 1`,
  );
  if (pair) throw tooStrong(name, String(pair[0]), String(pair[1]));
}
