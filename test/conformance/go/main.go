// Runs a golden set; prints one JSON object, see test/conformance/README.md.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime/debug"

	ort "github.com/yalue/onnxruntime_go"
)

type tensor struct {
	Type  string          `json:"type"`
	Shape []int64         `json:"shape"`
	Data  json.RawMessage `json:"data"`
}

type golden struct {
	Model  string            `json:"model"`
	Inputs map[string]tensor `json:"inputs"`
}

type result struct {
	Outputs map[string]tensor `json:"outputs,omitempty"`
	Error   string            `json:"error,omitempty"`
}

type report struct {
	Runtime string   `json:"runtime"`
	Version string   `json:"version"`
	Results []result `json:"results"`
}

// A loaded file, with its inputs and outputs in the order in which the session takes them.
type model struct {
	session         *ort.DynamicAdvancedSession
	inputs, outputs []string
}

func main() {
	ort.SetSharedLibraryPath(os.Getenv("ORT_DYLIB_PATH"))
	if err := ort.InitializeEnvironment(); err != nil {
		log.Fatal(err)
	}
	folder := os.Args[1]
	text, err := os.ReadFile(filepath.Join(folder, "golden.json"))
	if err != nil {
		log.Fatal(err)
	}
	var cases []golden
	if err := json.Unmarshal(text, &cases); err != nil {
		log.Fatal(err)
	}
	models := map[string]*model{}
	results := make([]result, len(cases))
	for place, golden := range cases {
		outputs, err := run(folder, models, golden)
		results[place].Outputs = outputs
		if err != nil {
			results[place].Error = err.Error()
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(report{"onnxruntime_go for Go", version(), results}); err != nil {
		log.Fatal(err)
	}
}

// The version of the binding.
func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/yalue/onnxruntime_go" {
			return module.Version
		}
	}
	return ""
}

func run(folder string, models map[string]*model, golden golden) (map[string]tensor, error) {
	if models[golden.Model] == nil {
		loaded, err := load(filepath.Join(folder, golden.Model))
		if err != nil {
			return nil, err
		}
		models[golden.Model] = loaded
	}
	model := models[golden.Model]
	inputs := make([]ort.Value, len(model.inputs))
	for place, name := range model.inputs {
		value, err := decode(golden.Inputs[name])
		if err != nil {
			return nil, err
		}
		defer value.Destroy()
		inputs[place] = value
	}
	// The session fills in the outputs, whose shapes depend on the inputs.
	values := make([]ort.Value, len(model.outputs))
	if err := model.session.Run(inputs, values); err != nil {
		return nil, err
	}
	outputs := map[string]tensor{}
	for place, name := range model.outputs {
		defer values[place].Destroy()
		output, err := encode(values[place])
		if err != nil {
			return nil, err
		}
		outputs[name] = output
	}
	return outputs, nil
}

func load(path string) (*model, error) {
	inputs, outputs, err := ort.GetInputOutputInfo(path)
	if err != nil {
		return nil, err
	}
	loaded := &model{inputs: names(inputs), outputs: names(outputs)}
	loaded.session, err = ort.NewDynamicAdvancedSession(path, loaded.inputs, loaded.outputs, nil)
	return loaded, err
}

func names(infos []ort.InputOutputInfo) []string {
	names := make([]string, len(infos))
	for place, info := range infos {
		names[place] = info.Name
	}
	return names
}

func decode(tensor tensor) (ort.Value, error) {
	switch tensor.Type {
	case "string":
		var data []string
		if err := json.Unmarshal(tensor.Data, &data); err != nil {
			return nil, err
		}
		value, err := ort.NewStringTensor(tensor.Shape)
		if err != nil {
			return nil, err
		}
		return value, value.SetContents(data)
	case "int64":
		return decodeNumbers[int64](tensor)
	default:
		return decodeNumbers[float32](tensor)
	}
}

func decodeNumbers[T ort.TensorData](tensor tensor) (ort.Value, error) {
	var data []T
	if err := json.Unmarshal(tensor.Data, &data); err != nil {
		return nil, err
	}
	return ort.NewTensor(tensor.Shape, data)
}

func encode(value ort.Value) (tensor, error) {
	switch value := value.(type) {
	case *ort.StringTensor:
		data, err := value.GetContents()
		if err != nil {
			return tensor{}, err
		}
		return encodeData("string", value, data)
	case *ort.Tensor[int64]:
		return encodeData("int64", value, value.GetData())
	case *ort.Tensor[float32]:
		return encodeData("float", value, value.GetData())
	default:
		return tensor{}, fmt.Errorf("outputs of %T are not foreseen", value)
	}
}

func encodeData(kind string, value ort.Value, data any) (tensor, error) {
	text, err := json.Marshal(data)
	return tensor{kind, value.GetShape(), text}, err
}
