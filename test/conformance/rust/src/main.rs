//! Runs a golden set; prints one JSON object, see test/conformance/README.md.
use std::collections::HashMap;
use std::error::Error;
use std::path::Path;

use ort::environment::Environment;
use ort::session::Session;
use ort::value::{DynValue, Tensor, TensorElementType};
use serde_json::{Map, Value, from_value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args()
        .nth(1)
        .ok_or("give the golden set's folder")?;
    let folder = Path::new(&folder);
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(folder.join("golden.json"))?)?;
    let environment = ort::init().build()?;
    let mut sessions = HashMap::new();
    let results: Vec<Value> = cases
        .iter()
        .map(
            |case| match run(folder, &environment, &mut sessions, case) {
                Ok(outputs) => json!({ "outputs": outputs }),
                Err(problem) => json!({ "error": problem.to_string() }),
            },
        )
        .collect();
    println!(
        "{}",
        json!({ "runtime": "ort for Rust", "version": version(), "results": results })
    );
    Ok(())
}

/// The version of ort, as locked.
fn version() -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let (_, rest) = lock
        .split_once("name = \"ort\"\nversion = \"")
        .unwrap_or_default();
    rest.split('"').next().unwrap_or_default()
}

fn run(
    folder: &Path,
    environment: &Environment,
    sessions: &mut HashMap<String, Session>,
    case: &Value,
) -> Result<Map<String, Value>, Box<dyn Error>> {
    let model = case["model"].as_str().ok_or("a case names no model")?;
    if !sessions.contains_key(model) {
        let session = Session::builder(environment)?.commit_from_file(folder.join(model))?;
        sessions.insert(model.to_owned(), session);
    }
    let session = sessions.get_mut(model).ok_or("no session")?;
    let mut inputs = HashMap::new();
    for (name, tensor) in case["inputs"].as_object().ok_or("a case has no inputs")? {
        inputs.insert(name.as_str(), decode(tensor)?);
    }
    session
        .run(inputs)?
        .iter()
        .map(|(name, value)| Ok((name.to_owned(), encode(&value)?)))
        .collect()
}

fn decode(tensor: &Value) -> Result<DynValue, Box<dyn Error>> {
    let shape: Vec<i64> = from_value(tensor["shape"].clone())?;
    let data = tensor["data"].clone();
    Ok(match tensor["type"].as_str() {
        Some("string") => {
            Tensor::from_string_array((shape, &from_value::<Vec<String>>(data)?[..]))?.into_dyn()
        }
        Some("int64") => Tensor::from_array((shape, from_value::<Vec<i64>>(data)?))?.into_dyn(),
        _ => Tensor::from_array((shape, from_value::<Vec<f32>>(data)?))?.into_dyn(),
    })
}

fn encode(value: &DynValue) -> Result<Value, Box<dyn Error>> {
    let (kind, shape, data) = match value.dtype().tensor_type() {
        Some(TensorElementType::String) => {
            let (shape, data) = value.try_extract_strings()?;
            ("string", shape, json!(data))
        }
        Some(TensorElementType::Int64) => {
            let (shape, data) = value.try_extract_tensor::<i64>()?;
            ("int64", shape, json!(data))
        }
        _ => {
            let (shape, data) = value.try_extract_tensor::<f32>()?;
            ("float", shape, json!(data))
        }
    };
    Ok(json!({ "type": kind, "shape": &shape[..], "data": data }))
}
