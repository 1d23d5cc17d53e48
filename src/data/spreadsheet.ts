/** How a cell begins that a spreadsheet runs, also behind white space and what cannot be seen; ＝ and the like are such, too. */
const FORMULA = /^(?:[\t\r\n]|[\s\p{Cc}\p{DI}]*[=+\-@＝＋－＠])/u;

/** Keeps a spreadsheet from running the texts of a CSV file as formulas. */
export class Guard {
  /** Cells that were changed. */
  count = 0;
  /** Whether some cell must have quotes, because a spreadsheet may divide it: in many countries it does at `;`. */
  quotes = false;

  /** @param isOff whether texts stay as they are */
  constructor(private readonly isOff: boolean) {}

  /** A text as a cell: behind an apostrophe if it begins like a formula. */
  cell(text: string): string {
    if (/[;\t]/.test(text)) this.quotes = true;
    if (this.isOff || !FORMULA.test(text)) return text;
    this.count++;
    return `'${text}`;
  }
}
