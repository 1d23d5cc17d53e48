"""Random ids, ratings and times, and what is true of them."""

import datetime
import uuid

NO_IDS = {"", "\\n", "null", "nan", "none", "na", "n/a", "nil", "nat", "undefined", "-"}

HEADERS = {
    "user": ["user", "userId", "user_id", "User-ID", "USER", "customer_id", "reviewerID", "member"],
    "item": ["item", "movieId", "item_id", "ISBN", "asin", "Product", "trackid", "business_id"],
    "rating": ["rating", "score", "stars", "Book-Rating", "overall", "RATING"],
    "count": ["plays", "quantity", "count", "listens"],
    "time": ["timestamp", "time", "date", "unixReviewTime", "ts"],
    "note": ["note", "in_words", "country", "in-euros", "helpful"],
}

# Letters that an encoding can write. In some, half a letter is a delimiter, a quote or a line end.
LETTERS = {
    "utf-8": "éßñøЖ日本語한글👩🎬ﬀ\u0301",
    "utf-16": "Ċ，ⰼ਍∢éЖ日🎬",
    "latin-1": "éßñøÄÖÜ¿ÿ",
    "cp1252": "é€Šœž™ßÿ",
    "gbk": "张三亅丂亊乗侓電影",
    "koi8-r": "ИванЖеняЮЁё",
    "shift_jis": "ソポ能表予ｱｲ映画",
}


def moment(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


# The text of a time in seconds, and the time that it says.
TIMES = {
    "seconds": lambda t: (str(t), t),
    "parts": lambda t: (f"{t}.25", t + 0.25),
    "milliseconds": lambda t: (str(t * 1000 + 500), t + 0.5),
    "day": lambda t: (moment(t).strftime("%Y-%m-%d"), t // 86400 * 86400),
    "spaced": lambda t: (moment(t).strftime("%Y-%m-%d %H:%M:%S"), t),
    "zulu": lambda t: (moment(t).strftime("%Y-%m-%dT%H:%M:%SZ"), t),
    "zone": lambda t: (moment(t + 7200).strftime("%Y-%m-%dT%H:%M:%S+02:00"), t),
    "german": lambda t: (moment(t).strftime("%d.%m.%Y"), t // 86400 * 86400),
}

# The text of a rating, and whether the values are on a scale that any reader knows.
RATINGS = [
    (lambda rng: str(rng.randint(1, 5)), True),
    (lambda rng: f"{rng.randint(1, 10) / 2:.1f}", True),
    (lambda rng: f"{rng.randint(2, 10) / 2:g}", True),
    (lambda rng: str(rng.randint(1, 10)), True),
    (lambda rng: f"{rng.uniform(-10, 10):.2f}", False),
    (lambda rng: f"{rng.uniform(0, 5):.3f}", False),
    (lambda rng: repr(rng.uniform(-1e3, 1e3)), False),
    (lambda rng: f"{rng.uniform(-1e6, 1e6):.4e}", False),
]


def draw_ids(rng, number, fit=str.strip, letters=LETTERS["utf-8"]):
    """Different ids of one kind, and the kind."""
    some = [*"abcxyzABC0123456789", *letters]
    odd = [*some, *" ,;|:'\"#/=-%\t", "\n", "\r\n", '""']
    kind = rng.choice(["numbers", "large", "zeros", "hex", "words", "odd", "odd"])
    draw = {
        "numbers": lambda: str(rng.randint(1, 10 * number + 10)),
        "large": lambda: str(rng.randint(2**53, 2**63 - 1)),
        "zeros": lambda: str(rng.randint(1, 10 * number + 10)).zfill(10),
        "hex": lambda: str(uuid.UUID(int=rng.getrandbits(128))),
        "words": lambda: "".join(rng.choices(some, k=rng.randint(1, 8))),
        "odd": lambda: "".join(rng.choices(odd, k=rng.randint(1, 8))),
    }[kind]
    found = {}
    while len(found) < number:
        text = fit(draw())
        if text.lower() not in NO_IDS:
            found[text] = True
    return list(found), kind


def merged(truths, kind):
    """One row for each pair: the latest rating, or the sum of interactions."""
    pairs = {}
    for user, item, value, time in truths:
        before = pairs.get((user, item))
        if kind == "interactions":
            pairs[user, item] = ((before[0] if before else 0) + value, time)
        elif not before or time is None or time >= before[1]:
            pairs[user, item] = (value, time)
    return [[*pair, *rest] for pair, rest in pairs.items()]
