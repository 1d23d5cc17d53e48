"""Lists, checks and asks the models of a server with Triton's own client: python triton.py HOST:PORT

Prints as JSON what it has found: `names`, and for each way to send and to receive tensors what is predicted and
recommended."""

import json
import sys

import numpy
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

USERS = ["u1", "Zoë", "nobody"]
ITEMS = ["i1", "i2", "\N{SNOWMAN}"]


def given(name, values, datatype, binary):
    tensor = InferInput(name, list(values.shape), datatype)
    tensor.set_data_from_numpy(values, binary_data=binary)
    return tensor


def texts(name, values, binary):
    return given(name, numpy.array(values, dtype=object), "BYTES", binary)


def ask(client, model, inputs, names, binary):
    # None asks for all outputs, as binary data.
    outputs = None if binary is None else [InferRequestedOutput(name, binary_data=binary) for name in names]
    result = client.infer(f"movies.{model}", inputs, outputs=outputs, request_id="7")
    assert result.get_response()["id"] == "7"
    return [result.as_numpy(name) for name in names]


def strings(array):
    return [value.decode() if isinstance(value, bytes) else value for value in array.reshape(-1).tolist()]


client = InferenceServerClient(sys.argv[1])
assert client.is_server_live() and client.is_server_ready()
assert client.get_server_metadata()["name"] == "cofactor"
names = [model["name"] for model in client.get_model_repository_index()]
for name in names:
    assert client.is_model_ready(name) and client.is_model_ready(name, "1")
    assert client.get_model_metadata(name)["inputs"]

answers = []
for sent in (True, False):
    for received in (None, True, False):
        users, items = texts("user", USERS, sent), texts("item", ITEMS, sent)
        (rating,) = ask(client, "predict", [users, items], ["rating"], received)
        k = given("k", numpy.array([2], dtype=numpy.int64), "INT64", sent)
        best, stars = ask(client, "recommend", [users, k], ["item", "rating"], received)
        assert best.shape == stars.shape == (len(USERS), 2)
        ratings = given("rating", numpy.array([5, 1, 3], dtype=numpy.float32), "FP32", sent)
        (top,) = ask(client, "fold-in", [items, ratings, k], ["top_item"], received)
        answers.append({"rating": rating.tolist(), "item": strings(best), "top": strings(top)})

try:
    client.infer("movies.predict", [texts("user", USERS, True)])
except InferenceServerException as error:
    refusal = {"status": error.status(), "message": error.message()}

print(json.dumps({"names": names, "answers": answers, "refusal": refusal}))
