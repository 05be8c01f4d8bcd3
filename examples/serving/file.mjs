// Asks an exported model from Node: node file.mjs digits.onnx digits.json. In a browser, import onnxruntime-web instead.
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-node";

const images = JSON.parse(readFileSync(process.argv[3], "utf8")); // (batch, 8, 8, 1), 0 to 1
const session = await ort.InferenceSession.create(process.argv[2]);
const image = new ort.Tensor("float32", Float32Array.from(images.flat(3)), [images.length, 8, 8, 1]);
const { digit } = await session.run({ image }); // (batch, 10)
const best = (row) => row.indexOf(Math.max(...row));
console.log(images.map((_, i) => best([...digit.data.slice(10 * i, 10 * i + 10)])).join(" "));
