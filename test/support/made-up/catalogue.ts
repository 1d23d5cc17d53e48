/** The articles of a shop that does not exist. */
export interface Article {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  /** In cents. */
  readonly price: number;
  /** The title without its size. */
  readonly sort: string;
  /** Whether people buy it again. */
  readonly isUsedUp: boolean;
}

/**
 * By category: sorts with the sizes they are sold in and the price of the first size; after `+`, things that last, one size
 * each.
 */
const SORTS: Readonly<Record<string, string>> = {
  Tea: `Darjeeling tea|100 g, 250 g|6.90; Assam tea|100 g, 250 g|5.40; Ceylon tea|100 g, 250 g|4.90;
    Earl Grey tea|100 g, 250 g|5.20; Lapsang Souchong tea|100 g, 250 g|7.40; Sencha tea|100 g, 250 g|7.90;
    Jasmine tea|100 g, 250 g|6.40; Gunpowder tea|100 g, 250 g|4.60; Genmaicha tea|100 g, 250 g|6.80;
    Oolong tea|100 g, 250 g|8.90; Peppermint tea|50 g, 150 g|3.40; Camomile tea|50 g, 150 g|3.60;
    Rooibos tea|100 g, 250 g|4.20; Ginger and lemon tea|50 g, 150 g|3.90`,
  Teaware: `+ Cast-iron teapot|1 l|49.00; Glass teapot|1.2 l|24.90; Porcelain teapot|1 l|36.50; Tea strainer||7.90;
    Tea caddy|250 g|11.50; Tea cosy||18.00; Porcelain cup and saucer||12.90; Tea glasses|set of 4|19.90;
    Matcha whisk||14.50; Matcha bowl||22.00; Tea timer||9.90`,
  Coffee: `Ethiopia Sidamo coffee|250 g, 500 g|8.90; Colombia Supremo coffee|250 g, 500 g|7.90;
    Kenya coffee|250 g, 500 g|9.40; Brazil Santos coffee|250 g, 500 g|6.90; Sumatra coffee|250 g, 500 g|8.40;
    Guatemala coffee|250 g, 500 g|8.20; Espresso blend|250 g, 500 g|7.20; House blend|250 g, 500 g|6.20;
    Decaffeinated coffee|250 g, 500 g|7.60; Coffee filters|100 pieces|3.90`,
  Coffeeware: `+ Coffee hand grinder||59.00; French press|1 l|32.00; Moka pot|6 cups|34.90; Coffee dripper||16.90;
    Milk frother||21.50; Espresso cups|set of 2|17.90; Swan-neck kettle|0.8 l|44.00; Coffee scales||38.00`,
  Chocolate: `Dark chocolate 70 %|100 g|3.20; Dark chocolate 85 %|100 g|3.40; Milk chocolate|100 g|2.80;
    White chocolate|100 g|2.80; Hazelnut chocolate|100 g|3.30; Orange chocolate|100 g|3.30;
    Salted caramel chocolate|100 g|3.60; Drinking chocolate|250 g, 500 g|6.90; Truffles|150 g|9.80`,
  Biscuits: `Shortbread|200 g|4.20; Ginger biscuits|200 g|3.60; Oat biscuits|200 g|3.40; Cantuccini|250 g|4.80;
    Amaretti|200 g|5.20; Almond crescents|200 g|4.90; Lemon wafers|150 g|2.90`,
  Baking: `Wheat flour|1 kg|1.60; Rye flour|1 kg|1.90; Spelt flour|1 kg|2.60; Dry yeast|10 sachets|2.20;
    Baking powder|10 sachets|1.80; Vanilla pods|3 pieces|8.90; Vanilla sugar|100 g|3.20; Ground almonds|200 g|3.90;
    Baking chocolate|200 g|3.70; Poppy seeds|250 g|3.10; + Cake tin|26 cm|18.90; Loaf tin|30 cm|15.90;
    Rolling pin||13.50; Proving basket||16.50; Dough scraper||5.90; Balloon whisk||9.80`,
  'Italian food': `Spaghetti|500 g|2.20; Penne|500 g|2.20; Orecchiette|500 g|2.90; Tagliatelle|500 g|3.20;
    Olive oil|500 ml, 1 l|9.90; Balsamic vinegar|250 ml|7.80; Pesto|180 g|4.60; Tomato passata|700 g|2.40;
    Capers in salt|100 g|3.90; Dried tomatoes|200 g|4.70; Arborio rice|1 kg|4.90; Polenta|500 g|2.30;
    + Parmesan grater||12.90; Pasta machine||54.00`,
  Spices: `Turmeric|50 g|2.90; Cumin|50 g|2.70; Coriander seed|50 g|2.30; Cardamom|50 g|6.40; Cinnamon sticks|50 g|3.60;
    Chilli flakes|50 g|3.10; Smoked paprika|50 g|3.20; Garam masala|50 g|3.80; Curry powder|50 g|3.30;
    Black pepper|50 g|2.90; Star anise|50 g|4.20; Basmati rice|1 kg|4.80; Coconut milk|400 ml|2.10;
    + Granite mortar||29.90; Pepper mill||26.50`,
  Garden: `Tomato seeds||2.40; Basil seeds||1.90; Lettuce seeds||1.80; Radish seeds||1.70; Sunflower seeds||1.90;
    Lavender seeds||2.20; Chive seeds||1.80; Pumpkin seeds||2.30; Bird food|1 kg, 3 kg|4.90; Potting soil|10 l|5.60;
    + Hand trowel||11.90; Watering can|5 l|23.00; Gardening gloves||8.90; Secateurs||27.50; Bird feeder||19.50`,
  Stationery: `Blue ink|30 ml|5.90; Black ink|30 ml|5.90; Green ink|30 ml|6.40; Lined notebook|A5|7.50;
    Plain notebook|A5|7.50; Dotted notebook|A5|7.90; Writing paper|50 sheets|8.20; Envelopes|25 pieces|4.90;
    Sealing wax||6.50; Pencils|set of 6|5.20; + Fountain pen||34.00; Sketchbook|A4|14.90; Watercolours|12 pans|28.00;
    Desk lamp||62.00`,
  Bath: `Olive soap|100 g|3.40; Lavender soap|100 g|3.90; Rose soap|100 g|4.20; Shaving soap|80 g|7.80;
    Bath salts|500 g|6.90; Hand cream|75 ml|8.40; Body oil|100 ml|12.50; + Shaving brush||24.90; Natural sponge||13.90;
    Linen towel||21.00`,
};

export const CATEGORIES = Object.keys(SORTS);

/** In the order of their ids. */
export const articles: readonly Article[] = Object.entries(SORTS).flatMap(([category, text], at) =>
  text
    .split('+')
    .flatMap((half, part) =>
      half
        .split(';')
        .filter((entry) => entry.trim())
        .flatMap((entry) => {
          const [sort, sizes, price] = entry.split('|').map((field) => field.trim());
          return sizes.split(',').map((size, larger) => ({
            title: `${sort} ${size.trim()}`.trim(),
            category,
            // A larger package costs about twice as much.
            price: Math.round(Number(price) * (larger ? 19 : 10)) * 10,
            sort,
            isUsedUp: part === 0,
          }));
        }),
    )
    .map((article, place) => ({ id: `A${100 * (at + 10) + place}`, ...article })),
);
