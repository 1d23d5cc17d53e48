"""Random text files: tables of fields, most of them good, some broken."""

import csv
import gzip
import io
import re

from random_values import HEADERS, LETTERS, RATINGS, TIMES, draw_ids, merged

# The encoding here, the option for the reader, which sees some by their mark, the mark, and the letters.
ENCODINGS = [
    ("utf-8", None, b"", "utf-8"),
    ("utf-8", None, b"\xef\xbb\xbf", "utf-8"),
    ("utf-16-le", None, b"\xff\xfe", "utf-16"),
    ("utf-16-be", None, b"\xfe\xff", "utf-16"),
    ("utf-16-le", "utf-16le", b"", "utf-16"),
    ("utf-16-be", "utf-16be", b"", "utf-16"),
    ("latin-1", "latin-1", b"", "latin-1"),
    ("cp1252", "windows-1252", b"", "cp1252"),
    ("gbk", "gbk", b"", "gbk"),
    ("koi8-r", "koi8-r", b"", "koi8-r"),
    ("shift_jis", "shift_jis", b"", "shift_jis"),
]


class Form:
    """How a text file is written."""

    def __init__(self, rng, broken):
        self.delimiter = rng.choice([",", ",", ";", "\t", "|", "::", " "])
        self.quotes = self.delimiter not in ("::", " ")
        self.breaks = self.quotes and not broken
        self.quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
        self.line_end = rng.choice(["\n", "\n", "\r\n", "\r"])
        self.ends = rng.random() < 0.8
        self.header = rng.random() < 0.6
        encoding = ENCODINGS[0] if rng.random() < 0.5 else rng.choice(ENCODINGS)
        self.codec, self.encoding, self.mark, self.letters = encoding
        self.spaces = self.delimiter != " " and rng.random() < 0.15
        self.kind = "ratings" if rng.random() < 0.8 else "interactions"
        self.counts = self.kind == "interactions" and self.header and rng.random() < 0.6
        self.thousands = self.counts and rng.random() < 0.3
        self.decimal_comma = self.kind == "ratings" and rng.random() < 0.25
        self.time = rng.choice([None, None, *TIMES])
        if self.delimiter == " " and self.time == "spaced":
            self.time = "zulu"
        self.notes = rng.choice([0, 0, 1, 3])

    def fit(self, text):
        """The text as a file of this form can hold it, without what a reader would take for a comment."""
        if not self.breaks:
            text = re.sub(r"[\r\n\t\"]", "_", text)
        if self.delimiter == "::":
            text = text.replace(":", "_")
        if self.delimiter == " ":
            text = re.sub(r"[ ']", "_", text.strip())
        # Nobody could tell the delimiter from others that stand in every line without a header.
        if not self.header:
            text = re.sub(r"[,;|:\t]", "_", text)
        return text.strip().lstrip("#%=").strip()

    def write(self, lines):
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.delimiter[0], quoting=self.quoting, lineterminator="\r\n")
        texts = []
        for fields in lines:
            if self.quotes:
                # Python quotes a line break of the other kind only if lines end in both.
                out.seek(0)
                out.truncate()
                writer.writerow(fields)
                texts.append(out.getvalue()[:-2])
            else:
                texts.append(self.delimiter.join(fields))
        return self.encode(self.line_end.join(texts) + (self.line_end if self.ends else ""))

    def encode(self, text):
        return self.mark + text.encode(self.codec)


def draw_table(rng, form):
    """Rows as texts by role, what is true of them, and whether any reader knows their scale."""
    number = rng.choice([rng.randint(2, 6), rng.randint(30, 200), rng.randint(30, 200), 3000])
    letters = LETTERS[form.letters]
    users, _ = draw_ids(rng, max(2, number // 8), form.fit, letters)
    items, _ = draw_ids(rng, max(2, number // 10), form.fit, letters)
    rating, on_scale = rng.choice(RATINGS)
    rows, truths, pairs = [], [], set()
    for _ in range(number):
        pair = (rng.choice(users), rng.choice(items))
        if form.kind == "interactions" and form.time and pair in pairs:
            continue
        pairs.add(pair)
        row, value, time = dict(zip(("user", "item"), pair)), 1, None
        if form.counts:
            value = rng.choice([1, 2, 3, rng.randint(4, 9), rng.randint(1000, 40000)])
            row["count"] = f"{value:,}" if form.thousands else str(value)
        elif form.kind == "ratings":
            text = rating(rng)
            value = float(text)
            row["rating"] = text.replace(".", ",") if form.decimal_comma else text
        if form.spaces:
            row = {role: rng.choice(["", " ", "  "]) + text + rng.choice(["", " "]) for role, text in row.items()}
        if form.time:
            row["time"], time = TIMES[form.time](rng.randint(10**9, 1_700_000_000))
        for note in range(form.notes):
            text = rng.choice(["", "fine", "not bad", 'says "so", twice', "x;y|z", "two\nlines"])
            row[f"note{note}"] = form.fit(text) or "none"
        rows.append(row)
        truths.append([*pair, value, time])
    return rows, truths, on_scale and number >= 30


def options_of(rng, form, rows, on_scale):
    """What no reader could guess."""
    order = list(rows[0])
    options = {"encoding": form.encoding} if form.encoding else {}
    roles = [role for role in ("user", "item", "rating", "time") if role in order]
    if not form.header and (order[: len(roles)] != roles or form.kind == "interactions"):
        options |= {f"{role}Column": str(order.index(role) + 1) for role in roles}
        if form.kind == "interactions":
            options["ratingColumn"] = ""
    if form.delimiter == " " and form.kind == "interactions" and not form.counts:
        # Words with spaces between them may as well be prose.
        options["delimiter"] = " "
    after = [row["rating"].strip().split(",")[1] for row in rows if "," in row.get("rating", "")]
    if form.thousands:
        options["decimal"] = "."
    elif after and (form.delimiter == "," or all(len(digits) == 3 for digits in after) or rng.random() < 0.3):
        options["decimal"] = ","
    if form.kind == "ratings" and not on_scale:
        options["kind"] = "ratings"
    return options


def text_file(rng):
    broken = rng.random() < 0.25
    form = Form(rng, broken)
    rows, truths, on_scale = draw_table(rng, form)
    order = list(rows[0])
    if rng.random() < 0.5:
        rng.shuffle(order)
    rows = [{role: row[role] for role in order} for row in rows]
    names = [rng.choice(HEADERS[role.rstrip("012")]) + re.sub("[a-z]", "", role) for role in order]
    truth = {"options": options_of(rng, form, rows, on_scale)}
    lines = [[*row.values()] for row in rows]
    if form.header:
        lines.insert(0, names)
    truth["name"] = rng.choice(["ratings.csv", "ratings.tsv", "ratings.txt", "u.data", "ratings", "year=2020.dat"])
    if broken:
        data, truth["refused"] = rng.choice(BREAKS)(rng, form, order, lines)
        return data, truth
    truth["rows"] = merged(truths, form.kind)
    data = form.write(lines)
    truth["zstd"] = form.codec == "utf-8" and form.line_end == "\n" and rng.random() < 0.3
    if not truth["zstd"] and rng.random() < 0.25:
        data = gzip.compress(data, mtime=0)
    return data, truth


def some_line(rng, form, lines):
    """The place of a line that is neither the header nor the first, which says how many fields there are."""
    return rng.randrange(1 + form.header, len(lines)) if len(lines) > 1 + form.header else len(lines) - 1


def spoil(role, text, message):
    """A break by one field."""

    def work(rng, form, order, lines):
        place = some_line(rng, form, lines)
        if role not in order or place == 0 or (text == "" and form.delimiter == " "):
            return fewer(rng, form, order, lines)
        lines[place][order.index(role)] = text
        return form.write(lines), f"line {place + 1}: .*{message}"

    return work


def fewer(rng, form, order, lines):
    place = some_line(rng, form, lines)
    if place == 0:
        return empty(rng, form, order, lines)
    lines[place].pop()
    return form.write(lines), f"line {place + 1}: {len(lines[place])} field"


def more(rng, form, order, lines):
    place = some_line(rng, form, lines)
    if place == 0:
        return empty(rng, form, order, lines)
    lines[place] += ["more"]
    return form.write(lines), f"line {place + 1}: {len(lines[place])} fields"


def open_quote(rng, form, order, lines):
    place = some_line(rng, form, lines)
    if not form.quotes or form.decimal_comma or form.thousands or place == 0:
        return fewer(rng, form, order, lines)
    texts = [form.delimiter.join(re.sub(rf'[{form.delimiter}"]', "_", field) for field in fields) for fields in lines]
    texts[place] = '"' + texts[place]
    return form.encode(form.line_end.join(texts)), f"line {place + 1}: a quote is not closed"


def cut_off(rng, form, order, lines):
    if len(lines) < 2 + form.header or len(order) < 3:
        return empty(rng, form, order, lines)
    lines[-1] = lines[-1][: rng.randint(1, len(order) - 1)]
    form.ends = False
    return form.write(lines), f"line {len(lines)}: "


def cut_off_gzip(rng, form, order, lines):
    data = gzip.compress(form.write(lines), mtime=0)
    return data[: rng.randint(20, len(data) - 1)], "cut off"


def wrong_encoding(rng, form, order, lines):
    """Bytes that are no UTF-8, which the reader expects where it is told nothing else."""
    if form.encoding or form.mark:
        return empty(rng, form, order, lines)
    place = some_line(rng, form, lines)
    lines[place][order.index("item")] = "caf\xe9"
    lines = [[re.sub(r"[^\x00-\xff]", "_", field) for field in fields] for fields in lines]
    form.codec = "latin-1"
    return form.write(lines), "encoding"


def empty(rng, form, order, lines):
    if not form.header or form.delimiter == " ":
        return form.encode(""), "is empty"
    return form.write(lines[:1]), "has a header and no"


BREAKS = [
    spoil("rating", "good", '"good"'),
    spoil("rating", "", "empty field"),
    spoil("rating", "4.5.6", '"4.5.6"'),
    spoil("item", "", "an empty id"),
    spoil("item", "NULL", "NULL"),
    spoil("time", "May", '"May"'),
    fewer,
    more,
    open_quote,
    cut_off,
    cut_off_gzip,
    wrong_encoding,
    empty,
]
