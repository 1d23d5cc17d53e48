import { chance, harmony, leaning } from './chance.ts';

/** Words of the names of bands and musicians that do not exist: first and last ones, by genre. */
const NAMES = [
  [
    'Brambleholt Coppermead Hollowfen Rowanshaw Thistlegate Willowmere Harrowdale Larkfield',
    'Fiddlers Lanterns Ferrymen Orchard Weavers Hearth Wanderers Almanac',
  ],
  [
    'Ida_Vernholt Otis_Marlebone Clea_Dufont Rufus_Tanqueray Nadja_Lindqvell Theo_Abernakis Mavis_Orrin Joss_Pelletan',
    'Trio Quartet Quintet Septet Ensemble Orchestra Duo Sextet',
  ],
  [
    'Ashenforge Gravemaw Molten Obsidian Ravenspite Sunkenhall Wrathborn Ironmoth',
    'Sepulchre Anvil Litany Serpent Throne Legion Requiem Cauldron',
  ],
  [
    'Binary Carbon Lunar Phasewire Vectorial Staticmind Pulsar Zinc',
    'Arcades Drift Lattice Motorik Orbiter Signal Kilowatts Machines',
  ],
  [
    'Sugarplum Velveteen Glitterdays Marigold Pinkwater Tangerine Confetti Moonpie',
    'Sisters Holiday Parade Hearts Telephone Summer Balloon Kisses',
  ],
  [
    'Quiet Paperweight Drowsy Mapleton Crooked Yesterglow Borrowed Lighthouse',
    'Bicycles Letters Umbrellas Postcards Sundays Attics Neighbours Cartography',
  ],
  [
    'Big_Ozwald Lil_Marrow Duke_Fontaine MC_Parallax Queen_Ledger Ghostwriter_Nine Kid_Meridian Slim_Verdict',
    'Collective Cypher Tapes Crew Sessions Syndicate Chronicles Assembly',
  ],
  [
    'Gospeltown Lorraine_Applewhite Curtis_Hallowell Delphine_Rosewood Magnolia Otto_Brightwell Pearl Satinwood',
    'Revue Horns Choir Singers Sunday_Band Express Brothers Union',
  ],
  [
    'Aurelian Cloudbank Elsinore Fjordlight Glasswing Halcyon_Tide Snowfield Vesper',
    'Études Nocturnes Horizons Chamber Strings Reverie Voices Cathedral',
  ],
  [
    'Broken_Vending Cheap Rattlebrain Gutterball Loudmouth Rusty_Nailgun Scabby Wasted_Tuesday',
    'Riot Rejects Toothpicks Alarm Vandals Hooligans Skids Dropouts',
  ],
].map((words) => words.map((list) => list.split(/\s+/).map((word) => word.replaceAll('_', ' '))));

const USERS = 300;
const ARTISTS_OF_GENRE = 48;
/** Most artists of one user. */
const MOST = 120;

/**
 * A table of how often users played artists that do not exist. Users have one to three genres, and leanings in each. How much
 * someone likes an artist decides both whether they play it, and how often.
 */
export function plays(seed = 1): string {
  const draw = chance(seed, -4);
  const artists = draw.shuffled(
    NAMES.flatMap(([first, last], genre) =>
      draw
        .shuffled(first.flatMap((one) => last.map((other) => `${one} ${other}`)))
        .slice(0, ARTISTS_OF_GENRE)
        .map((name) => ({ name, genre, leaning: leaning(draw) })),
    ),
  );
  const lines = Array.from({ length: USERS }, (_, user) => {
    const genres = draw.shuffled(NAMES.map((_, genre) => genre)).slice(0, 1 + draw.weighted([3, 4, 3]));
    const own = NAMES.map(() => leaning(draw));
    const liking = artists.map(
      ({ genre, leaning }) =>
        (genres.includes(genre) ? 1 / (genres.indexOf(genre) + 1) : 0.04) * harmony(leaning, own[genre]),
    );
    const rest = artists.map((_, rank) => liking[rank] * (rank + 10) ** -0.6);
    const size = Math.min(MOST, Math.floor(14 + 22 * (draw.uniform() ** -0.5 - 1)));
    // How much someone listens at all.
    const habit = 12 * Math.exp(draw.normal());
    return Array.from({ length: size }, () => {
      const artist = draw.weighted(rest);
      rest[artist] = 0;
      const count = Math.ceil(habit * liking[artist] * Math.exp(1.1 * draw.normal()));
      return `u${String(user + 1).padStart(3, '0')},${artists[artist].name},${count}\n`;
    });
  });
  return `user,artist,plays\n${lines.flat().join('')}`;
}
