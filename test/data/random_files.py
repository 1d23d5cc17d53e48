"""Writes random files of ratings, as many programs write them, and the truth about each beside it.

    python3 random_files.py FOLDER SEED COUNT

NUMBER.json has the name of the file, the options that no reader could guess, and either the rows, one for each pair, as
[user, item, value, time or null], or a pattern of the line that must refuse the file. Python writes neither Parquet nor zstd:
there, `parquet` and `zstd` say how another program makes the file from the one that is written here.
"""

import gzip
import json
import pathlib
import random
import sys

from random_texts import text_file
from random_values import HEADERS, RATINGS, TIMES, draw_ids, merged


def draw_objects(rng, times):
    """Ids, ratings and times as JSON has them; and what is true of them."""
    number = rng.choice([rng.randint(2, 6), rng.randint(30, 200), 3000])
    (users, user_kind), (items, item_kind) = draw_ids(rng, max(2, number // 8)), draw_ids(rng, max(2, number // 10))
    rating, _ = rng.choice(RATINGS)
    time_kind = rng.choice(times)
    rows, truths = [], []
    for _ in range(number):
        user, item, text = rng.choice(users), rng.choice(items), rating(rng)
        row, time = {"user": user, "item": item, "rating": float(text)}, None
        if time_kind:
            row["time"], time = TIMES[time_kind](rng.randint(10**9, 1_700_000_000))
        rows.append(row)
        truths.append([user, item, float(text), time])
    kinds = {"user": user_kind, "item": item_kind, "time": time_kind}
    return rows, kinds, {"options": {"kind": "ratings"}, "rows": merged(truths, "ratings")}


def json_file(rng):
    rows, kinds, truth = draw_objects(rng, [None, *TIMES])
    for role in ("user", "item"):
        if kinds[role] in ("numbers", "large") and rng.random() < 0.5:
            rows = [row | {role: int(row[role])} for row in rows]
    if kinds["time"] in ("seconds", "milliseconds") and rng.random() < 0.7:
        rows = [row | {"time": int(row["time"])} for row in rows]
    if rng.random() < 0.2:
        rows = [row | {"rating": repr(row["rating"])} for row in rows]
    names = {role: rng.choice(HEADERS[role]) for role in rows[0]}
    nested = rng.random() < 0.25
    objects = []
    for row in rows:
        entry = {names[role]: value for role, value in row.items()}
        if nested:
            entry["by"] = {"id": entry.pop(names["user"]), "name": "Ann", "reviews": [1, {}]}
        if rng.random() < 0.5:
            entry = dict(rng.sample([*entry.items()], len(entry)))
        objects.append(entry | rng.choice([{}, {"note": None}, {"note": {"x": [1, "]}"]}}]))
    if nested:
        truth["options"]["userColumn"] = "by.id"
    style = {"ensure_ascii": rng.random() < 0.5, "separators": rng.choice([None, (",", ":")])}
    form = rng.choice(["lines", "lines", "array", "pretty", "within"])
    line_end = rng.choice(["\n", "\r\n"])
    if rng.random() < 0.2:
        at = rng.randrange(1, len(objects))
        objects[at][names["item"]] = rng.choice([None, {"id": "x"}, ["x"]])
        del truth["rows"]
        truth["refused"] = f"line {at + 1}: " if form == "lines" else names["item"]
    if form == "lines":
        text = line_end.join(json.dumps(one, **style) for one in objects) + rng.choice(["", line_end])
    elif form == "within":
        text = json.dumps({"made": "2026-11-30", "ratings": objects}, **style, indent=rng.choice([None, 2]))
    else:
        text = json.dumps(objects, **style, indent=None if form == "array" else rng.choice([1, 2, "\t"]))
    if form != "lines" and "rows" in truth and rng.random() < 0.1:
        text = text[: rng.randint(len(text) // 2, len(text) - 1)]
        del truth["rows"]
        truth["refused"] = "JSON"
    truth["name"] = "ratings.jsonl" if form == "lines" else "ratings.json"
    data = rng.choice([b"", b"", b"\xef\xbb\xbf"]) + text.encode()
    return (gzip.compress(data, mtime=0) if rng.random() < 0.2 else data), truth


def parquet_file(rng):
    """JSON lines, and how to make Parquet of them."""
    rows, kinds, truth = draw_objects(rng, [None, "seconds", "milliseconds", "day", "zulu"])
    types = {
        "numbers": ["BIGINT", "INTEGER", "UBIGINT", "VARCHAR"],
        "large": ["BIGINT", "UBIGINT", "VARCHAR", "HUGEINT::VARCHAR"],
        "hex": ["UUID", "VARCHAR"],
        "seconds": ["BIGINT", "DOUBLE", "VARCHAR"],
        "milliseconds": ["BIGINT", "DOUBLE"],
        "day": ["DATE", "TIMESTAMP", "VARCHAR"],
        "zulu": ["TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_MS::TIMESTAMP_MS", "TIMESTAMP_NS"],
    }
    of_role = {role: rng.choice(types.get(kinds[role], ["VARCHAR"])) for role in kinds if role in rows[0]}
    of_role["rating"] = rng.choice(["DOUBLE", "FLOAT", "VARCHAR"])
    names = {role: rng.choice(HEADERS[role]) for role in of_role}
    order = rng.sample([*of_role], len(of_role))
    truth["parquet"] = {
        "select": ", ".join(f'"{role}"::{of_role[role]} AS "{names[role]}"' for role in order),
        "columns": {role: "DOUBLE" if role == "rating" else "VARCHAR" for role in rows[0]},
        "compression": rng.choice(["snappy", "zstd", "gzip", "uncompressed"]),
    }
    truth["name"] = "ratings.parquet"
    return "\n".join(json.dumps(row) for row in rows).encode(), truth


def main(folder, seed, count):
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        draw = rng.choices([text_file, json_file, parquet_file], [7, 2, 1])[0]
        data, truth = draw(rng)
        place = pathlib.Path(folder, str(number))
        place.mkdir()
        (place / truth["name"]).write_bytes(data)
        pathlib.Path(folder, f"{number}.json").write_text(json.dumps(truth))


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
