"use strict";
const MOST_ROWS = 100, MOST_BARS = 10, MOST_TEXT = 20000;
const TYPES = {csv: "text/csv", json: "application/json", txt: "text/plain", png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg"};

let token = "", models = [], model, serial = 0, urls = [];

const at = (id) => document.getElementById(id);

function make(tag, properties = {}, ...inside) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...inside.filter((part) => part !== null));
  return element;
}

// ---- requests

async function ask(path, {body, type, accept} = {}) {
  const headers = token ? {Authorization: "Bearer " + token} : {};
  if (type) headers["Content-Type"] = type;
  if (accept) headers.Accept = accept;
  const response = await fetch(path, body === undefined ? {headers} : {method: "POST", body, headers});
  if (response.ok) return accept ? response.blob() : response.json();
  throw Object.assign(new Error((await response.json()).error), {status: response.status});
}

const path = (route, end = "") => `${route}/${encodeURIComponent(model.model)}${end}`;

function imageUrl(blob) {
  urls.push(URL.createObjectURL(blob));
  return urls.at(-1);
}

// Sends inputs one after another: {name, body, type, file, base64, image}.
async function send(inputs) {
  const mine = ++serial, answers = [];
  urls.forEach(URL.revokeObjectURL);
  urls = [];
  at("answer").replaceChildren();
  for (const input of inputs) {
    at("status").className = "";
    at("status").textContent = inputs.length > 1 ? `Predicting ${answers.length + 1} of ${inputs.length} …` : "Predicting …";
    const answer = {input, rows: []};
    try {
      answer.content = await ask(path("predict"), input);
      answer.rows = answer.content.predictions;
      if (model.takes === "image" && answer.rows.length === 1) answer.seen = await ask(path("preprocess"), {...input, accept: "image/png"});
    } catch (error) { answer.error = error.message; }
    if (mine !== serial) return;
    const image = model.takes === "image" && input.body instanceof Blob ? input.body : input.image;
    if (image) answer.url = imageUrl(image);
    if (answer.seen) answer.seenUrl = imageUrl(answer.seen);
    answers.push(answer);
  }
  showAnswers(answers);
}

function fail(message) {
  serial++;
  at("status").textContent = "";
  at("answer").replaceChildren(make("p", {className: "bad", textContent: message}));
}

async function start() {
  try { models = (await ask("predict")).models; }
  catch (error) {
    if (error.status !== 401) return fail(error.message);
    at("key").hidden = false;
    at("api").hidden = true;
    if (token) fail(error.message);
    return;
  }
  at("key").hidden = true;
  at("api").hidden = token !== "";
  at("models").replaceChildren(...models.map((one, i) => make("option", {value: i, textContent: one.model})));
  at("models").hidden = models.length < 2;
  show(models[0]);
}

async function show(one) {
  model = one;
  serial++;
  at("title").textContent = document.title = one.model;
  at("status").textContent = "";
  at("answer").replaceChildren();
  const forms = {image: imageForm, text: textForm, row: rowForm};
  if (!one.takes) {
    const hint = `This model does not describe how its inputs are computed from data. Send tensors to /v2/models/${one.model}/infer.`;
    at("request").replaceChildren(make("p", {className: "hint", textContent: hint}));
    return;
  }
  const use = forms[one.takes]();
  if (one.examples) {
    const {examples} = await ask(path("predict", "/examples"));
    if (model === one) at("request").append(exampleButtons(examples, use));
  }
}

// ---- inputs; each form returns the function that uses an example

function dropArea(accept, hint, small = false) {
  const file = make("input", {type: "file", accept, multiple: true, hidden: true});
  const button = make("button", {type: "button", textContent: "Choose files"});
  const area = make("div", {className: small ? "drop small" : "drop"}, button, make("p", {className: "hint", textContent: hint}), file);
  const take = (files) => { if (files.length) send([...files].map(ofFile)); };
  area.onclick = () => file.click();
  file.onclick = (event) => event.stopPropagation();
  file.onchange = () => { take(file.files); file.value = ""; };
  area.ondragover = (event) => { event.preventDefault(); area.classList.add("over"); };
  area.ondragleave = () => area.classList.remove("over");
  area.ondrop = (event) => { event.preventDefault(); area.classList.remove("over"); take(event.dataTransfer.files); };
  document.onpaste = (event) => { if (area.isConnected) take(event.clipboardData.files); };
  return area;
}

function ofFile(file) {
  const ending = file.name.split(".").at(-1).toLowerCase();
  return {name: file.name, file: file.name, body: file, type: TYPES[ending] || file.type || "application/octet-stream"};
}

function imageForm() {
  const size = model.height && model.width ? `They are resized to ${model.width} × ${model.height}` : "They keep their size";
  const gray = model.channels === 1 ? " and converted to grayscale." : ".";
  at("request").replaceChildren(dropArea("image/png,image/jpeg", `Drop, paste or choose PNG or JPEG images. ${size}${gray}`));
  return ({[model.columns[0].name]: base64}, name) => send([{name, body: pngOf(base64), type: "image/png", base64}]);
}

function pngOf(base64) {
  return new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], {type: "image/png"});
}

function form(inside, input, accept, hint) {
  const element = make("form", {}, ...inside, make("p", {}, make("button", {className: "main", textContent: "Predict"})));
  element.onsubmit = async (event) => {
    event.preventDefault();
    try { send([await input()]); } catch (error) { fail(error.message); }
  };
  at("request").replaceChildren(element, dropArea(accept, hint, true));
  return element;
}

function textForm() {
  const [column] = model.columns;
  const area = make("textarea", {required: true});
  const input = () => ({name: area.value, body: area.value, type: "text/plain; charset=utf-8"});
  const hint = "Several texts: drop or choose .txt files, or a .csv or .json file of rows.";
  const element = form([make("label", {}, make("span", {textContent: column.name}), area)], input, ".txt,.csv,.json", hint);
  return (row) => { area.value = row[column.name]; element.requestSubmit(); };
}

function rowForm() {
  const fields = model.columns.map((column) => [column, fieldOf(column)]);
  const labels = fields.map(([column, field]) => make("label", {}, make("span", {textContent: column.name}), field, field.preview || null));
  const input = async () => {
    const values = {};
    let image = null;
    for (const [column, field] of fields) {
      values[column.name] = column.kind === "image" ? await base64Of(column, field) : valueOf(column, field);
      if (column.kind === "image" && !image) image = field.files[0] || pngOf(field.base64);
    }
    return {name: "", body: JSON.stringify(values), type: "application/json", image};
  };
  const element = form([make("div", {className: "fields"}, ...labels)], input, ".csv,.json", "Several rows: drop or choose .csv or .json files.");
  return (row) => {
    for (const [column, field] of fields) {
      const value = row[column.name] ?? "";
      if (column.kind === "image") useImage(field, value);
      else field.value = column.kind === "choice" ? column.choices.indexOf(value) : Array.isArray(value) ? JSON.stringify(value) : value;
    }
    element.requestSubmit();
  };
}

function fieldOf(column) {
  const options = (column.choices || []).map((choice, i) => make("option", {value: i, textContent: choice}));
  if (column.may_miss) options.unshift(make("option", {value: "", textContent: "—"}));
  const field = {
    choice: () => make("select", {}, ...options),
    text: () => make("textarea"),
    numbers: () => make("textarea", {placeholder: `[0.1, 0.2, …] with shape ${JSON.stringify(column.shape)}`}),
    boxes: () => make("textarea", {placeholder: `[[x1, y1, x2, y2], …] in pixels of ${column.of}` + (column.most ? `, at most ${column.most}` : "")}),
    image: imageField,
    number: () => make("input", {type: "number", step: "any"}),
  }[column.kind]();
  field.required = !column.may_miss;
  return field;
}

// A file of an image; an example has none, and its base64 instead.
function imageField() {
  const field = make("input", {type: "file", accept: "image/png,image/jpeg"});
  field.preview = make("img", {alt: "", className: "preview", hidden: true});
  field.preview.onload = () => { field.preview.title = `${field.preview.naturalWidth} × ${field.preview.naturalHeight}`; };
  field.onchange = () => {
    field.base64 = "";
    field.required = true;
    showPreview(field, field.files[0]);
  };
  return field;
}

function showPreview(field, image) {
  field.preview.hidden = !image;
  if (image) field.preview.src = URL.createObjectURL(image);
}

function useImage(field, base64) {
  field.value = "";
  field.base64 = base64;
  field.required = false;
  showPreview(field, pngOf(base64));
}

async function base64Of(column, field) {
  if (!field.files.length && !field.base64) throw new Error(`${column.name}: choose a PNG or JPEG image`);
  if (!field.files.length) return field.base64;
  const bytes = new Uint8Array(await field.files[0].arrayBuffer());
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

function valueOf(column, field) {
  if (field.value === "") return null;
  if (column.kind === "choice") return column.choices[field.value];
  if (column.kind === "text") return field.value;
  if (column.kind === "number") return Number(field.value);
  const expected = column.kind === "boxes" ? "boxes as a JSON list, [[x1, y1, x2, y2], …]" : "numbers as a JSON list";
  try { return JSON.parse(field.value); } catch { throw new Error(`${column.name}: expected ${expected}`); }
}

function exampleButtons(examples, use) {
  const buttons = examples.map((row, i) => {
    const name = `example ${i + 1}`, text = model.takes === "text" ? row[model.columns[0].name] : name;
    const button = make("button", {type: "button", title: text, textContent: model.takes === "image" ? "" : text});
    if (model.takes === "image") button.append(make("img", {alt: name, src: URL.createObjectURL(pngOf(row[model.columns[0].name]))}));
    button.onclick = () => use(row, name);
    return button;
  });
  return make("div", {className: "examples"}, "Examples:", ...buttons);
}

// ---- answers

function showAnswers(answers) {
  const rows = answers.flatMap((answer) => answer.error ? [{answer}] : answer.rows.map((row, i) => ({answer, row, number: i})));
  const detail = make("section", {}), table = rows.length > 1 ? tableOf(rows, (row) => showDetail(detail, row)) : null;
  at("answer").replaceChildren(...[table, detail].filter(Boolean));
  at("status").className = rows.length > 1 ? "" : "unseen"; // A single answer is below.
  const failed = answers.filter((answer) => answer.error).length;
  at("status").textContent = rows.length > 1 ? `${rows.length} answers` + (failed ? `, ${failed} of them errors` : "") : "";
  if (rows.length) showDetail(detail, rows[0]);
  if (rows.length === 1 && rows[0].row) at("status").textContent = outputsOf(rows[0].row).map((name) => `${name}: ${summary(rows[0].row, name)}`).join("; ").slice(0, 300);
}

function nameOf({answer, number}) {
  const name = answer.input.name || "row";
  return answer.rows.length > 1 ? `${answer.input.file ? answer.input.file + ", row" : "row"} ${number + 1}` : name;
}

function tableOf(rows, choose) {
  const names = outputsOf(Object.assign({}, ...rows.map(({row}) => row || {})));
  const hasImages = rows.some(({answer}) => answer.url);
  const head = make("tr", {}, ...(hasImages ? [make("th", {scope: "col", textContent: "image"})] : []),
    ...["input", ...names].map((text) => make("th", {scope: "col", textContent: text})));
  const buttons = [];
  const lines = rows.slice(0, MOST_ROWS).map((one, i) => {
    const button = make("button", {type: "button", className: "link", textContent: nameOf(one)});
    button.setAttribute("aria-pressed", i === 0);
    button.onclick = () => { buttons.forEach((other) => other.setAttribute("aria-pressed", other === button)); choose(one); };
    buttons.push(button);
    const cells = one.answer.error
      ? [make("td", {colSpan: names.length}, make("span", {className: "bad", textContent: one.answer.error}))]
      : names.map((name) => make("td", {textContent: summary(one.row, name)}));
    const image = one.answer.url && !one.answer.error ? make("img", {src: one.answer.url, alt: ""}) : "";
    return make("tr", {}, ...(hasImages ? [make("td", {}, image)] : []), make("td", {}, button), ...cells);
  });
  const more = rows.length > MOST_ROWS ? make("p", {className: "hint", textContent: `The first ${MOST_ROWS} of ${rows.length} rows.`}) : null;
  const wide = make("div", {className: "wide", tabIndex: 0}, make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines)));
  wide.setAttribute("role", "region");
  wide.setAttribute("aria-label", "Answers");
  return make("section", {}, wide, more);
}

function showDetail(place, one) {
  const {answer, row} = one;
  const several = place.previousSibling !== null;
  place.replaceChildren(...[make("h2", {textContent: several ? nameOf(one) : "Answer"}), row && row.detections ? objects(answer, row.detections) : images(answer),
    ...(row ? outputsOf(row).filter((name) => name !== "detections").map((name) => output(row, name)) : [make("p", {className: "bad", textContent: answer.error})]),
    curl(answer.input), row ? response(row) : null].filter(Boolean));
}

function images({url, seenUrl}) {
  if (!url) return null;
  const figure = (src, text, alt, kind) => {
    const caption = make("figcaption", {textContent: text}), image = make("img", {src, alt, className: kind});
    image.onload = () => { caption.textContent = `${text}, ${image.naturalWidth} × ${image.naturalHeight}`; };
    image.onerror = () => { caption.textContent = "not an image that this browser can show"; };
    return make("figure", {}, image, caption);
  };
  return make("div", {className: "images"}, figure(url, "your image", "The image that was sent", "exact"),
    seenUrl ? figure(seenUrl, "what the network reads", "The image that the network reads", "exact") : "");
}

// ---- objects of a detector

const SVG = "http://www.w3.org/2000/svg", COLORS = 8;

function svg(tag, properties, ...inside) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, each] of Object.entries(properties)) element.setAttribute(key, each);
  element.append(...inside);
  return element;
}

// The image with its boxes, a table of them, and the least score that both show.
function objects(answer, all) {
  const names = [...new Set(all.map((one) => String(one.class)))].sort(), place = make("section", {});
  const color = (one) => `c${names.indexOf(String(one.class)) % COLORS}`;
  const least = make("input", {type: "range", min: 0, max: 1, step: 0.01, value: all.some((one) => one.score >= 0.5) ? 0.5 : 0});
  const shown = make("span", {className: "n"}), drawn = svg("svg", {role: "img"}), table = make("div", {className: "wide", tabIndex: 0});
  table.setAttribute("role", "region");
  table.setAttribute("aria-label", "Objects");
  const image = answer.url ? make("img", {src: answer.url, alt: "The image that was sent"}) : null;
  const draw = () => {
    const kept = all.filter((one) => one.score >= Number(least.value));
    shown.textContent = `${Number(least.value).toFixed(2)}: ${kept.length} of ${all.length} objects`;
    table.replaceChildren(tableOfObjects(kept.slice(0, MOST_ROWS), color), kept.length > MOST_ROWS ? make("p", {className: "hint", textContent: `The first ${MOST_ROWS}.`}) : "");
    if (!image || !image.naturalWidth) return;
    const unit = image.naturalWidth / (image.clientWidth || image.naturalWidth);
    drawn.setAttribute("viewBox", `0 0 ${image.naturalWidth} ${image.naturalHeight}`);
    drawn.setAttribute("aria-label", kept.length ? summaryOfObjects(kept) : "no objects");
    // The best one is drawn last, over the others.
    drawn.replaceChildren(...kept.slice(0, MOST_ROWS).reverse().map((one) => boxOf(one, color(one), unit, image)));
  };
  least.oninput = draw;
  if (image) {
    const caption = make("figcaption", {}), scene = make("div", {className: "scene"}, image, drawn);
    image.onload = () => { caption.textContent = `your image, ${image.naturalWidth} × ${image.naturalHeight}`; draw(); };
    image.onerror = () => { caption.textContent = "not an image that this browser can show"; };
    new ResizeObserver(draw).observe(image);
    place.append(make("figure", {className: "objects"}, scene, caption));
  }
  if (all.length) place.append(make("label", {className: "least"}, make("span", {textContent: "least score "}, shown), least));
  place.append(table);
  draw();
  return place;
}

function boxOf(one, color, unit, image) {
  const [left, top, right, bottom] = one.box, text = `${one.class} ${percent(one.score)}`, size = 12 * unit;
  const width = Math.min(image.naturalWidth, (0.62 * text.length + 0.8) * size), height = 1.35 * size;
  const x = Math.max(0, Math.min(left, image.naturalWidth - width)), y = top >= height ? top - height : top;
  const label = svg("text", {x: x + 0.4 * size, y: y + size, "font-size": size});
  label.textContent = text;
  const place = {x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top)};
  return svg("g", {class: color}, svg("rect", {class: "halo", ...place}), svg("rect", {class: "edge", ...place}),
    svg("rect", {class: "tag", x, y, width, height}), label);
}

function tableOfObjects(kept, color) {
  const head = make("tr", {}, ...["class", "score", "x1", "y1", "x2", "y2"].map((textContent) => make("th", {scope: "col", textContent})));
  const lines = kept.map((one) => make("tr", {}, make("td", {}, make("span", {className: `dot ${color(one)}`}), String(one.class)),
    ...[percent(one.score), ...one.box.map(short)].map((textContent) => make("td", {textContent}))));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines));
}

function summaryOfObjects(all) {
  const counts = new Map();
  for (const one of all) counts.set(String(one.class), (counts.get(String(one.class)) || 0) + 1);
  return [...counts].map(([name, count]) => count > 1 ? `${count} × ${name}` : name).join(", ") || "no objects";
}

const outputsOf = (row) => Object.keys(row).filter((name) =>
  !["_class", "_text"].some((end) => name.endsWith(end) && name.slice(0, -end.length) in row));

const short = (number) => number === null ? "–" : number !== 0 && Math.abs(number) < 1e-4 ? number.toExponential(1) : String(Number(number.toPrecision(4)));

function percent(share) {
  const text = (100 * share).toFixed(1);
  return `${share > 0 && text === "0.0" ? "< 0.1" : share < 1 && text === "100.0" ? "> 99.9" : text} %`;
}

const isShare = (number) => typeof number === "number" && number >= 0 && number <= 1;
const isNumbers = (values) => Array.isArray(values) && values.length > 0 && values.every((value) => typeof value === "number" || value === null);

// The classes of an output with their values; `shares` if these are probabilities. null if the output has no classes.
function classesOf(row, name) {
  const rule = model.answers[name] || {}, label = row[name + "_class"], names = model.classes[name] || [];
  const values = typeof row[name] === "number" ? [row[name]] : row[name];
  if (!isNumbers(values)) return null;
  const even = rule.kind === "yes_or_no" && rule.above === 0.5 && values.every(isShare);
  if (values.length === 1)
    return label !== undefined && even ? {label, shares: true, ranked: rank([1 - values[0], values[0]], names.length ? names : ["no", "yes"])} : null;
  if (label === undefined && !even) return null;
  const shares = even || (values.every(isShare) && Math.abs(values.reduce((sum, value) => sum + value, 0) - 1) < 1e-3);
  return {label, shares, ranked: rank(values, names)};
}

function rank(values, names) {
  return values.map((value, i) => ({value, name: String(names[i] ?? i)})).sort((a, b) => b.value - a.value);
}

function summary(row, name) {
  const values = row[name], label = row[name + "_class"], classes = classesOf(row, name);
  if (name === "detections") return summaryOfObjects(values);
  if (name === "neighbors") return values.length ? neighborText(values[0]) : "–";
  if (classes && label !== undefined) return `${label}` + (classes.shares ? ` · ${percent(Math.max(...classes.ranked.map((each) => each.value)))}` : "");
  if (row[name + "_text"] !== undefined) return row[name + "_text"];
  if (typeof values === "string") return values;
  if (typeof values === "number") return short(values);
  if (isNumbers(values) && values.length < 5) return (label !== undefined ? `${label}: ` : "") + values.map(short).join(", ");
  return sizes(values).join(" × ");
}

function sizes(values) {
  return Array.isArray(values) ? [values.length, ...(values.length ? sizes(values[0]) : [])] : [];
}

const neighborText = ({row, similarity, ...shown}) => Object.values(shown).join(" · ") || `row ${row}`;

function output(row, name) {
  const values = row[name], label = row[name + "_class"], text = row[name + "_text"], classes = classesOf(row, name);
  const place = make("section", {}, make("h3", {textContent: name}));
  const say = (content, kind = "prediction") => place.append(make("p", {className: kind, textContent: content}));
  if (name === "neighbors") {
    for (const each of values) { say(neighborText(each)); say(`similarity ${short(each.similarity)}`, "hint"); }
    return place;
  }
  if (label !== undefined) say(label);
  if (text !== undefined) say(text);
  if (classes) {
    const all = classes.ranked.map((each) => each.value), most = Math.max(...all), least = Math.min(0, ...all);
    const length = (value) => classes.shares ? value : most > least ? (value - least) / (most - least) : 0;
    const bars = classes.ranked.slice(0, MOST_BARS).flatMap(({value, name: one}) => bar(one, value, length(value), classes.shares));
    place.append(make("div", {className: "bars"}, ...bars));
    if (all.length > MOST_BARS) say(`The ${MOST_BARS} highest of ${all.length} classes.`, "hint");
  } else if (typeof values === "string" || typeof values === "number") say(typeof values === "number" ? short(values) : values);
  else if (isNumbers(values) && values.length === 1) say(short(values[0]), label === undefined ? "prediction" : "hint");
  else place.append(drawing(values, name) || make("pre", {tabIndex: 0, textContent: JSON.stringify(values).slice(0, MOST_TEXT)}));
  return place;
}

function bar(label, value, length, isProbability) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg"), box = document.createElementNS(space, "rect");
  for (const [key, each] of [["viewBox", "0 0 100 1"], ["preserveAspectRatio", "none"], ["aria-hidden", "true"]]) drawing.setAttribute(key, each);
  box.setAttribute("width", 100 * length);
  box.setAttribute("height", 1);
  drawing.append(box);
  return [make("span", {textContent: label}), drawing,
    make("span", {className: "n", title: String(value), textContent: isProbability ? percent(value) : short(value)})];
}

// An output of height × width × 1 or 3 from 0 to 1, such as a mask, as an image; null if it is none.
function drawing(values, name) {
  const [height, width, channels] = sizes(values);
  if (sizes(values).length !== 3 || height < 2 || width < 2 || ![1, 3].includes(channels)) return null;
  const numbers = values.flat(2);
  if (!numbers.every(isShare)) return null;
  const canvas = make("canvas", {width, height, className: "exact"}), context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++)
    for (let c = 0; c < 4; c++) image.data[4 * i + c] = c === 3 ? 255 : 255 * numbers[channels * i + (channels === 3 ? c : 0)];
  context.putImageData(image, 0, 0);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", name);
  return make("figure", {}, canvas, make("figcaption", {textContent: `${width} × ${height}; 0 is black, 1 is white`}));
}

// ---- the request as a command, and the response

const quoted = (text) => /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

function curlOf({body, type, file, base64}) {
  const parts = ["curl", quoted(new URL(path("predict"), location.href).href), "-H", quoted(`Content-Type: ${type}`)];
  if (token) parts.push("-H", '"Authorization: Bearer $TOKEN"');
  if (base64) return `echo ${base64} | base64 -d | ${parts.join(" ")} --data-binary @-`;
  if (typeof body === "string" && body.length <= MOST_TEXT) return [...parts, "--data-raw", quoted(body)].join(" ");
  // A name with control characters could change the terminal that the line is pasted into.
  const name = file && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(file) ? file : typeof body === "string" ? "ROW.json" : "FILE";
  return [...parts, "--data-binary", quoted(`@${name.startsWith("-") ? "./" : ""}${name}`)].join(" ");
}

function curl(input) {
  const line = make("pre", {tabIndex: 0, textContent: curlOf(input)});
  line.setAttribute("aria-label", "curl command");
  line.setAttribute("role", "region");
  const button = make("button", {type: "button", textContent: "Copy"});
  button.onclick = async () => {
    try { await navigator.clipboard.writeText(line.textContent); }
    catch { // Only pages from this computer or over TLS may use the clipboard.
      getSelection().selectAllChildren(line);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  };
  return make("section", {}, make("h3", {textContent: "This request"}), make("div", {className: "curl"}, line, button));
}

function response(row) {
  const text = JSON.stringify(row, null, 2);
  return make("details", {}, make("summary", {textContent: "Response"}), make("pre", {tabIndex: 0, textContent: text.slice(0, MOST_TEXT)}));
}

at("models").onchange = () => show(models[at("models").value]);
at("key").onsubmit = (event) => { event.preventDefault(); token = at("token").value.trim(); start(); };
start();
