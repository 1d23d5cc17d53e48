import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.PrintStream;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Runs a golden set; prints one JSON object, see test/conformance/README.md. */
class Run {
  static final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  static final Gson gson = new Gson();

  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    JsonArray results = new JsonArray();
    Map<String, OrtSession> sessions = new HashMap<>();
    for (JsonElement golden : JsonParser.parseString(Files.readString(folder.resolve("golden.json"))).getAsJsonArray()) {
      JsonObject result = new JsonObject();
      try {
        String model = golden.getAsJsonObject().get("model").getAsString();
        if (!sessions.containsKey(model)) {
          sessions.put(model, environment.createSession(folder.resolve(model).toString()));
        }
        result.add("outputs", run(sessions.get(model), golden.getAsJsonObject().getAsJsonObject("inputs")));
      } catch (OrtException problem) {
        result.addProperty("error", problem.toString());
      }
      results.add(result);
    }
    JsonObject report = new JsonObject();
    report.addProperty("runtime", "onnxruntime for Java");
    report.addProperty("version", environment.getVersion());
    report.add("results", results);
    new PrintStream(System.out, true, StandardCharsets.UTF_8).println(report);
  }

  static JsonObject run(OrtSession session, JsonObject inputs) throws OrtException {
    Map<String, OnnxTensor> feeds = new HashMap<>();
    for (String name : inputs.keySet()) {
      feeds.put(name, decode(inputs.getAsJsonObject(name)));
    }
    JsonObject outputs = new JsonObject();
    for (var output : session.run(feeds)) {
      outputs.add(output.getKey(), encode((OnnxTensor) output.getValue()));
    }
    return outputs;
  }

  static OnnxTensor decode(JsonObject tensor) throws OrtException {
    long[] shape = gson.fromJson(tensor.get("shape"), long[].class);
    JsonElement data = tensor.get("data");
    switch (tensor.get("type").getAsString()) {
      case "string":
        return OnnxTensor.createTensor(environment, gson.fromJson(data, String[].class), shape);
      case "int64":
        return OnnxTensor.createTensor(environment, LongBuffer.wrap(gson.fromJson(data, long[].class)), shape);
      default:
        return OnnxTensor.createTensor(environment, FloatBuffer.wrap(gson.fromJson(data, float[].class)), shape);
    }
  }

  static JsonObject encode(OnnxTensor tensor) throws OrtException {
    TensorInfo info = tensor.getInfo();
    JsonArray data = new JsonArray();
    String type;
    switch (info.type) {
      case STRING:
        type = "string";
        addStrings(tensor.getValue(), data);
        break;
      case INT64:
        type = "int64";
        LongBuffer longs = tensor.getLongBuffer();
        while (longs.hasRemaining()) data.add(longs.get());
        break;
      default:
        type = "float";
        FloatBuffer floats = tensor.getFloatBuffer();
        while (floats.hasRemaining()) data.add(floats.get());
    }
    JsonObject json = new JsonObject();
    json.addProperty("type", type);
    json.add("shape", gson.toJsonTree(info.getShape()));
    json.add("data", data);
    return json;
  }

  /** The strings of an array of any depth, in order. */
  static void addStrings(Object value, JsonArray data) {
    if (value instanceof Object[]) {
      for (Object element : (Object[]) value) addStrings(element, data);
    } else {
      data.add((String) value);
    }
  }
}
